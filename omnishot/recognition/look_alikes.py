"""Which of the images that were just enrolled resemble another class more than is usual."""

import math
from collections.abc import Iterator, Set

import numpy as np

from omnishot.formats.gallery import Gallery, Provisional
from omnishot.recognition.gallery import CompareEmbeddings, best_other, just_below, self_similarities, spread

_SHOWN = 8
_FEWEST_OTHERS = 3


def look_alikes(gallery: Gallery, compare: CompareEmbeddings, new: Set[tuple[str, bytes]]) -> Iterator[str]:
    """Yield which new examples resemble another class as unusually as to be taken for it, the most similar first.

    Copies are always said, however few examples there are. Of two new ones that resemble each other the first is named.

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
    scores, own_scores = found.scores[:, 0].tolist(), self_similarities(gallery, compare, asked).tolist()
    limits = [min(_usual_limit(gallery, score), just_below(own)) for score, own in zip(scores, own_scores, strict=True)]
    order = np.argsort(-found.scores[:, 0], kind="stable")
    copies = _copies(gallery, names, is_new)
    yield from copies.values()
    said: dict[frozenset[str], str] = {}
    for i in (i for i in order.tolist() if scores[i] > limits[i]):
        own, other = names[asked[i]], gallery.classes[found.classes[i, 0]]
        if frozenset((own, other)) in copies:
            continue
        sentence = f"{own} ({gallery.files[asked[i]]}) looks like {other}: score {found.scores[i, 0]:.3f}"
        said.setdefault(frozenset((own, other)), sentence)
    yield from list(said.values())[:_SHOWN]
    if len(said) > _SHOWN:
        yield f"{len(said) - _SHOWN:,} more pairs of classes look alike"
    if len(asked) < len(places):
        yield f"Of {len(places):,} new examples {len(asked):,} were compared with the other classes"


def _copies(gallery: Gallery, names: list[str], is_new: list[bool]) -> dict[frozenset[str], str]:
    """Return which new files are equal to one of another class, a sentence for each pair of classes."""
    found: dict[frozenset[str], str] = {}
    places: dict[bytes, list[int]] = {}
    for i, digest in enumerate(gallery.digests):
        places.setdefault(digest.tobytes(), []).append(i)
    for equal in places.values():
        for new in (i for i in equal if is_new[i]):
            other = next((i for i in equal if names[i] != names[new]), None)
            if other is not None:
                sentence = f"{names[new]} ({gallery.files[new]}) looks like {names[other]}: it is a copy of"
                found.setdefault(frozenset((names[new], names[other])), f"{sentence} {gallery.files[other]}")
    return found


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
