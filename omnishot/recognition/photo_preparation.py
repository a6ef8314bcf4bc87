"""Photographs as a twin takes them that knows ImageNet: in colour, upright, and otherwise as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from omnishot.data.sources.photos import PhotoFormat, read_photo
from omnishot.errors import OmnishotError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.recognition.images import NamedImage, PreparedImage
from omnishot.vocabulary import InkName


@dataclass(frozen=True, slots=True)
class PhotoPreparation:
    """What is done to photographs before a twin sees them.

    Attributes:
        side: Of the square they become, pixels.
    """

    side: int = 224

    @property
    def settings(self) -> dict[str, object]:
        """What identifies the preparation: vectors made by another one are not comparable."""
        return {"kind": "photo", "version": 1, "look": None}

    @property
    def in_words(self) -> str:
        """What is done, for people to read."""
        return (
            f"upright and in colour, what is transparent on white; fitted into {self.side}x{self.side} pixels, the "
            "rest of a middle shade; colours less ImageNet's mean, divided by its deviation"
        )

    def read(
        self, images: Sequence[NamedImage | PreparedImage], *, ink: InkName = "auto", on_progress: OnProgress = silent
    ) -> list[PreparedImage | OmnishotError]:
        """Read images, and say of those that cannot be read why.

        Args:
            images: The images; those that are prepared stay as they are.
            ink: Of no concern to photographs.
            on_progress: Receives progress.
        """
        kept, results = PhotoFormat(self.side), list[PreparedImage | OmnishotError]()
        for number, image in enumerate(images):
            on_progress(Progress("Reading images", number, len(images), "images"))
            if isinstance(image, PreparedImage):
                results.append(image)
                continue
            try:
                photo = read_photo(image.read(), place=image.name, kept=kept)
                results.append(PreparedImage(image.name, photo.pixels, photo.is_blank))
            except OmnishotError as error:
                results.append(error)
        return results
