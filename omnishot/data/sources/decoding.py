"""From an image file's bytes to ink on a blank square."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from omnishot.data.sources.ink import WHITE, Reading, Shades, bits_of, decide, shades_of, white_of
from omnishot.data.sources.no_picture import no_picture
from omnishot.errors import DamagedFileError, InputError, brief
from omnishot.vocabulary import InkName

SIDE = 105
"""Side of every image omnishot stores, pixels: that of Omniglot."""

MAX_PIXELS = 100_000_000
"""Larger images are refused before they are decoded."""


Content = bytes | Image.Image
"""A picture's file, or the picture that somebody has read from one."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM")
# Others are refused: Pillow would hand an EPS to Ghostscript, for example.

_SMALLER = "Save it smaller, or cut it."
_NEARLY_WHITE = 192
_VISIBLE = 32
_BLANK = 8
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
    with opened(content, place, ("PNG",)) as image:
        if image.size != (SIDE, SIDE):
            raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels, expected {SIDE}x{SIDE}")
        paper = np.asarray(image if image.mode == "1" else image.convert("L"))
    return np.where(paper, np.uint8(0), np.uint8(255)) if paper.dtype == np.bool_ else 255 - paper


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was read.

    Attributes:
        pixels: Shape (105, 105), uint8, ink 255 on 0.
        is_dark: Whether the dark of the file is the ink.
        is_blank: Whether no ink is to be seen.
    """

    pixels: NDArray[np.uint8]
    is_dark: bool
    is_blank: bool


def decode_picture(content: bytes, *, place: str, reading: Reading | None = None) -> NDArray[np.uint8]:
    """Decode any picture, as `read_picture` does.

    Args:
        content: The file's bytes.
        place: What to call the file in messages.
        reading: What is ink; by default this picture alone decides.

    Returns:
        Shape (105, 105), uint8, ink 255 on 0.

    Raises:
        DamagedFileError: As `read_picture` does.
    """
    return read_picture(content, place=place, reading=reading or judge([lambda: content])).pixels


def read_picture(content: Content, *, place: str, reading: Reading) -> Picture:
    """Decode any picture: the ground becomes 0, the ink bright, the longer side 105 pixels.

    Transparent parts become white, or black where all that is visible is nearly white. Of an animation the first
    picture counts. Brightness of 16 bits is brought to 8; what has no fixed range, as 32-bit integers and floating
    point numbers, runs from the darkest to the brightest there is.

    Args:
        content: The file's bytes, or the picture itself.
        place: What to call the file in messages.
        reading: What is ink.

    Raises:
        DamagedFileError: The bytes are no picture, or one of more than 100 million pixels or 1:210.
    """
    drawn, is_dark = read_ink(content, place=place, reading=reading)
    fitted = ImageOps.contain(drawn, (SIDE, SIDE), Image.Resampling.BOX)
    ink = ImageOps.pad(fitted, (SIDE, SIDE), Image.Resampling.BOX, color=0)
    return Picture(np.asarray(ink), is_dark, is_blank=is_blank(fitted))


def read_ink(content: Content, *, place: str, reading: Reading) -> tuple[Image.Image, bool]:
    """Decode any picture in its own size, as `read_picture` does.

    Returns:
        Ink bright on dark, mode L, and whether it is the dark of the file.

    Raises:
        DamagedFileError: As `read_picture` does.
    """
    grey, shades = _grey(content, place, reading)
    if reading.levels != (0, 255):
        grey = grey.point(reading.table)
    is_dark = reading.is_dark(shades)
    return ImageOps.invert(grey) if is_dark else grey, is_dark


def is_blank(picture: Image.Image) -> bool:
    """Tell whether no ink is to be seen in a picture of mode L."""
    present = np.flatnonzero(picture.histogram())
    return bool(present[-1] - present[0] <= _BLANK)


def judge(pictures: Sequence[Callable[[], Content]], asked: InkName = "auto") -> Reading:
    """Decide what is ink in a source.

    Args:
        pictures: Return its pictures, or a sample of them; those that cannot be read have no say.
        asked: What the user says is ink, or `auto`.
    """
    looks = _looks(pictures, Reading(asked, is_asked=asked != "auto"))
    if (white := white_of(looks)) != WHITE:
        looks = _looks(pictures, Reading(asked, is_asked=asked != "auto", white=white))
    return decide(looks, asked, white=white)


def _looks(pictures: Sequence[Callable[[], Content]], reading: Reading) -> list[Shades]:
    looks = []
    for read in pictures:
        with contextlib.suppress(InputError):
            looks.append(_grey(read(), "", reading)[1])
    return looks


def _grey(content: Content, place: str, reading: Reading) -> tuple[Image.Image, Shades]:
    """Return the upright brightness and its measures; what was decoded for it is gone from memory by then."""
    with opened(content, place, FORMATS) as image:
        load(image, place)
        if image.mode.startswith("I") or image.mode == "F":
            grey, peak, is_on_black = to_8_bits(image, reading.white)
        else:
            is_on_black = reading.ink == "light" if reading.is_asked else is_drawn_in_white(image)
            grey, peak = on_ground(image, "black" if is_on_black else "white", "L"), 0
        grey = upright(grey, image)
    return grey, shades_of(grey, peak=peak, is_on_black=is_on_black)


def load(image: Image.Image, place: str) -> None:
    """Decode a picture that was opened, a large one with as few pixels as are of use.

    Raises:
        DamagedFileError: It is too large, or too long for its width.
    """
    shorter, longer = sorted(image.size)
    if shorter * longer > MAX_PIXELS or shorter * 2 * SIDE <= longer:
        limit = f"100 million is the limit, and 1:{2 * SIDE} for the sides"
        raise DamagedFileError(f"{place} has {image.width}x{image.height} pixels; {limit}", hint=_SMALLER)
    if shorter * longer > _LARGE_PIXELS:
        image.draft(None, (8 * SIDE, 8 * SIDE))  # A JPEG can be decoded at a fraction of its size.
    image.load()


@contextlib.contextmanager
def opened(content: Content, place: str, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open a picture, or copy one that is open, and say which one it is when reading it fails."""
    try:
        if isinstance(content, Image.Image):
            yield content.copy()  # What is done to read it is not done to the caller's.
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit on sizes, and metadata that it cannot read.
            with Image.open(io.BytesIO(content), formats=formats) as image:
                yield image
    except DamagedFileError:
        raise
    except Exception as error:  # Pillow raises whatever its parsing of a damaged file runs into.
        if isinstance(content, Image.Image):
            raise DamagedFileError(f"{place} cannot be read: {brief(error)}") from None
        raise no_picture(content, place, error) from None


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield bands of rows as RGBA, with their first row, so that no large copy in colour is made."""
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height))).convert("RGBA")


def on_ground(image: Image.Image, ground: str, mode: str) -> Image.Image:
    """Return a picture in grey (`L`) or colour (`RGB`), with its transparent parts on a ground of one colour."""
    shown = Image.new(mode, image.size)
    for top, band in _bands(image):
        shown.paste(Image.alpha_composite(Image.new("RGBA", band.size, ground), band).convert(mode), (0, top))
    return shown


def is_drawn_in_white(image: Image.Image) -> bool:
    """Tell whether all that is visible is nearly white and has a transparent ground, so that on white it is blank."""
    if not image.has_transparency_data:
        return False
    lowest, highest, n_clear, n_visible = 255, 0, 0, 0
    for _, band in _bands(image):
        visible = np.asarray(band.getchannel("A")) >= _VISIBLE
        shown = np.asarray(band.convert("RGB").convert("L"))[visible]
        n_visible, n_clear = n_visible + shown.size, n_clear + visible.size - shown.size
        lowest, highest = min(lowest, int(shown.min(initial=255))), max(highest, int(shown.max(initial=0)))
        if lowest < _NEARLY_WHITE:
            return False
    is_uniform = highest - lowest <= _BLANK  # Then colour says nothing, whatever the ground.
    return bool(n_clear and n_visible) and (is_uniform or n_clear > n_visible)


def to_8_bits(image: Image.Image, white: int) -> tuple[Image.Image, int, bool]:
    """Return the brightness of more than 8 bits, its largest value where it has 16, and whether it is on black."""
    values = np.asarray(image)
    low, high = (float(values.min()), float(values.max()))
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds values that are not finite")
    peak = 0
    if values.dtype.itemsize == 2 or (image.mode == "I" and low >= 0 and high <= WHITE):  # Pillow reads 16 bits as 32.
        peak = int(high)
        low, high = 0.0, float(max(white, bits_of(peak)))  # More bits than the sample had are not cut off.
    grey = np.empty(values.shape, dtype=np.uint8)
    for row, line in enumerate(values):
        scaled = (line.astype(np.float64) - low) * (255 / ((high - low) or 1))
        grey[row] = np.rint(np.minimum(scaled, 255))
    is_on_black = False
    if isinstance(paper := image.info.get("transparency"), int):
        clear = values == paper
        is_on_black = bool(grey[~clear].min(initial=255) >= _NEARLY_WHITE and clear.any() and not clear.all())
        grey[clear] = 0 if is_on_black else 255
    return Image.fromarray(grey), peak, is_on_black


def upright(grey: Image.Image, image: Image.Image) -> Image.Image:
    """Turn what was made of a picture as its camera says that was held; what says nothing readable is upright."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # The parsing of damaged metadata raises anything.
        return grey
    return grey.transpose(turn) if turn is not None else grey
