"""Strokes reduced to their middle lines: one pixel wide, connected as before, and the same when thinned again."""

import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.data.thinning import thinned


def drawn(text: str) -> NDArray[np.bool_]:
    return np.array([[letter == "#" for letter in line] for line in text.split()])


_BESIDE = ((0, 1), (1, 0), (0, -1), (-1, 0))
_AROUND = (*_BESIDE, (1, 1), (1, -1), (-1, 1), (-1, -1))


def parts(mask: NDArray[np.bool_], neighbours: tuple[tuple[int, int], ...] = _AROUND) -> int:
    """Count connected parts, pixel by pixel; by default diagonal neighbours are connected too."""
    left, n_parts = {tuple(place) for place in np.argwhere(mask)}, 0
    while left:
        n_parts += 1
        front = [left.pop()]
        while front:
            row, column = front.pop()
            near = {(row + y, column + x) for y, x in neighbours} & left
            left -= near
            front += near
    return n_parts


def test_a_bar_becomes_the_line_in_its_middle() -> None:
    bar = np.zeros((9, 30), dtype=np.bool_)
    bar[2:7, 3:27] = True
    lines = thinned(bar)
    assert set(np.flatnonzero(lines.any(axis=1))) == {4}
    assert 18 <= lines.sum() <= 24


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_torn_joined_or_lost(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    strokes = np.kron(rng.random((8, 8)) < rng.random(), np.ones((size, size))).astype(np.bool_)
    lines = thinned(strokes)
    assert parts(lines) == parts(strokes)
    holes = ~np.pad(strokes, 1)
    holes_left = ~np.pad(lines, 1)
    assert parts(holes_left, _BESIDE) == parts(holes, _BESIDE)
    assert not (lines & ~strokes).any()
    assert (thinned(lines) == lines).all()


def test_a_thin_line_stays() -> None:
    line = drawn("..... .#... ..#.. ...#. .....")
    assert (thinned(line) == line).all()
