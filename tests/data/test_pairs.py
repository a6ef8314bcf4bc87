"""Pairs are balanced, honest and drawn from where they should be."""

import re

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


def index_of(*sizes: tuple[str, int]) -> ClassIndex:
    """Return an index of classes, given as alphabet and number of images."""
    names = [(alphabet, f"{alphabet}/{number}") for number, (alphabet, size) in enumerate(sizes) for _ in range(size)]
    drawers = [drawer for _, size in sizes for drawer in range(size)]
    labels = Labels.from_names([alphabet for alphabet, _ in names], [name for _, name in names], drawers)
    return ClassIndex.of(labels, np.arange(len(labels), dtype=np.int32))


@pytest.mark.parametrize("negatives", ["any", "alphabet"])
def test_classes_of_one_image_are_in_different_pairs_only(negatives: Negatives) -> None:
    index = index_of(("A", 2), ("B", 1), ("B", 1), ("C", 1), ("D", 1), ("D", 3))
    pairs = draw_pairs(index, 400, negatives=negatives, rng=np.random.default_rng(0))
    assert set(pairs.left[pairs.same].tolist()) == {0, 1, 6, 7, 8}  # The alphabets A and D, where images have a twin.
    counts = np.bincount(index.images[pairs.left[pairs.same]] > 1)
    assert abs(counts[0] - counts[1]) <= 1
    different = pairs.left[~pairs.same]
    assert set(different.tolist()) == (set(range(9)) if negatives == "any" else {2, 3, 5, 6, 7, 8})


@pytest.mark.parametrize(
    ("sizes", "words", "hint"),
    [
        ([("A", 1), ("A", 1), ("B", 1)], "None of 3 classes has 2 images", "Add a second image"),
        ([("A", 2)], "need 2 classes to draw from, but there is 1$", r"Add classes\.$"),
        ([("A", 2), ("B", 2)], "need 2 classes to draw from, but there is 1 in each alphabet", "--negatives any"),
    ],
)
def test_what_cannot_be_paired_is_refused(sizes: list[tuple[str, int]], words: str, hint: str) -> None:
    with pytest.raises(SamplingError, match=words) as refused:
        draw_pairs(index_of(*sizes), 4, negatives="alphabet", rng=np.random.default_rng())
    assert re.search(hint, refused.value.hint)


def test_the_train_pairs_do_not_change_when_others_are_drawn_first(images: ImageSet) -> None:
    from omnishot.seeding import generator

    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    first = draw_pairs(index, 100, negatives="any", rng=generator(0, "pairs", "train"))
    draw_pairs(index, 50, negatives="any", rng=generator(0, "pairs", "test"))
    again = draw_pairs(index, 100, negatives="any", rng=generator(0, "pairs", "train"))
    assert (first.left == again.left).all()
