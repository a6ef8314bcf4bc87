"""Search names what comparing everything with everything would, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omnishot.formats.gallery import EmbeddedBy, Gallery, GallerySettings
from omnishot.recognition import gallery as module
from omnishot.recognition.gallery import best_other, provisional, rank

SETTINGS = GallerySettings(model=EmbeddedBy(reference="models/m:v1", digest="0" * 64, preparation="drawing"))


def product(queries: NDArray[np.float32], examples: NDArray[np.float32]) -> NDArray[np.float32]:
    return queries @ examples.T


def gallery_of(shots: list[int], dimensions: int, rng: np.random.Generator, *, levels: int = 0) -> Gallery:
    """Return a gallery of random examples; with few levels many scores are equal."""
    n = sum(shots)
    values = rng.integers(0, levels, (n, dimensions)) if levels else rng.normal(size=(n, dimensions))
    return Gallery(
        SETTINGS,
        tuple(f"c{i}" for i in range(len(shots))),
        np.repeat(np.arange(len(shots), dtype=np.int32), shots),
        values.astype(np.float32),
        np.zeros((n, 32), np.uint8),
        tuple(f"{i}.png" for i in range(n)),
    )


@given(
    shots=st.lists(st.integers(1, 7), min_size=1, max_size=12),
    n_queries=st.integers(0, 6),
    n_ranked=st.integers(1, 5),
    block=st.integers(1, 9),
    levels=st.sampled_from([0, 2]),
    seed=st.integers(0, 99),
)
def test_ranks_are_those_of_a_full_sort_whatever_the_blocks(
    shots: list[int], n_queries: int, n_ranked: int, block: int, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery = gallery_of(shots, 4, rng, levels=levels)
    queries = rng.integers(0, 3, (n_queries, 4)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EXAMPLES_PER_BLOCK", block)
        patch.setattr(module, "_QUERIES_PER_BLOCK", 2)
        found = rank(queries, gallery, product, n_ranked=n_ranked)
    for i, query in enumerate(queries):
        scores = [max(float(query @ e) for e in gallery.embeddings[gallery.of_class == c]) for c in range(len(shots))]
        best = sorted(range(len(shots)), key=lambda c: (-np.float32(scores[c]), c))[:n_ranked]
        assert np.allclose(found.scores[i], [scores[c] for c in best], atol=1e-5)
        if levels:  # Then products are whole numbers, and ties are exact.
            assert found.classes[i].tolist() == best


def test_the_best_other_is_never_the_class_itself_even_where_another_is_equal() -> None:
    gallery = gallery_of([2, 1, 1], 3, np.random.default_rng(0))
    gallery.embeddings[:] = np.eye(3, dtype=np.float32)[[0, 1, 0, 2]]
    others = best_other(gallery, product, np.arange(4))
    assert others.classes[:, 0].tolist() == [1, 1, 0, 0]
    assert others.scores[:, 0].tolist() == [1, 0, 1, 0]


def test_the_provisional_threshold_is_the_mean_and_two_deviations_of_the_nearest_others() -> None:
    gallery = gallery_of([1, 1, 1], 5, np.random.default_rng(0))
    gallery.embeddings[:, 2:] = 9 * np.eye(3)  # What each has alone makes it resemble itself most.
    gallery.embeddings[:, :2] = np.array([[1, 0], [0.5, 0.5], [0, 1]])
    rule = provisional(gallery, product)
    assert rule
    assert (rule.mean, rule.deviation, rule.threshold) == pytest.approx((0.5, 0.0, 0.5))
    gallery.embeddings[1, :2] = [0.8, 0.2]
    rule = provisional(gallery, product)
    assert rule
    nearest = np.array([0.8, 0.8, 0.2])
    assert rule.threshold == pytest.approx(nearest.mean() + 2 * nearest.std())
    assert rule.examples == 3


@given(shots=st.lists(st.integers(1, 3), min_size=2, max_size=80), seed=st.integers(0, 99))
def test_an_enrolled_example_is_known_whatever_the_provisional_threshold(shots: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    gallery = gallery_of(shots, 2, rng)
    gallery.embeddings[:] **= 3  # A few lie far out, so that the deviation is large.

    def similarity(queries: NDArray[np.float32], examples: NDArray[np.float32]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = -0.326 - np.abs(queries[:, None] - examples).sum(axis=2)
        return scores

    rule = provisional(gallery, similarity)
    assert rule
    assert (rank(gallery.embeddings, gallery, similarity, n_ranked=1).scores > rule.threshold + 0.005).all()


def test_one_class_alone_has_no_provisional_threshold() -> None:
    assert provisional(gallery_of([3], 2, np.random.default_rng(0)), product) is None


def test_a_search_needs_no_memory_for_all_scores_at_once() -> None:
    rng = np.random.default_rng(0)
    gallery = gallery_of([1] * 200_000, 8, rng)
    queries = rng.normal(size=(300, 8)).astype(np.float32)
    tracemalloc.start()
    try:
        rank(queries, gallery, product, n_ranked=3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000  # All scores are 240 million bytes.
