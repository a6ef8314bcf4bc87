"""From an image file's bytes to ink on a blank square."""

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from omnishot.errors import DamagedFileError, brief

SIDE = 105
"""Side of every image omnishot stores, pixels: that of Omniglot."""

MAX_PIXELS = 100_000_000
"""Larger images are refused before they are decoded."""


_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM")
# Others are refused: Pillow would hand an EPS to Ghostscript, for example.

_LARGE_PIXELS = 4_000_000
_BAND_PIXELS = 1 << 20
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112


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
    with _opened(content, place, ("PNG",), hint="Fetch its archive again.") as image:
        if image.size != (SIDE, SIDE):
            raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels, expected {SIDE}x{SIDE}")
        paper = np.asarray(image if image.mode == "1" else image.convert("L"))
    return np.where(paper, np.uint8(0), np.uint8(255)) if paper.dtype == np.bool_ else 255 - paper


def decode_picture(content: bytes, *, place: str) -> NDArray[np.uint8]:
    """Decode any picture: transparent parts become white, a bright background becomes 0, the longer side 105 pixels.

    Of an animation the first picture counts. Brightness of 16 bits is brought to 8; what has no fixed range, as 32-bit
    integers and floating point numbers, runs from the darkest to the brightest there is.

    Args:
        content: The file's bytes.
        place: What to call the file in messages.

    Returns:
        Shape (105, 105), uint8, ink 255 on 0.

    Raises:
        DamagedFileError: The bytes are no picture, or one of more than 100 million pixels or 1:210.
    """
    grey = _grey(content, place)
    border = [np.asarray(grey.crop(box)).reshape(-1) for box in _edges(*grey.size)]
    ink = ImageOps.invert(grey) if np.median(np.concatenate(border)) > 127 else grey
    return np.asarray(ImageOps.pad(ink, (SIDE, SIDE), Image.Resampling.BOX, color=0))


def _grey(content: bytes, place: str) -> Image.Image:
    """Return the upright brightness; what was decoded for it is gone from memory by then."""
    hint = "Remove it, or begin its name with a dot to have it passed over."
    with _opened(content, place, _FORMATS, hint=hint) as image:
        shorter, longer = sorted(image.size)
        if shorter * longer > MAX_PIXELS or shorter * 2 * SIDE <= longer:
            limit = f"100 million is the limit, and 1:{2 * SIDE} for the sides"
            raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels; {limit}")
        if shorter * longer > _LARGE_PIXELS:
            image.draft(None, (8 * SIDE, 8 * SIDE))  # A JPEG can be decoded at a fraction of its size.
        image.load()
        return _upright(_brightness(image), image)


@contextlib.contextmanager
def _opened(content: bytes, place: str, formats: tuple[str, ...], *, hint: str) -> Iterator[Image.Image]:
    """Open a picture, and say which one it is when reading it fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit on sizes, and metadata that it cannot read.
            with Image.open(io.BytesIO(content), formats=formats) as image:
                yield image
    except DamagedFileError:
        raise
    except Exception as error:  # Pillow raises whatever its parsing of a damaged file runs into.
        reason = "its content is of no known kind" if isinstance(error, UnidentifiedImageError) else brief(error)
        raise DamagedFileError(f"{place} is not a readable image: {reason}", hint=hint) from None


def _brightness(image: Image.Image) -> Image.Image:
    """Return brightness on white paper, in bands of rows so that no large copy in colour is made."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_8_bits(image))
    grey = Image.new("L", image.size)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height))).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        grey.paste(Image.alpha_composite(white, band).convert("L"), (0, top))
    return grey


def _to_8_bits(image: Image.Image) -> NDArray[np.uint8]:
    values = np.asarray(image)
    low, high = (0.0, 65535.0) if values.dtype.itemsize == 2 else (float(values.min()), float(values.max()))
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds values that are not finite")
    if image.mode == "I" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0  # 16 bits that Pillow read into 32.
    grey = np.empty(values.shape, dtype=np.uint8)
    for row, line in enumerate(values):
        grey[row] = np.rint((line.astype(np.float64) - low) * (255 / ((high - low) or 1)))
    if isinstance(paper := image.info.get("transparency"), int):
        grey[values == paper] = 255
    return grey


def _upright(grey: Image.Image, image: Image.Image) -> Image.Image:
    """Turn a picture as its camera says it was held; what says nothing readable is upright."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # The parsing of damaged metadata raises anything.
        return grey
    return grey.transpose(turn) if turn is not None else grey


def _edges(width: int, height: int) -> tuple[tuple[int, int, int, int], ...]:
    return (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
