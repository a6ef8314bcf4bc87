"""Which of the images that were just enrolled resemble another class more than is usual."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from omnishot.formats.gallery import Gallery, Provisional
from omnishot.recognition.gallery import CompareEmbeddings, best_other, spread

_SHOWN = 8
_FEWEST_OTHERS = 3


def look_alikes(gallery: Gallery, compare: CompareEmbeddings, new: NDArray[np.uint8]) -> Iterator[str]:
    """Yield which new examples resemble another class as unusually as to be taken for it, the most similar first.

    Args:
        gallery: What the new examples are in by now.
        compare: The similarity.
        new: Digests of the new examples, shape (n_new, 32).
    """
    if gallery.settings.threshold is None:
        return
    digests = {digest.tobytes() for digest in new}
    places = np.array([i for i, digest in enumerate(gallery.digests) if digest.tobytes() in digests], np.int64)
    asked = spread(places, gallery)
    found = best_other(gallery, compare, asked)
    order = np.argsort(-found.scores[:, 0], kind="stable")
    alike = [i for i in order.tolist() if found.scores[i, 0] > _usual_limit(gallery, float(found.scores[i, 0]))]
    for i in alike[:_SHOWN]:
        own, other = gallery.classes[gallery.of_class[asked[i]]], gallery.classes[found.classes[i, 0]]
        yield f"{own} ({gallery.files[asked[i]]}) looks like {other}: score {found.scores[i, 0]:.3f}"
    if len(alike) > _SHOWN:
        yield f"{len(alike) - _SHOWN:,} more new examples look like another class"
    if len(asked) < len(places):
        yield f"Of {len(places):,} new examples {len(asked):,} were compared with the other classes"


def _usual_limit(gallery: Gallery, score: float) -> float:
    """Return what a similarity to another class should not be above."""
    calibration, provisional = gallery.settings.calibration, gallery.settings.provisional
    if calibration:
        return calibration.threshold
    return limit_without(provisional, score) if provisional else math.inf


def limit_without(provisional: Provisional, score: float) -> float:
    """Return the provisional threshold of the examples without the two that a score is of.

    In a small gallery two that look alike raise the threshold above themselves.
    """
    n, mean, deviation = provisional.examples, provisional.mean, provisional.deviation
    if n - 2 < _FEWEST_OTHERS:
        return math.inf
    rest = (n * mean - 2 * score) / (n - 2)
    variance = (n * (deviation**2 + mean**2) - 2 * score**2) / (n - 2) - rest**2
    return rest + 2 * math.sqrt(max(0.0, variance))
