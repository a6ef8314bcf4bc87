"""Drawings as the Omniglot twins take them: one decision on ink for all of a call, then each made to look alike."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from omnishot.data.drawings import OMNIGLOT, SIDE, Look, normalised
from omnishot.data.sources.decoding import is_blank, judge, read_ink, read_picture
from omnishot.data.sources.ink import Reading
from omnishot.errors import OmnishotError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.recognition.images import NamedImage, PreparedImage
from omnishot.vocabulary import InkName

_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class DrawingPreparation:
    """What is done to drawings before a twin sees them.

    Attributes:
        look: What they are made to look like; None leaves them as `omnishot prepare` reads a folder, for twins that
            were trained on one.
    """

    look: Look | None = OMNIGLOT

    @property
    def settings(self) -> dict[str, object]:
        """What identifies the preparation: vectors made by another one are not comparable."""
        return {"kind": "drawing", "version": 1, "look": asdict(self.look) if self.look else None}

    @property
    def in_words(self) -> str:
        """What is done, for people to read."""
        reading = "ink bright on 0, one decision for all images of a call on what is ink"
        if self.look is None:
            return f"{reading}; fitted into {SIDE}x{SIDE} pixels"
        (shortest, longest), (narrowest, widest) = self.look.extent, self.look.width
        return (
            f"{reading}; cropped to the ink, scaled until its longer side has {shortest} to {longest} pixels, centred "
            f"in {SIDE}x{SIDE}; strokes narrower than {narrowest:g} or wider than {widest:g} pixels are drawn anew "
            f"with a pen of {self.look.pen}"
        )

    def read(
        self, images: Sequence[NamedImage | PreparedImage], *, ink: InkName = "auto", on_progress: OnProgress = silent
    ) -> list[PreparedImage | OmnishotError]:
        """Read images, and say of those that cannot be read why.

        Args:
            images: The images; those that are prepared stay as they are.
            ink: What is ink in all of them; `auto` decides by a sample.
            on_progress: Receives progress.
        """
        unread = [image for image in images if isinstance(image, NamedImage)]
        places = np.unique(np.linspace(0, len(unread) - 1, min(_SAMPLE, len(unread))).astype(int))
        reading = judge([unread[place].read for place in places], ink)
        results: list[PreparedImage | OmnishotError] = []
        for number, image in enumerate(images):
            on_progress(Progress("Reading images", number, len(images), "images"))
            try:
                results.append(self._prepared(image, reading) if isinstance(image, NamedImage) else image)
            except OmnishotError as error:
                results.append(error)
        return results

    def _prepared(self, image: NamedImage, reading: Reading) -> PreparedImage:
        content = image.read()
        if self.look is None:
            picture = read_picture(content, place=image.name, reading=reading)
            return PreparedImage(image.name, picture.pixels, picture.is_blank, "dark" if picture.is_dark else "light")
        drawing, is_dark = read_ink(content, place=image.name, reading=reading)
        pixels = normalised(np.asarray(drawing), self.look)
        return PreparedImage(image.name, pixels, is_blank(drawing), "dark" if is_dark else "light")
