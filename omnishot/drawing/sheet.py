"""A sheet measured in inches from its upper left corner, with drawings in frames and words between them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from omnishot.drawing.picture import INK, LINE, Colour, photograph, tint
from omnishot.errors import brief

WIDTH = 5.0
"""Of every sheet, inches."""

_MOST_PIXELS = 64


def sheet(figure: Figure) -> Axes:
    """Return axes that fill a figure, in inches, with y pointing down."""
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return axes


def words(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    colour: Colour = INK,
    size: float = 7.5,
    bold: bool = False,
    align: str = "center",
) -> None:
    """Write one line, with its upper edge at y inches.

    It begins, ends or has its middle at x inches, as `align` (left, right or center) says; its size is in points. Names
    from artifacts may be in it: it is no mathematics, and what is not printable is left out.
    """
    if not text:
        return
    axes.text(
        x, y, brief(text), color=colour.drawn, fontsize=size, fontweight="bold" if bold else "normal",
        horizontalalignment=align, verticalalignment="top", parse_math=False,
    )  # fmt: skip


def tile(
    axes: Axes,
    pixels: NDArray[np.uint8],
    x: float,
    y: float,
    side: float,
    *,
    colour: Colour = LINE,
    line: str = "-",
    thickness: float = 0.8,
) -> None:
    """Draw an image in a square frame; see `frame`.

    It is a drawing, shape (h, h), uint8, ink 255 on 0, or a photograph, (h, h, 1 or 3).
    """
    extent = (x, x + side, y + side, y)
    if pixels.ndim == 3:
        photograph(axes, shrunk(pixels), extent)
    else:
        tint(axes, reduced(pixels), INK, extent, smooth=True)
    frame(axes, x, y, side, side, colour=colour, line=line, thickness=thickness)


def frame(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    colour: Colour = LINE,
    line: str = "-",
    thickness: float = 0.8,
) -> None:
    """Draw a frame with its upper left corner at x and y, in inches as its sides are; its thickness is in points."""
    axes.add_patch(
        Rectangle(
            (x, y), width, height, fill=False, edgecolor=colour.drawn, linestyle=line, linewidth=thickness,
            joinstyle="miter", clip_on=False,
        )
    )  # fmt: skip


def reduced(pixels: NDArray[np.uint8], most: int = _MOST_PIXELS) -> NDArray[np.float64]:
    """Return how much ink each block of pixels holds, in [0, 1]; a side has `most` blocks at most.

    Pixels have the shape (h, h), uint8, ink 255 on 0.
    """
    block = -(-len(pixels) // most)
    side = -(-len(pixels) // block)
    before = (side * block - len(pixels)) // 2
    after = side * block - len(pixels) - before
    padded = np.pad(pixels, ((before, after), (before, after)))
    means: NDArray[np.float64] = padded.reshape(side, block, side, block).mean(axis=(1, 3)) / 255
    return means


def shrunk(photo: NDArray[np.uint8], most: int = _MOST_PIXELS) -> NDArray[np.uint8]:
    """Return a photograph of shape (h, h, 1 or 3) in colour, with `most` pixels a side at most."""
    image = Image.fromarray(np.broadcast_to(photo, (*photo.shape[:2], 3)))
    image.thumbnail((most, most), Image.Resampling.BOX)
    return np.asarray(image)


def decimal(number: float, digits: int = 2, *, signed: bool = False) -> str:
    """Return a number as it is set in print, with a real minus sign."""
    return f"{number:{'+' if signed else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def mosaic(cells: NDArray[np.floating], columns: int, gap: int) -> NDArray[np.float64]:
    """Lay images, shape (n, height, width), side by side in one, so that a picture holds one instead of hundreds.

    There are `columns` in a row, and between them `gap` pixels, which are 0.
    """
    n, height, width = cells.shape
    rows = -(-n // columns)
    laid = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap))
    for number, cell in enumerate(cells):
        y, x = number // columns * (height + gap), number % columns * (width + gap)
        laid[y : y + height, x : x + width] = cell
    return laid
