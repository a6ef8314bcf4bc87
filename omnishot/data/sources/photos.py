"""From an image file to a photograph as it is: its colours or shades, upright, the whole of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from omnishot.data.sources.decoding import (
    FORMATS,
    Content,
    is_drawn_in_white,
    load,
    on_ground,
    opened,
    to_8_bits,
    upright,
)
from omnishot.data.sources.ink import WHITE
from omnishot.errors import SettingsError

USUAL_SIDE = 224
SMALLEST, LARGEST = 20, 1024
"""Sides that photographs may have, pixels."""

_BLANK = 8
_EDGE = (124, 116, 104)
"""The mean colour of ImageNet."""


@dataclass(frozen=True, slots=True)
class PhotoFormat:
    """How photographs are kept.

    Attributes:
        side: Of the square that each becomes, pixels.
        colour: Whether its colours are kept, or only its shades.
    """

    side: int = USUAL_SIDE
    colour: bool = True

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a photograph."""
        return self.side, self.side, 3 if self.colour else 1


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph that was read.

    Attributes:
        pixels: Shape (side, side, 3) or (side, side, 1), uint8.
        is_blank: Whether it is of one colour, all over.
    """

    pixels: NDArray[np.uint8]
    is_blank: bool


def photo_format(*, colour: bool, side: int | None) -> PhotoFormat | None:
    """Return how photographs are kept, or None where neither colour nor a side is asked for.

    Raises:
        SettingsError: The side is out of range.
    """
    if side is not None and not SMALLEST <= side <= LARGEST:
        raise SettingsError(
            f"--image-size {side} is not within {SMALLEST}..{LARGEST}", hint=f"Use --image-size {USUAL_SIDE}."
        )
    return PhotoFormat(side or USUAL_SIDE, colour) if colour or side else None


def read_photo(content: Content, *, place: str, kept: PhotoFormat) -> Photograph:
    """Decode any picture as a photograph: nothing in it is taken for ink, and none of its shades are changed.

    What is transparent becomes white, or black where all that is visible is nearly white. The sides keep their
    proportion, so that all of it is seen; what is missing of the square is of a middle shade, which says nothing to a
    network that knows ImageNet. Of an animation the first picture counts; more than 8 bits become 8.

    Args:
        content: The file's bytes, or the picture itself.
        place: What to call the file in messages.
        kept: Size and colour.

    Raises:
        DamagedFileError: The bytes are no picture, or one of more than 100 million pixels or 1:210.
    """
    with opened(content, place, FORMATS) as image:
        load(image, place)
        if image.mode.startswith("I") or image.mode == "F":
            shown = to_8_bits(image, WHITE)[0]
        elif image.has_transparency_data:
            shown = on_ground(image, "black" if is_drawn_in_white(image) else "white", "RGB")
        else:
            shown = image
        shown = upright(shown.convert("RGB" if kept.colour else "L"), image)
    edge = _EDGE if kept.colour else round(sum(_EDGE) / 3)
    square = ImageOps.pad(shown, (kept.side, kept.side), Image.Resampling.BICUBIC, color=edge)
    return Photograph(np.asarray(square).reshape(kept.shape), is_blank=_is_blank(shown))


def _is_blank(shown: Image.Image) -> bool:
    return bool(np.ptp(np.atleast_2d(shown.getextrema()), axis=1).max() <= _BLANK)
