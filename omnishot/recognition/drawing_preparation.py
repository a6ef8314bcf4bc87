"""Drawings as the Omniglot twins take them: one decision on ink for all of a call, then each made to look alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnishot.data.sources.decoding import judge, read_picture
from omnishot.errors import OmnishotError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.recognition.images import NamedImage, PreparedImage
from omnishot.vocabulary import InkName

_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class DrawingPreparation:
    """What is done to drawings before a twin sees them."""

    @property
    def settings(self) -> dict[str, object]:
        """What identifies the preparation: vectors made by another one are not comparable."""
        return {"kind": "drawing", "version": 1}

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
        sample = [unread[i].read for i in np.unique(np.linspace(0, len(unread) - 1, _SAMPLE).astype(int))]
        reading = judge(sample if unread else [], ink)
        results: list[PreparedImage | OmnishotError] = []
        for number, image in enumerate(images):
            on_progress(Progress("Reading images", number, len(images), "images"))
            try:
                if isinstance(image, NamedImage):
                    picture = read_picture(image.read(), place=image.name, reading=reading)
                    ink_name = "dark" if picture.is_dark else "light"
                    results.append(PreparedImage(image.name, picture.pixels, picture.is_blank, ink_name))
                else:
                    results.append(image)
            except OmnishotError as error:
                results.append(error)
        return results
