"""Small pictures made of characters: curves in one line, marks on a scale, images of half blocks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ink:
    """The characters to draw with.

    Attributes:
        heights: From low to high.
        halves: Neither half of a cell, the upper one, the lower one, both.
        marks: One for each series on a scale.
        scale: Where no mark is.
        more: In place of what does not fit.
    """

    heights: str
    halves: str
    marks: str
    scale: str
    more: str


BLOCKS = Ink(heights="▁▂▃▄▅▆▇█", halves=" ▀▄█", marks="●○+◆◇▲△■□", scale="·", more="…")
ASCII = Ink(heights="_.-~=*#@", halves=" '.#", marks="*o+ABCDEF", scale=".", more="~")
"""For terminals whose encoding has nothing else."""


def ink_for(encoding: str | None) -> Ink:
    """Return the blocks where an encoding has all of them, else plain characters."""
    try:
        "".join((BLOCKS.heights, BLOCKS.halves, BLOCKS.marks, BLOCKS.scale, BLOCKS.more)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def sparkline(values: Sequence[float], width: int, ink: Ink = BLOCKS) -> str:
    """Return finite values as a curve in one line, from the lowest to the highest, `width` characters at most.

    Of more values than that, each character stands for the mean of a few.
    """
    n = min(len(values), max(width, 1))
    edges = [round(i * len(values) / n) for i in range(n + 1)] if n else []
    means = [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means, default=0.0), max(means, default=0.0)
    steps = len(ink.heights) - 1
    return "".join(ink.heights[round(steps * (mean - low) / (high - low)) if high > low else 0] for mean in means)


def on_scale(shares: Sequence[float | None], width: int, ink: Ink = BLOCKS) -> str:
    """Return a line on which each series has its mark at its share of the width; the first lies above the others.

    Shares are in [0, 1], or None where a series has no value; the width is 2 or more. Marks are given out in order,
    again from the first where they are too few.
    """
    line = [ink.scale] * width
    for number, share in reversed(list(enumerate(shares))):
        if share is not None:
            line[round(share * (width - 1))] = ink.marks[number % len(ink.marks)]
    return "".join(line)


def half_blocks(image: "NDArray[np.uint8]", side: int, ink: Ink = BLOCKS) -> list[str]:
    """Return an image as lines of characters, two pixels above each other in one.

    The image, shape (height, width), ink 255 on 0, is shrunk to `side` pixels across and down. Of a photograph, shape
    (height, width, channels), what is darker than its middle shade is drawn.
    """
    import numpy as np  # Deferred: the first two functions do without, and tables should be fast.
    from PIL import Image

    shades = image.mean(axis=2).astype(np.uint8) if image.ndim == 3 else image
    small = np.asarray(Image.fromarray(shades).resize((side, side), Image.Resampling.BOX), dtype=np.float32)
    # A stroke is thinner than a pixel of the small image, and must not vanish from it.
    dark: Any = small < np.median(small) if image.ndim == 3 else small > max(0.35 * float(small.max()), 1.0)
    rows = np.zeros((side + side % 2, side), dtype=np.int64)
    rows[:side] = dark
    codes = rows[0::2] + 2 * rows[1::2]
    return ["".join(ink.halves[code] for code in line) for line in codes.tolist()]


def fitted(text: str, width: int, ink: Ink = BLOCKS) -> str:
    """Return a line filled up to a width, or without its middle where it is longer: names differ at their ends.

    The width is in columns of a terminal, of which some letters take two.
    """
    from rich.cells import cell_len, set_cell_size  # Deferred: rich takes a tenth of a second.

    if cell_len(text) > width:
        tail = text
        while cell_len(tail) > (width - 1) * 2 // 3:
            tail = tail[1:]
        text = set_cell_size(text, width - 1 - cell_len(tail)) + ink.more + tail
    return set_cell_size(text, width)
