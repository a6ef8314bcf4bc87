"""Two who look alike are noticed, also among few; who merely differ are not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.formats.gallery import EmbeddedBy, Gallery, GallerySettings, Provisional
from omnishot.recognition.look_alikes import limit_without, look_alikes

RULE = Provisional(threshold=9.0, mean=0.5, deviation=0.4, examples=2)
SETTINGS = GallerySettings(
    model=EmbeddedBy(reference="models/m:v1", digest="0" * 64, preparation="drawing"), provisional=RULE
)


def similarity(queries: NDArray[np.float32], examples: NDArray[np.float32]) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = -0.326 - np.abs(queries[:, None] - examples).sum(axis=2)
    return scores


def said_of_two(positions: list[int], digests: list[int]) -> list[str]:
    """Return what is said of two classes of one example, the second of which is new."""
    gallery = Gallery(
        SETTINGS, ("a", "b"), np.array([0, 1], np.int32), np.array(positions, np.float32)[:, None],
        np.repeat(np.array(digests, np.uint8)[:, None], 32, axis=1), ("a.png", "b.png"),
    )  # fmt: skip
    return list(look_alikes(gallery, similarity, {("b", gallery.digests[1].tobytes())}))


def test_the_limit_without_two_is_that_of_the_others() -> None:
    nearest = np.array([0.9, 0.9, 0.1, 0.2, 0.35, 0.3])
    whole = Provisional(threshold=9.0, mean=nearest.mean(), deviation=nearest.std(), examples=6)
    assert limit_without(whole, 0.9) == pytest.approx(nearest[2:].mean() + 2 * nearest[2:].std())


def test_among_four_nobody_looks_alike() -> None:
    assert limit_without(Provisional(threshold=9.0, mean=0.5, deviation=0.4, examples=4), 0.9) == np.inf


def test_of_two_classes_one_file_is_a_copy_and_one_picture_looks_alike() -> None:
    assert said_of_two([3, 3], [1, 1]) == ["b (b.png) looks like a: it is a copy of a.png"]
    assert said_of_two([3, 3], [1, 2]) == ["b (b.png) looks like a: score -0.326"]
    assert not said_of_two([3, 4], [1, 2])
