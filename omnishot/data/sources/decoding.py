"""From an image file's bytes to ink on a blank square."""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from omnishot.errors import DamagedFileError

SIDE = 105
"""Side of every image omnishot stores, pixels: that of Omniglot."""

MAX_PIXELS = 100_000_000
"""Larger images are refused before they are decoded."""


def decode_drawing(content: bytes, *, place: str) -> NDArray[np.uint8]:
    """Decode a black-on-white drawing that already has the right size, as Omniglot's are.

    Args:
        content: The file's bytes.
        place: What to call the file in messages.

    Returns:
        Shape (105, 105), uint8, ink 255 on 0.

    Raises:
        DamagedFileError: This is no such drawing.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.size != (SIDE, SIDE):
                raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels, expected {SIDE}x{SIDE}")
            paper = np.asarray(image if image.mode == "1" else image.convert("L"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DamagedFileError(f"{place} is not a readable image: {error}", hint="Fetch its archive again.") from None
    return np.where(paper, np.uint8(0), np.uint8(255)) if paper.dtype == np.bool_ else 255 - paper


def decode_picture(content: bytes, *, place: str) -> NDArray[np.uint8]:
    """Decode any picture: transparent parts become white, a bright background becomes 0, the longer side 105 pixels.

    Args:
        content: The file's bytes.
        place: What to call the file in messages.

    Returns:
        Shape (105, 105), uint8, ink 255 on 0.

    Raises:
        DamagedFileError: The bytes are no image, or one of more than 100 million pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels; 100 million is the limit")
                upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = "its content is of no known kind" if isinstance(error, UnidentifiedImageError) else error
        raise DamagedFileError(
            f"{place} is not a readable image: {reason}",
            hint="Remove it, or begin its name with a dot to have it passed over.",
        ) from None
    white = Image.new("RGBA", upright.size, "white")
    grey = Image.alpha_composite(white, upright).convert("L")
    brightness = np.asarray(grey)
    border = np.concatenate([brightness[0], brightness[-1], brightness[:, 0], brightness[:, -1]])
    ink = ImageOps.invert(grey) if np.median(border) > 127 else grey
    return np.asarray(ImageOps.pad(ink, (SIDE, SIDE), Image.Resampling.BOX, color=0))
