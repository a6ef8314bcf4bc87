"""Images as callers have them: paths, bytes, PIL images and arrays, one or many, each with a name for messages."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from omnishot.data.sources.decoding import Content
from omnishot.errors import DamagedFileError, NotFoundError, OmnishotError, UsageError, brief

_COLOURS = {1, 3, 4}


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image that is not read yet.

    Attributes:
        name: What to call it in messages.
        content: Where it is, or what it is.
    """

    name: str
    content: "str | os.PathLike[str] | bytes | PilImage.Image | NDArray[Any]"

    def read(self) -> Content:
        """Return the file's bytes, or the picture that an array holds.

        Raises:
            NotFoundError: There is no such file.
            DamagedFileError: It cannot be read, or the array is no image.
        """
        if isinstance(self.content, bytes | PilImage.Image):
            return self.content
        if isinstance(self.content, str | os.PathLike):
            return _bytes_of(Path(self.content), self.name)
        return _picture_of(self.content, self.name)


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image as a twin takes it.

    Attributes:
        name: What to call it in messages.
        pixels: Shape (h, w), ink bright on 0, or (h, w, 3), colour; uint8.
        is_blank: Whether nothing is to be seen on it.
        ink: What was taken for ink, `dark` or `light`; None for a photograph.
    """

    name: str
    pixels: NDArray[np.uint8]
    is_blank: bool = False
    ink: str | None = None


Image = str | os.PathLike[str] | bytes | PilImage.Image | NDArray[Any] | NamedImage | PreparedImage
"""One image: a path, a file's bytes, a PIL image, or an array of shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4).

Arrays are uint8, bool, or floating point in [0, 1].
"""

Images = Image | Iterable[Image]
"""One image or many; an array of shape (n, h, w) or (n, h, w, channels) is many."""


def as_list(images: Images) -> list[NamedImage | PreparedImage]:
    """Return every image with a name: its path, or its number among those that were given.

    Raises:
        UsageError: One of them is no image at all.
    """
    each = _each(images)
    return [_named(image, f"image {number} of {len(each)}") for number, image in enumerate(each, 1)]


def _each(images: Images) -> list[Image]:
    if isinstance(images, str | os.PathLike | bytes | PilImage.Image | NamedImage | PreparedImage):
        return [images]
    if isinstance(images, np.ndarray):
        return [images] if _is_one(images) else list(images)
    if not isinstance(images, Iterable):
        raise UsageError(
            f"{brief(type(images).__name__)} is no image", hint="Give paths, PIL images or arrays, one or many."
        )
    return list(images)


def _is_one(array: NDArray[Any]) -> bool:
    return array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in _COLOURS)


def _named(image: Image, number: str) -> NamedImage | PreparedImage:
    if isinstance(image, NamedImage | PreparedImage):
        return image
    if isinstance(image, str | os.PathLike):
        return NamedImage(brief(os.fspath(image)), image)
    if isinstance(image, PilImage.Image) and (path := getattr(image, "filename", "")):
        return NamedImage(brief(path), image)
    if isinstance(image, bytes | PilImage.Image | np.ndarray):
        return NamedImage(number, image)
    raise UsageError(
        f"{number} is no image but a {brief(type(image).__name__)}", hint="Give paths, PIL images, arrays."
    )


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise DamagedFileError(f"{name} is a folder, not an image", hint="Name the images in it.")
        if not path.exists():
            raise NotFoundError(f"There is no file {name}")
        if not path.is_file():  # Opening a pipe would wait for its writer, and a device has no end.
            raise DamagedFileError(f"{name} is not a regular file")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{name} cannot be read: {brief(getattr(error, 'strerror', None) or error)}") from None


def _picture_of(array: NDArray[Any], name: str) -> PilImage.Image:
    shape = "x".join(map(str, array.shape))
    if not _is_one(array) or 0 in array.shape:
        raise DamagedFileError(
            f"{name} is an array of shape {shape}, not of an image",
            hint="An image is (height, width), or with 1, 3 or 4 channels (height, width, channels).",
        )
    values = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise DamagedFileError(
                f"{name} holds floating point values from {values.min():g} to {values.max():g}",
                hint="They run from 0 (black) to 1 (white); divide by 255 what runs to 255.",
            )
        values = np.rint(values * 255).astype(np.uint8)
    elif values.dtype != np.uint8:
        raise DamagedFileError(f"{name} is an array of {values.dtype}", hint="Give uint8, bool, or floats in [0, 1].")
    return PilImage.fromarray(np.ascontiguousarray(values))


def first_of(results: Iterable[PreparedImage | OmnishotError]) -> OmnishotError | None:
    """Return the first error among images that were read, or None."""
    return next((result for result in results if isinstance(result, OmnishotError)), None)
