"""Which images show which class, as flat arrays, so that drawing images needs no loop over classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.data.image_set import Labels


@dataclass(frozen=True, slots=True)
class ClassIndex:
    """The chosen images grouped by class, and the classes grouped by alphabet.

    Attributes:
        images: Image indices ordered by class, shape (n_images,).
        drawers: Drawer of each of `images`, shape (n_images,).
        class_start: Where each class begins in `images`, with an end mark, shape (n_classes + 1,).
        alphabet_start: Where each alphabet begins among the classes, with an end mark, shape (n_alphabets + 1,).
        alphabet: Index of each alphabet among the data set's alphabets, shape (n_alphabets,).
    """

    images: NDArray[np.int32]
    drawers: NDArray[np.int32]
    class_start: NDArray[np.int64]
    alphabet_start: NDArray[np.int64]
    alphabet: NDArray[np.int16]

    @classmethod
    def of(cls, labels: Labels, chosen: NDArray[np.int32]) -> "ClassIndex":
        """Group the images of some indices, shape (n_images,), by the labels of the whole set."""
        order = np.lexsort((labels.drawer[chosen], labels.character[chosen], labels.alphabet[chosen]))
        images = chosen[order].astype(np.int32)
        _, class_start = np.unique(labels.character[images], return_index=True)
        class_start = np.sort(class_start)
        alphabet_of_class = labels.alphabet[images[class_start]]
        alphabet, alphabet_start = np.unique(alphabet_of_class, return_index=True)
        return cls(
            images=images,
            drawers=labels.drawer[images],
            class_start=np.append(class_start, len(images)),
            alphabet_start=np.append(alphabet_start, len(class_start)),
            alphabet=alphabet,
        )

    def with_images(self, fewest: int) -> "ClassIndex":
        """Return the classes that have a number of images or more."""
        is_kept = self.class_sizes >= fewest
        ends = np.cumsum(self.class_sizes[is_kept])
        per_alphabet = np.add.reduceat(is_kept, self.alphabet_start[:-1], dtype=np.int64)
        of_kept = np.repeat(is_kept, self.class_sizes)
        return ClassIndex(
            images=self.images[of_kept],
            drawers=self.drawers[of_kept],
            class_start=np.concatenate([[0], ends]),
            alphabet_start=np.concatenate([[0], np.cumsum(per_alphabet[per_alphabet > 0])]),
            alphabet=self.alphabet[per_alphabet > 0],
        )

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_start) - 1

    @property
    def n_alphabets(self) -> int:
        """Number of alphabets."""
        return len(self.alphabet)

    @property
    def class_sizes(self) -> NDArray[np.int64]:
        """Images of each class, shape (n_classes,)."""
        return np.diff(self.class_start)

    @property
    def alphabet_sizes(self) -> NDArray[np.int64]:
        """Classes of each alphabet, shape (n_alphabets,)."""
        return np.diff(self.alphabet_start)


def draw_distinct(sizes: NDArray[np.int64], k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw k distinct numbers below each size, which is k or more, in random order; shape (*sizes.shape, k).

    Source: Bentley & Floyd 1987, "A sample of brilliance".
    """
    chosen = np.full((*sizes.shape, k), -1, dtype=np.int64)
    for position in range(k):
        last = sizes - k + position
        candidate = rng.integers(0, last + 1)
        taken = (chosen == candidate[..., None]).any(axis=-1)
        chosen[..., position] = np.where(taken, last, candidate)
    return rng.permuted(chosen, axis=-1) if k > 1 else chosen
