"""Drawings of any size, place, shade and pen look alike once they are normalised."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omnishot.data.drawings import OMNIGLOT, SIDE, normalised

CORNERS = [(20, 25), (70, 20), (45, 60), (80, 85), (25, 80)]


def drawn(
    side: int = 105,
    *,
    pen: int = 5,
    shift: tuple[int, int] = (0, 0),
    scale: float = 1.0,
    ink: int = 255,
    ground: int = 0,
) -> NDArray[np.uint8]:
    image = Image.new("L", (side, side), ground)
    corners = [(x * scale + shift[0], y * scale + shift[1]) for x, y in CORNERS]
    ImageDraw.Draw(image).line(corners, fill=ink, width=pen, joint="curve")
    return np.asarray(image)


def overlap(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    both, either = (left > 0) & (right > 0), (left > 0) | (right > 0)
    return float(both.sum() / either.sum())


def thickness(pixels: NDArray[np.uint8]) -> float:
    """Return the most frequent length of a run of ink along a row or a column."""
    runs: list[int] = []
    for line in [*pixels, *pixels.T]:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line > 0, [0]]).astype(int)))
        runs += list(edges[1::2] - edges[::2])
    return float(np.bincount(runs).argmax())


def test_the_result_is_centred_and_of_two_shades() -> None:
    pixels = normalised(drawn(shift=(-15, 14)))
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    assert pixels.shape == (SIDE, SIDE)
    assert set(np.unique(pixels)) == {0, 255}
    for places in (rows, columns):
        assert abs(places[0] - (SIDE - 1 - places[-1])) <= 1


@given(x=st.integers(-15, 15), y=st.integers(-15, 14), ink=st.integers(120, 255), ground=st.integers(0, 80))
def test_place_and_shade_make_no_difference(x: int, y: int, ink: int, ground: int) -> None:
    assert (normalised(drawn(shift=(x, y), ink=ink, ground=ground)) == normalised(drawn())).all()


@pytest.mark.parametrize("pen", [1, 2, 3, 8, 11, 14])
def test_strokes_get_one_width(pen: int) -> None:
    pixels = normalised(drawn(pen=pen))
    assert thickness(pixels) == pytest.approx(OMNIGLOT.pen, abs=1)
    assert overlap(pixels, normalised(drawn())) > 0.5


@pytest.mark.parametrize(
    ("side", "scale", "pen"), [(40, 0.38, 2), (420, 4.0, 20), (1000, 9.5, 20), (2500, 23, 120), (2500, 23, 10)]
)
def test_size_makes_little_difference(side: int, scale: float, pen: int) -> None:
    assert overlap(normalised(drawn(side, scale=scale, pen=pen)), normalised(drawn())) > 0.5


@pytest.mark.parametrize("scale", [0.2, 0.3, 1.2])
def test_ink_that_is_very_small_or_large_is_scaled(scale: float) -> None:
    pixels = normalised(drawn(scale=scale, pen=2))
    longer = max(np.ptp(np.flatnonzero(pixels.any(axis=axis))) + 1 for axis in (0, 1))
    assert OMNIGLOT.extent[0] - 5 <= longer <= OMNIGLOT.extent[1] + 5


@pytest.mark.parametrize("shade", [0, 100, 255])
def test_a_blank_one_stays_blank(shade: int) -> None:
    assert not normalised(np.full((30, 50), shade, dtype=np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (2, 2), (300, 3)])
def test_every_shape_has_a_result(shape: tuple[int, int]) -> None:
    drawing = np.zeros(shape, dtype=np.uint8)
    drawing[0, 0] = 255
    assert normalised(drawing).shape == (SIDE, SIDE)


@pytest.mark.filterwarnings("error")
@given(
    shape=st.sampled_from([(60, 5000), (5000, 60), (1, 9000), (9000, 3), (430, 9000)]),
    dots=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4),
)
@example(shape=(60, 5000), dots=[(0.0, 0.0), (1.0, 1.0)])
@settings(max_examples=15, deadline=None)
def test_long_sparse_drawings_have_a_result(shape: tuple[int, int], dots: list[tuple[float, float]]) -> None:
    drawing = np.zeros(shape, dtype=np.uint8)
    for down, right in dots:
        drawing[int(down * (shape[0] - 1)), int(right * (shape[1] - 1))] = 255
    assert normalised(drawing).shape == (SIDE, SIDE)


def test_a_long_drawing_too_sparse_to_be_seen_is_blank() -> None:
    drawing = np.zeros((60, 5000), dtype=np.uint8)
    drawing[0, 0] = drawing[-1, -1] = 255
    assert not normalised(drawing).any()


def test_dots_are_not_lost() -> None:
    drawing = drawn(pen=2).copy()
    drawing[90:92, 10:12] = 255
    pixels = normalised(drawing)
    assert pixels[:, :30][70:].any()


def test_what_is_normalised_stays() -> None:
    once = normalised(drawn(pen=12))
    assert overlap(normalised(once), once) > 0.95
