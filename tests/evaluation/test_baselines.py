"""Baselines against naive loops, and against the known answers on Lake's runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import draw_within, trials_of_runs
from omnishot.data.image_set import ImageSet
from omnishot.evaluation.baselines import score_baseline
from omnishot.evaluation.hausdorff import modified_hausdorff, prepare_drawing
from omnishot.evaluation.oneshot import correct_trials
from omnishot.vocabulary import Baseline


def naive_hausdorff(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    a, b = (np.argwhere(image > 0) - np.argwhere(image > 0).mean(axis=0) for image in (left, right))
    nearest_to_b = [min(np.hypot(*(p - q)) for q in b) for p in a]
    nearest_to_a = [min(np.hypot(*(p - q)) for p in a) for q in b]
    return float(max(np.mean(nearest_to_b), np.mean(nearest_to_a)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), counts=st.tuples(st.integers(1, 25), st.integers(1, 25)))
def test_hausdorff_is_exact_for_any_two_drawings(seed: int, counts: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    drawings = np.zeros((2, 21, 21), dtype=np.uint8)
    for drawing, count in zip(drawings, counts, strict=True):
        drawing[tuple(rng.integers(0, 21, size=(2, count)))] = 255
    fast = modified_hausdorff(*map(prepare_drawing, drawings))
    assert fast == pytest.approx(naive_hausdorff(*drawings), abs=1e-4)


def test_a_blank_drawing_has_a_distance_too() -> None:
    blank, dot = np.zeros((2, 21, 21), dtype=np.uint8)
    dot[3, 4] = 255
    assert modified_hausdorff(prepare_drawing(blank), prepare_drawing(dot)) == 0


@pytest.mark.parametrize("k_shot", [1, 2])
def test_nearest_neighbour_is_pixel_distance_to_the_nearest_support_image(images: ImageSet, k_shot: int) -> None:
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    trials = draw_within(index, 5, 3, k_shot, rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)
    scores = score_baseline("nearest-neighbour", images.pixels, trials, rng=rng)
    for t in range(5):
        query = images.pixels[trials.query[t]].astype(float)
        for way in range(3):
            support = images.pixels[trials.support[t, way]].astype(float)
            assert scores[t, way] == pytest.approx(-((support - query) ** 2).sum(axis=(1, 2)).min() / 255**2)


@pytest.mark.parametrize(("name", "errors"), [("hausdorff", 155), ("nearest-neighbour", 324)])
@pytest.mark.slow
def test_errors_on_lakes_400_trials_are_the_known_ones(omniglot: ImageSet, name: Baseline, errors: int) -> None:
    assert omniglot.runs is not None
    trials = trials_of_runs(omniglot.runs, 20, rng=np.random.default_rng(0))
    scores = score_baseline(name, omniglot.pixels, trials, rng=np.random.default_rng(0))
    assert 400 - correct_trials(scores, 20).sum() == errors


def test_chance_is_one_in_n(images: ImageSet) -> None:
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    trials = draw_within(index, 20_000, 5, 1, rng=np.random.default_rng(0))
    scores = score_baseline("random", images.pixels, trials, rng=np.random.default_rng(1))
    assert correct_trials(scores, 5).mean() == pytest.approx(0.2, abs=0.01)
