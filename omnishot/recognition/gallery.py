"""Which class of a gallery an image resembles most: exact search in bounded memory, and the provisional threshold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.formats.gallery import Gallery, Provisional

Embeddings = NDArray[np.float32]
Scores = NDArray[np.float32]

CompareEmbeddings = Callable[[Embeddings, Embeddings], Scores]
"""Takes embeddings of shapes (n, d) and (m, d); returns their similarity, higher for more alike, shape (n, m)."""

_QUERIES_PER_BLOCK = 256
_EXAMPLES_PER_BLOCK = 1 << 15
_MOST_COMPARISONS, _FEWEST_ASKED = 1 << 28, 100
_OWN_PER_BLOCK = 64
_ROUNDING = 0.01


@dataclass(frozen=True, slots=True)
class Ranking:
    """The classes that resemble each query most, the best first.

    Attributes:
        classes: Index into the gallery's classes, shape (n_queries, n_ranked).
        scores: Their similarity, same shape.
    """

    classes: NDArray[np.int32]
    scores: Scores


def rank(queries: Embeddings, gallery: Gallery, compare: CompareEmbeddings, *, n_ranked: int) -> Ranking:
    """Return the classes of a gallery that resemble each query most; of equal ones the first enrolled.

    A class is as similar as its most similar example: somebody who was enrolled with and without glasses resembles one
    of the two pictures, not their mean. No query needs more memory for a larger gallery, as its examples are
    looked at block by block.

    Args:
        queries: Shape (n_queries, d).
        gallery: The examples.
        compare: The similarity of the model that made the embeddings.
        n_ranked: How many classes to return, at most as many as there are.
    """
    n_ranked = min(n_ranked, len(gallery.classes))
    best = np.full((len(queries), n_ranked), -np.inf, np.float32)
    classes = np.zeros((len(queries), n_ranked), np.int32)
    starts = _starts(gallery)
    for first, last in _blocks(starts):
        begin, end = starts[first], starts[last]
        examples = gallery.embeddings[begin:end]
        for start in range(0, len(queries), _QUERIES_PER_BLOCK):
            some = slice(start, start + _QUERIES_PER_BLOCK)
            scores = compare(queries[some], examples)
            if end - begin > last - first:
                scores = np.maximum.reduceat(scores, starts[first:last] - begin, axis=1)
            places, values = _largest(scores, n_ranked)
            pool = np.concatenate([best[some], values], axis=1)
            named = np.concatenate([classes[some], places + first], axis=1)
            order = np.argsort(-pool, axis=1, kind="stable")[:, :n_ranked]
            best[some] = np.take_along_axis(pool, order, axis=1)
            classes[some] = np.take_along_axis(named, order, axis=1)
    return Ranking(classes, best)


def _starts(gallery: Gallery) -> NDArray[np.int64]:
    """Return where the examples of each class begin, and at last their number."""
    return np.searchsorted(gallery.of_class, np.arange(len(gallery.classes) + 1))


def _blocks(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield first and last class, the latter excluded, of blocks of examples; one of more examples is a block alone."""
    first, n_classes = 0, len(starts) - 1
    while first < n_classes:
        last = int(np.searchsorted(starts, starts[first] + _EXAMPLES_PER_BLOCK, side="right")) - 1
        yield first, (last := max(last, first + 1))
        first = last


def _largest(scores: Scores, n: int) -> tuple[NDArray[np.int32], Scores]:
    """Return places and values of the n largest scores of every row, the leftmost of equal ones first.

    For the few that are asked for, looking for one after the other is faster than a partition. What was found is
    overwritten.
    """
    n = min(n, scores.shape[1])
    rows = np.arange(len(scores))
    places, values = np.empty((len(scores), n), np.int32), np.empty((len(scores), n), np.float32)
    for column in range(n):
        places[:, column] = scores.argmax(axis=1)
        values[:, column] = scores[rows, places[:, column]]
        scores[rows, places[:, column]] = -np.inf
    return places, values


def best_other(gallery: Gallery, compare: CompareEmbeddings, examples: NDArray[np.integer]) -> Ranking:
    """Return the class, other than its own, that resembles each of some examples most; one column.

    Args:
        gallery: Two classes or more.
        compare: The similarity.
        examples: Indices of examples, shape (k,).
    """
    ranking = rank(np.asarray(gallery.embeddings[examples]), gallery, compare, n_ranked=2)
    is_own = ranking.classes[:, :1] == gallery.of_class[examples][:, None]
    column = is_own.astype(np.intp)
    return Ranking(
        np.take_along_axis(ranking.classes, column, axis=1), np.take_along_axis(ranking.scores, column, axis=1)
    )


def provisional(gallery: Gallery, compare: CompareEmbeddings) -> Provisional | None:
    """Return the threshold that the enrolled examples suggest, or None where one class alone has no other.

    It is two standard deviations above the mean similarity of an example to the most similar other class: were
    strangers as similar to the enrolled as those are to each other, and these similarities normally distributed, 2.3 %
    of them would be above. In a large gallery some examples from all over it are asked, see `spread`.

    It stays below what an enrolled example scores with itself: above that nobody would be known.
    """
    if len(gallery.classes) < 2:
        return None
    asked = spread(np.arange(len(gallery)), gallery)
    nearest = best_other(gallery, compare, asked).scores[:, 0].astype(np.float64)
    mean, deviation = float(nearest.mean()), float(nearest.std())
    least = float(self_similarities(gallery, compare, asked).min())
    threshold = min(mean + 2 * deviation, just_below(least))
    return Provisional(threshold=threshold, mean=mean, deviation=deviation, examples=len(asked))


def just_below(score: float) -> float:
    """Return what the score of the same picture stays above in another batch, where it is rounded differently."""
    return score - _ROUNDING * max(1.0, abs(score))


def self_similarities(gallery: Gallery, compare: CompareEmbeddings, examples: NDArray[np.integer]) -> Scores:
    """Return the similarity of some examples, indices of shape (k,), to themselves, shape (k,)."""
    similarities = np.empty(len(examples), np.float32)
    for start in range(0, len(examples), _OWN_PER_BLOCK):
        some = np.asarray(gallery.embeddings[examples[start : start + _OWN_PER_BLOCK]])
        similarities[start : start + len(some)] = compare(some, some).diagonal()
    return similarities


def spread(examples: NDArray[np.integer], gallery: Gallery) -> NDArray[np.integer]:
    """Return as many of some examples, from all over them, as a gallery of this size can be asked about in seconds."""
    n = min(len(examples), max(_FEWEST_ASKED, _MOST_COMPARISONS // len(gallery)))
    return examples[np.unique(np.linspace(0, len(examples) - 1, n).astype(np.int64))]
