"""What training relies on: invented glyphs are reproducible, legible, varied and still recognisable."""

import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.data.glyphs import Glyphs, draw_glyphs

N_ALPHABETS, N_CHARACTERS, N_DRAWERS = 3, 8, 6


@pytest.fixture(scope="module")
def glyphs() -> Glyphs:
    return draw_glyphs(seed=7, n_alphabets=N_ALPHABETS, n_characters=N_CHARACTERS, n_drawers=N_DRAWERS)


def pooled(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return 3 x 3 means, one row an image, so that a stroke beside another still overlaps it."""
    n, side, _ = pixels.shape
    return np.asarray(pixels.reshape(n, side // 3, 3, side // 3, 3).mean(axis=(2, 4)).reshape(n, -1) / 255)


def test_rows_run_over_alphabets_then_characters_then_drawers(glyphs: Glyphs) -> None:
    n = N_ALPHABETS * N_CHARACTERS * N_DRAWERS
    rows = [
        (alphabet, alphabet * N_CHARACTERS + character, drawer)
        for alphabet in range(N_ALPHABETS)
        for character in range(N_CHARACTERS)
        for drawer in range(N_DRAWERS)
    ]
    assert list(zip(glyphs.alphabet, glyphs.character, glyphs.drawer, strict=True)) == rows
    assert glyphs.pixels.shape == (n, 105, 105)
    dtypes = [array.dtype for array in (glyphs.pixels, glyphs.alphabet, glyphs.character, glyphs.drawer)]
    assert dtypes == [np.uint8, np.int16, np.int32, np.int16]


def test_a_pixel_is_ink_or_paper(glyphs: Glyphs) -> None:
    assert set(np.unique(glyphs.pixels)) == {0, 255}


def test_no_image_is_nearly_blank_or_mostly_ink(glyphs: Glyphs) -> None:
    ink = (glyphs.pixels > 0).mean(axis=(1, 2))
    # Of Omniglot's images, 98 % have between 0.7 % and 15 % ink.
    assert ink.min() > 0.01
    assert ink.max() < 0.4


def test_equal_seeds_give_equal_pixels_and_other_seeds_others(glyphs: Glyphs) -> None:
    again, other = (
        draw_glyphs(seed=seed, n_alphabets=1, n_characters=N_CHARACTERS, n_drawers=N_DRAWERS).pixels for seed in (7, 8)
    )
    first = glyphs.pixels[glyphs.alphabet == 0]
    assert np.array_equal(again, first)
    assert not (other == first).all(axis=(1, 2)).any()


def test_an_alphabet_does_not_depend_on_how_many_follow_it(glyphs: Glyphs) -> None:
    fewer = draw_glyphs(seed=7, n_alphabets=2, n_characters=N_CHARACTERS, n_drawers=N_DRAWERS)
    assert np.array_equal(fewer.pixels, glyphs.pixels[glyphs.alphabet < 2])


def test_no_two_drawings_are_the_same_image(glyphs: Glyphs) -> None:
    assert len(np.unique(glyphs.pixels.reshape(len(glyphs.pixels), -1), axis=0)) == len(glyphs.pixels)


def test_an_alphabet_finds_enough_characters_even_if_many_are_asked_for() -> None:
    assert len(draw_glyphs(seed=0, n_alphabets=1, n_characters=40, n_drawers=1).pixels) == 40


@pytest.mark.parametrize("side", [28, 35, 64])
def test_a_smaller_page_shows_the_same_character(glyphs: Glyphs, side: int) -> None:
    small = draw_glyphs(seed=7, n_alphabets=1, n_characters=N_CHARACTERS, n_drawers=N_DRAWERS, side=side).pixels
    large = glyphs.pixels[glyphs.alphabet == 0]
    for image, model in zip(small, large, strict=True):
        centre, expected = (np.argwhere(page).mean(axis=0) / len(page) for page in (image, model))
        assert np.abs(centre - expected).max() < 0.05


def test_the_nearest_drawing_of_another_drawer_shows_the_same_character_more_often_than_chance(glyphs: Glyphs) -> None:
    images = pooled(glyphs.pixels)
    hits = []
    for row in range(len(images)):
        others = np.flatnonzero((glyphs.alphabet == glyphs.alphabet[row]) & (glyphs.drawer != glyphs.drawer[row]))
        nearest = others[np.square(images[others] - images[row]).sum(axis=1).argmin()]
        hits.append(glyphs.character[nearest] == glyphs.character[row])
    # Chance is 1 in 8; were each character drawn too regularly, pixels alone would name nearly all.
    assert 3 / N_CHARACTERS < np.mean(hits) < 0.98
