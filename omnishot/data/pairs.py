"""Pairs of images for verification: half show one class, half two, equally many from every alphabet that allows them.

Source: Koch et al. 2015, section 4.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.data.class_index import ClassIndex, draw_distinct
from omnishot.errors import SamplingError
from omnishot.vocabulary import Negatives
from omnishot.wording import counted


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs as image indices, in random order.

    Attributes:
        left: Shape (n_pairs,).
        right: Shape (n_pairs,), never equal to `left` in one place.
        same: Whether both show one class, shape (n_pairs,).
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    same: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.same)

    def first(self, n_pairs: int) -> "Pairs":
        """Return the first pairs, at most as many as there are."""
        return Pairs(self.left[:n_pairs], self.right[:n_pairs], self.same[:n_pairs])


def draw_pairs(index: ClassIndex, n_pairs: int, *, negatives: Negatives, rng: np.random.Generator) -> Pairs:
    """Draw pairs with replacement.

    The numbers of pairs per alphabet differ by one at most, for same and different each, among the alphabets that allow
    them: classes of one image are in different pairs only. The second image of a different pair comes from `any`
    alphabet, or from the first one's.

    Raises:
        SamplingError: No class has two images, or there are too few classes for different pairs.
    """
    alike = np.flatnonzero(np.add.reduceat(index.class_sizes >= 2, index.alphabet_start[:-1], dtype=np.int64))
    other = np.flatnonzero(index.alphabet_sizes >= (2 if negatives == "alphabet" else 1))
    _refuse_what_cannot_be_paired(index, n_alike=len(alike), n_other=len(other))
    n_same = n_pairs // 2
    same_left, same_right = _same(index, _spread(n_same, alike), rng)
    different = _different(index, _spread(n_pairs - n_same, other), negatives, rng)
    order = rng.permutation(n_pairs)
    return Pairs(
        left=index.images[np.concatenate([same_left, different[0]])[order]],
        right=index.images[np.concatenate([same_right, different[1]])[order]],
        same=(np.arange(n_pairs) < n_same)[order],
    )


def _refuse_what_cannot_be_paired(index: ClassIndex, *, n_alike: int, n_other: int) -> None:
    if not n_alike:
        raise SamplingError(
            f"None of {counted(index.n_classes, 'class')} has 2 images, so that there are no two of one class",
            hint="Add a second image to some of them.",
        )
    if index.n_classes < 2 or not n_other:
        raise SamplingError(
            "Different pairs need 2 classes to draw from, but there is "
            + ("1" if index.n_classes < 2 else "1 in each alphabet"),
            hint="Add classes" + (", or use --negatives any." if index.n_classes >= 2 else "."),
        )


def _spread(n: int, alphabets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the alphabet of each of n pairs, as evenly as it goes."""
    return alphabets[np.arange(n) % len(alphabets)]


def _same(
    index: ClassIndex, alphabet: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pairable = np.flatnonzero(index.class_sizes >= 2)
    first = np.searchsorted(pairable, index.alphabet_start[alphabet])
    last = np.searchsorted(pairable, index.alphabet_start[alphabet + 1])
    chosen = pairable[rng.integers(first, last)]
    places = draw_distinct(index.class_sizes[chosen], 2, rng) + index.class_start[chosen][:, None]
    return places[:, 0], places[:, 1]


def _different(
    index: ClassIndex, alphabet: NDArray[np.int64], negatives: Negatives, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, last = index.alphabet_start[alphabet], index.alphabet_start[alphabet + 1]
    left = rng.integers(first, last)
    if negatives == "any":
        first, last = np.zeros_like(first), np.full_like(last, index.n_classes)
    right = rng.integers(first, last - 1)
    right += right >= left  # Steps over the left class, so that the others stay equally likely.
    return _any_image(index, left, rng), _any_image(index, right, rng)


def _any_image(index: ClassIndex, of_class: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.integers(index.class_start[of_class], index.class_start[of_class + 1])
