"""Strokes reduced to lines of one pixel along their middle.

Source: Zhang & Suen 1984, "A fast parallel algorithm for thinning digital patterns".
"""

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Rows and columns from a pixel to those around it, clockwise from the one above: P2 to P9 of the paper."""

_UPPER_LEFT, _LOWER_RIGHT = 0b00011100, 0b11000001
"""Neighbours of these two in a dot of two by two pixels, of which the paper's steps would leave nothing."""


def thinned(strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the middle lines of strokes, connected as these are; shapes are (h, w)."""
    framed = np.pad(strokes, 1).astype(np.uint8)
    lines = framed[1:-1, 1:-1]
    while True:
        n_before = int(lines.sum())
        for is_removed in _REMOVED:
            around = _neighbours(framed)
            goes = is_removed[around]
            goes[:-1, :-1] &= ~((around[:-1, :-1] == _UPPER_LEFT) & (around[1:, 1:] == _LOWER_RIGHT))
            lines[goes] = 0
        if lines.sum() == n_before:
            return lines.astype(np.bool_)


def _neighbours(framed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return which neighbours of each pixel inside the frame are set, one bit each."""
    height, width = framed.shape
    bits = np.zeros((height - 2, width - 2), dtype=np.uint8)
    for bit, (row, column) in enumerate(_NEIGHBOURS):
        bits |= framed[1 + row : height - 1 + row, 1 + column : width - 1 + column] << np.uint8(bit)
    return bits


def _removed_by(step: int) -> NDArray[np.bool_]:
    """Return by the neighbours, shape (256,), whether a step of the paper's two removes a pixel."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    n_set = bits.sum(axis=1)
    n_rises = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    up, right, down, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    if step == 1:
        is_edge = (up * right * down == 0) & (right * down * left == 0)
    else:
        is_edge = (up * right * left == 0) & (up * down * left == 0)
    removed: NDArray[np.bool_] = (n_set >= 2) & (n_set <= 6) & (n_rises == 1) & is_edge
    return removed


_REMOVED = _removed_by(1), _removed_by(2)
