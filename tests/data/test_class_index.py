"""Grouping and drawing without loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omnishot.data.class_index import ClassIndex, draw_distinct
from omnishot.data.image_set import Labels


def test_classes_and_alphabets_are_contiguous_whatever_the_order_of_the_images() -> None:
    labels = Labels.from_names(
        ["B", "A", "B", "A", "A", "B"], ["B/x", "A/y", "B/z", "A/y", "A/w", "B/x"], [1, 0, 0, 1, 0, 0]
    )
    index = ClassIndex.of(labels, np.array([5, 4, 3, 1, 0], dtype=np.int32))
    assert (index.n_classes, index.n_alphabets) == (3, 2)
    for number in range(index.n_classes):
        of_class = index.images[index.class_start[number] : index.class_start[number + 1]]
        assert len(set(labels.character[of_class])) == 1
    assert index.class_sizes.tolist() == [2, 2, 1]  # B/x by drawers 0 and 1, A/y by 0 and 1, A/w.
    assert index.images.tolist() == [5, 0, 1, 3, 4]


@given(sizes=st.lists(st.integers(3, 9), min_size=1, max_size=20), k=st.integers(1, 3), seed=st.integers(0, 99))
def test_distinct_numbers_are_distinct_and_in_range(sizes: list[int], k: int, seed: int) -> None:
    drawn = draw_distinct(np.array(sizes), k, np.random.default_rng(seed))
    assert drawn.shape == (len(sizes), k)
    assert all(len(set(row)) == k for row in drawn.tolist())
    assert (drawn >= 0).all()
    assert (drawn < np.array(sizes)[:, None]).all()


def test_every_ordered_choice_is_equally_likely() -> None:
    drawn = draw_distinct(np.full(60_000, 4), 2, np.random.default_rng(0))
    counts = np.bincount(drawn[:, 0] * 4 + drawn[:, 1], minlength=16)
    expected = 60_000 / 12
    assert (counts[[0, 5, 10, 15]] == 0).all()
    assert abs(counts[counts > 0] - expected).max() < 5 * expected**0.5


def test_classes_of_too_few_images_go_with_their_alphabets() -> None:
    names = ["A/x", "A/x", "B/y", "C/z", "C/w", "C/w", "C/w"]
    labels = Labels.from_names([name[0] for name in names], names, [0, 1, 0, 0, 0, 1, 2])
    index = ClassIndex.of(labels, np.arange(7, dtype=np.int32)).with_images(2)
    assert index.images.tolist() == [0, 1, 4, 5, 6]
    assert (index.class_sizes.tolist(), index.alphabet_sizes.tolist()) == ([2, 3], [1, 1])
    assert [labels.alphabet_names[number] for number in index.alphabet] == ["A", "C"]
    nothing = ClassIndex.of(labels, np.arange(7, dtype=np.int32)).with_images(4)
    assert (nothing.n_classes, nothing.n_alphabets, len(nothing.images)) == (0, 0, 0)
