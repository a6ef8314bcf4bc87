"""Pairs are balanced, honest and drawn from where they should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.data.class_index import ClassIndex
from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.pairs import draw_pairs
from omnishot.errors import SamplingError
from omnishot.vocabulary import Negatives

# An alphabet with one class of one image and classes of different sizes: the awkward cases.
LABELS = Labels.from_names(
    ["A"] * 6 + ["B"] * 5 + ["C"] * 4,
    ["A/1", "A/2", "A/2", "A/3", "A/3", "A/3"] + ["B/1"] * 2 + ["B/2"] * 3 + ["C/1", "C/1", "C/2", "C/2"],
    [0, 0, 1, 0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 0, 1],
)
INDEX = ClassIndex.of(LABELS, np.arange(15, dtype=np.int32))


@given(n=st.integers(2, 400), negatives=st.sampled_from(["any", "alphabet"]), seed=st.integers(0, 99))
def test_half_are_the_same_and_no_image_is_paired_with_itself(n: int, negatives: Negatives, seed: int) -> None:
    pairs = draw_pairs(INDEX, n, negatives=negatives, rng=np.random.default_rng(seed))
    assert len(pairs) == len(pairs.left) == len(pairs.right) == n
    assert pairs.same.sum() == n // 2
    assert (pairs.left != pairs.right).all()
    assert (LABELS.character[pairs.left] == LABELS.character[pairs.right]).tolist() == pairs.same.tolist()
    if negatives == "alphabet":
        assert (LABELS.alphabet[pairs.left] == LABELS.alphabet[pairs.right]).all()


@given(n=st.integers(2, 400), seed=st.integers(0, 99))
def test_every_alphabet_has_equally_many_pairs_of_either_kind(n: int, seed: int) -> None:
    pairs = draw_pairs(INDEX, n, negatives="any", rng=np.random.default_rng(seed))
    for kind in (True, False):
        counts = np.bincount(LABELS.alphabet[pairs.left[pairs.same == kind]], minlength=3)
        assert counts.max() - counts.min() <= 1


def test_different_pairs_reach_other_alphabets_in_proportion_to_their_classes() -> None:
    pairs = draw_pairs(INDEX, 40_000, negatives="any", rng=np.random.default_rng(0))
    of_a = ~pairs.same & (LABELS.alphabet[pairs.left] == 0)
    share = (LABELS.alphabet[pairs.right[of_a]] == 0).mean()
    assert share == pytest.approx(2 / 6, abs=0.03)  # Two other classes of its own alphabet among six other classes.


def test_all_of_a_class_is_drawn() -> None:
    pairs = draw_pairs(INDEX, 4000, negatives="any", rng=np.random.default_rng(0))
    assert set(pairs.left.tolist()) | set(pairs.right.tolist()) == set(range(15))


def test_an_alphabet_without_two_images_of_a_class_is_refused() -> None:
    labels = Labels.from_names(["A", "A", "B", "B"], ["A/1", "A/1", "B/1", "B/2"], [0, 1, 0, 0])
    with pytest.raises(SamplingError, match="1 of 2 alphabets"):
        draw_pairs(ClassIndex.of(labels, np.arange(4, dtype=np.int32)), 4, negatives="any", rng=np.random.default_rng())


def test_the_train_pairs_do_not_change_when_others_are_drawn_first(images: ImageSet) -> None:
    from omnishot.seeding import generator

    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    first = draw_pairs(index, 100, negatives="any", rng=generator(0, "pairs", "train"))
    draw_pairs(index, 50, negatives="any", rng=generator(0, "pairs", "test"))
    again = draw_pairs(index, 100, negatives="any", rng=generator(0, "pairs", "train"))
    assert (first.left == again.left).all()
