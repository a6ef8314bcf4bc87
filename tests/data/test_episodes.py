"""Trials keep the promises of their protocols."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, draw_between, draw_within, draw_within_by_class, trials_of_runs
from omnishot.data.image_set import ImageSet, Labels, Runs
from omnishot.errors import SamplingError

# Alphabet A: 4 classes x 4 drawers, with a gap; B: 5 classes of 3 to 5 images; C: 2 classes.
_NAMES = [("A", c, d) for c in range(4) for d in range(4) if (c, d) != (1, 2)]
_NAMES += [("B", c, d) for c in range(5) for d in range(3 + c % 3)]
_NAMES += [("C", c, d) for c in range(2) for d in range(4)]
LABELS = Labels.from_names([a for a, _, _ in _NAMES], [f"{a}/{c}" for a, c, _ in _NAMES], [d for _, _, d in _NAMES])
INDEX = ClassIndex.of(LABELS, np.arange(len(_NAMES), dtype=np.int32))


def assert_sound(trials: Trials, n_trials: int, n_way: int, k_shot: int) -> None:
    assert trials.support.shape == (n_trials, n_way, k_shot)
    classes = LABELS.character[trials.support]
    assert (classes == classes[:, :, :1]).all()
    assert (classes[:, 0, 0] == LABELS.character[trials.query]).all()
    for row in classes[:, :, 0]:
        assert len(set(row.tolist())) == n_way
    for query, support in zip(trials.query, trials.support.reshape(n_trials, -1), strict=True):
        assert query not in support
        assert len(set(support.tolist())) == n_way * k_shot


@given(n_trials=st.integers(1, 30), n_way=st.integers(1, 5), k_shot=st.integers(1, 2), seed=st.integers(0, 99))
def test_within_stays_in_one_alphabet_with_one_drawer_per_shot(
    n_trials: int, n_way: int, k_shot: int, seed: int
) -> None:
    trials = draw_within(INDEX, n_trials, n_way, k_shot, rng=np.random.default_rng(seed))
    assert_sound(trials, n_trials, n_way, k_shot)
    assert (LABELS.alphabet[trials.support] == LABELS.alphabet[trials.query][:, None, None]).all()
    drawers = LABELS.drawer[trials.support]
    assert (drawers == drawers[:, :1]).all()
    assert (drawers != LABELS.drawer[trials.query][:, None, None]).all()


@given(n_trials=st.integers(1, 30), n_way=st.integers(1, 11), k_shot=st.integers(1, 2), seed=st.integers(0, 99))
def test_between_draws_classes_of_all_alphabets(n_trials: int, n_way: int, k_shot: int, seed: int) -> None:
    assert_sound(draw_between(INDEX, n_trials, n_way, k_shot, rng=np.random.default_rng(seed)), n_trials, n_way, k_shot)


def test_within_leaves_out_alphabets_that_are_too_small_and_spreads_over_the_others() -> None:
    trials = draw_within(INDEX, 40, 4, 1, rng=np.random.default_rng(0))
    assert np.bincount(LABELS.alphabet[trials.query], minlength=3).tolist() == [20, 20, 0]


def test_the_wrong_classes_come_in_random_order() -> None:
    trials = draw_within(INDEX, 4000, 4, 1, rng=np.random.default_rng(0))
    of_a = LABELS.alphabet[trials.query] == 0
    second = LABELS.character[trials.support[of_a, 1, 0]]
    counts = np.bincount(second, minlength=4)[:4]
    assert abs(counts / counts.sum() - 0.25).max() < 0.05


@pytest.mark.parametrize(
    ("n_way", "k_shot", "words"), [(6, 1, "largest of 3 has 5"), (5, 5, "need 6 drawers"), (5, 4, "5 classes drawn by")]
)
def test_within_says_what_is_lacking(n_way: int, k_shot: int, words: str) -> None:
    with pytest.raises(SamplingError, match=words):
        draw_within(INDEX, 3, n_way, k_shot, rng=np.random.default_rng(0))


def test_between_says_what_is_lacking() -> None:
    with pytest.raises(SamplingError, match="need 12 classes of 2 images, but there are 11"):
        draw_between(INDEX, 3, 12, 1, rng=np.random.default_rng(0))


def test_runs_become_trials_with_the_right_class_first() -> None:
    runs = Runs(
        support=np.array([[10, 11, 12], [20, 21, 22]], dtype=np.int32),
        query=np.array([[1, 2], [3, 4]], dtype=np.int32),
        answer=np.array([[2, 0], [1, 1]], dtype=np.int32),
    )
    trials = trials_of_runs(runs, 3, rng=np.random.default_rng(0))
    assert trials.query.tolist() == [1, 2, 3, 4]
    assert trials.support[:, 0, 0].tolist() == [12, 10, 21, 21]
    assert [sorted(row) for row in trials.support[:, :, 0].tolist()] == [[10, 11, 12]] * 2 + [[20, 21, 22]] * 2
    assert trials.episode.tolist() == [0, 0, 1, 1]
    assert trials_of_runs(runs, 2, rng=np.random.default_rng(0)).support.shape == (4, 2, 1)
    with pytest.raises(SamplingError, match="40-way trials asked for, but Lake's runs have 3"):
        trials_of_runs(runs, 40, rng=np.random.default_rng(0))


@pytest.mark.slow
def test_the_real_runs_pair_every_query_with_its_own_character(omniglot: ImageSet) -> None:
    assert omniglot.runs is not None
    trials = trials_of_runs(omniglot.runs, 20, rng=np.random.default_rng(0))
    labels = omniglot.labels
    assert len(trials) == 400
    assert (labels.character[trials.support[:, 0, 0]] == labels.character[trials.query]).all()
    assert (labels.alphabet[trials.support] == labels.alphabet[trials.query][:, None, None]).all()


def uneven() -> ClassIndex:
    """Return one alphabet of 12 classes: two of 30 images, nine of two, one of a single image."""
    sizes = [30, 30, *[2] * 9, 1]
    names = [f"A/c{number:02}" for number, size in enumerate(sizes) for _ in range(size)]
    drawers = [place for size in sizes for place in range(size)]
    labels = Labels.from_names(["A"] * len(names), names, drawers)
    return ClassIndex.of(labels, np.arange(len(names), dtype=np.int32))


@given(n_way=st.integers(1, 12), seed=st.integers(0, 50))
def test_without_drawers_every_class_of_two_images_is_asked_for(n_way: int, seed: int) -> None:
    index = uneven()
    trials = draw_within_by_class(index, 300, n_way, 1, rng=np.random.default_rng(seed))
    class_of = np.repeat(np.arange(index.n_classes), index.class_sizes)
    place = np.argsort(index.images)
    query, support = class_of[place[trials.query]], class_of[place[trials.support[:, :, 0]]]
    assert (query == support[:, 0]).all()
    assert (trials.query[:, None] != trials.support[:, :, 0]).all()
    assert all(len(set(row)) == n_way for row in support.tolist())
    counts = np.bincount(query, minlength=12)
    assert counts[11] == 0  # Its only image can be support, and no query.
    assert counts[:11].min() > 5  # Uniform: neither the large classes nor the first pictures decide.


def test_without_drawers_too_few_classes_are_refused_with_what_there_is() -> None:
    with pytest.raises(SamplingError, match=r"13 classes of 1 image, one of them .*the most there are is 12"):
        draw_within_by_class(uneven(), 3, 13, 1, rng=np.random.default_rng(0))
    with pytest.raises(SamplingError, match="the most there are is 2"):
        draw_within_by_class(uneven(), 3, 3, 5, rng=np.random.default_rng(0))
