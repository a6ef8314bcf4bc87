"""Which of the images that were just enrolled resemble another class more than is usual."""

import math
from collections.abc import Iterator, Set

import numpy as np

from omnishot.formats.gallery import Gallery, Provisional
from omnishot.recognition.gallery import CompareEmbeddings, best_other, spread

_SHOWN = 8
_FEWEST_OTHERS = 3


def look_alikes(gallery: Gallery, compare: CompareEmbeddings, new: Set[tuple[str, bytes]]) -> Iterator[str]:
    """Yield which new examples resemble another class as unusually as to be taken for it, the most similar first.

    Of two new ones that resemble each other the first is named.

    Args:
        gallery: What the new examples are in by now.
        compare: The similarity.
        new: Class and digest of each new example.
    """
    if gallery.settings.threshold is None:
        return
    names = [gallery.classes[number] for number in gallery.of_class.tolist()]
    is_new = [(name, digest.tobytes()) in new for name, digest in zip(names, gallery.digests, strict=True)]
    places = np.flatnonzero(is_new)
    asked = spread(places, gallery)
    found = best_other(gallery, compare, asked)
    order = np.argsort(-found.scores[:, 0], kind="stable")
    alike = [i for i in order.tolist() if found.scores[i, 0] > _usual_limit(gallery, float(found.scores[i, 0]))]
    said: dict[frozenset[str], str] = {}
    for i in alike:
        own, other = names[asked[i]], gallery.classes[found.classes[i, 0]]
        sentence = f"{own} ({gallery.files[asked[i]]}) looks like {other}: score {found.scores[i, 0]:.3f}"
        said.setdefault(frozenset((own, other)), sentence)
    yield from list(said.values())[:_SHOWN]
    if len(said) > _SHOWN:
        yield f"{len(said) - _SHOWN:,} more pairs of classes look alike"
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
