"""Drawings made to look like Omniglot's: cropped to their ink, centred, contrast stretched, strokes of one width."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omnishot.data.thinning import thinned

SIDE = 105
"""Side of the result, pixels."""

_LARGEST = 4 * SIDE


@dataclass(frozen=True, slots=True)
class Look:
    """What drawings are made to look like; the defaults were chosen on Omniglot's validation alphabets.

    Attributes:
        extent: Between what the longer side of the ink may stay, pixels; else it is scaled to the nearer end.
        width: Between what the strokes' width may stay, pixels; else they are drawn anew along their middle.
        pen: Width of strokes that are drawn anew, pixels, odd.
    """

    extent: tuple[int, int] = (60, 94)
    width: tuple[float, float] = (4.0, 7.0)
    pen: int = 5


OMNIGLOT = Look()


def normalised(drawing: NDArray[np.uint8], look: Look = OMNIGLOT) -> NDArray[np.uint8]:
    """Return a drawing of any size as Omniglot's look, shape (105, 105), ink 255 on 0; one without ink is all 0.

    So is one whose ink is too sparse to be seen at this size.

    Args:
        drawing: Shape (h, w), ink bright on dark.
        look: What it is made to look like.
    """
    reduced = _reduced(drawing)
    threshold = _otsu(reduced)
    is_ink = reduced > threshold
    if not is_ink.any() or is_ink.all():
        return np.zeros((SIDE, SIDE), dtype=np.uint8)
    scaled = _scaled(reduced, is_ink, look)
    if not scaled.any():
        return np.zeros((SIDE, SIDE), dtype=np.uint8)
    strokes = _centred(scaled)
    lines = thinned(strokes)
    narrowest, widest = look.width
    if not narrowest <= strokes.sum() / lines.sum() <= widest:
        strokes = _drawn(_centred(lines), look.pen)
    return strokes.astype(np.uint8) * np.uint8(255)


def _reduced(drawing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = min(drawing.shape) // _LARGEST
    return np.asarray(Image.fromarray(drawing).reduce(factor)) if factor > 1 else drawing


def _otsu(values: NDArray[np.uint8]) -> int:
    """Return the brightness that parts ground from ink so that both vary least.

    Source: Otsu 1979.
    """
    counts = np.bincount(values.reshape(-1), minlength=256).astype(np.float64)
    n_below, sum_below = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    n, total = n_below[-1], sum_below[-1]
    parts = np.maximum(n_below * (n - n_below), 1)
    return int(np.argmax((total * n_below / n - sum_below) ** 2 / parts))


def _scaled(values: NDArray[np.uint8], is_ink: NDArray[np.bool_], look: Look) -> NDArray[np.bool_]:
    """Return the strokes, scaled as the look says; none where averaging has left no ink."""
    box = _box_of(is_ink)
    ink, ground = np.median(values[is_ink]), np.median(values[~is_ink])
    grey = np.clip((values[box].astype(np.float32) - ground) * (255 / (ink - ground)), 0, 255).astype(np.uint8)
    shortest, longest = look.extent
    length = max(grey.shape)
    wanted = min(max(length * SIDE / max(values.shape), shortest), longest)
    height, width = (max(1, round(side * wanted / length)) for side in grey.shape)
    resampling = Image.Resampling.BOX if wanted < length else Image.Resampling.BICUBIC
    scaled = np.asarray(Image.fromarray(grey).resize((width, height), resampling))
    return scaled > _otsu(scaled)


def _box_of(is_ink: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _centred(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return strokes in the middle of a square of 105 x 105."""
    box = strokes[_box_of(strokes)]
    height, width = box.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    placed = np.zeros((SIDE, SIDE), dtype=np.bool_)
    placed[top : top + height, left : left + width] = box
    return placed


def _drawn(lines: NDArray[np.bool_], pen: int) -> NDArray[np.bool_]:
    """Return lines drawn with a square pen."""
    reach = pen // 2
    height, width = lines.shape
    framed = np.pad(lines, reach)
    tall = np.logical_or.reduce([framed[start : start + height] for start in range(pen)])
    drawn: NDArray[np.bool_] = np.logical_or.reduce([tall[:, start : start + width] for start in range(pen)])
    return drawn
