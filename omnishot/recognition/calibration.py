"""The threshold of a gallery from classes that are not in it, and what is to be expected at it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.errors import SamplingError
from omnishot.evaluation.intervals import Dependence, accuracy_interval
from omnishot.formats.gallery import Gallery, Rate
from omnishot.recognition.gallery import CompareEmbeddings, Embeddings, Scores, best_other, rank, spread
from omnishot.wording import counted, percent

FEWEST_CLASSES = 10
"""From fewer other classes nothing is learnt about strangers."""

_FOLDS = 100
_FEWEST_ENROLLED = 5


@dataclass(frozen=True, slots=True)
class Others:
    """Images of classes that are not in the gallery.

    Attributes:
        embeddings: Shape (n, d).
        of_class: Class of each, ascending from 0 without a gap, shape (n,).
    """

    embeddings: Embeddings
    of_class: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A threshold and what is to be expected at it.

    Attributes:
        threshold: What scores above it is known.
        strangers_accepted: Strangers that are given a name.
        turned_away: Known ones that are called unknown; None where no class has two images.
        misnamed: Known ones that are given another's name; likewise.
    """

    threshold: float
    strangers_accepted: Rate
    turned_away: Rate | None
    misnamed: Rate | None


def calibrate(others: Others, gallery: Gallery, compare: CompareEmbeddings, *, accept_strangers: float) -> Calibrated:
    """Choose the threshold at which a share of strangers is accepted, and measure what comes of it.

    Every image of the others is a stranger to this very gallery, so that its size needs no model. The same images are
    known ones where their class is thought of as enrolled besides, with other images of its own, as many as the
    gallery's classes usually have. What is expected is measured at thresholds that were chosen without the class that
    is asked: the class itself would make them look better than they are.

    Args:
        others: Classes that are not in the gallery.
        gallery: The gallery.
        compare: The similarity of its model.
        accept_strangers: Share of strangers that may be accepted.

    Raises:
        SamplingError: There are too few others.
    """
    fold = others.of_class % _FOLDS
    _refuse_too_few(others, fold, accept_strangers)
    stranger = rank(others.embeddings, gallery, compare, n_ranked=1).scores[:, 0]
    own = _own_scores(others, compare, k_shot=_usual_shots(gallery))
    threshold = np.empty(len(stranger))
    for number in range(int(fold.max()) + 1):
        threshold[fold == number] = threshold_of(stranger[fold != number], accept_strangers)
    is_known = np.isfinite(own)
    turned_away, misnamed = np.maximum(own, stranger) <= threshold, (stranger >= own) & (stranger > threshold)
    of_known = others.of_class[is_known]
    return Calibrated(
        threshold=threshold_of(stranger, accept_strangers),
        strangers_accepted=rate(stranger > threshold, others.of_class),
        turned_away=rate(turned_away[is_known], of_known) if is_known.any() else None,
        misnamed=rate(misnamed[is_known], of_known) if is_known.any() else None,
    )


def of_another_kind(others: Others, gallery: Gallery, compare: CompareEmbeddings) -> Iterator[str]:
    """Yield that the others resemble the enrolled clearly more or less than those do each other, where they do.

    Clearly: the medians of the similarities to the nearest class lie further apart than the middle half of either.
    """
    asked = spread(np.arange(len(gallery)), gallery)
    if len(gallery.classes) < _FEWEST_ENROLLED:
        return
    enrolled = best_other(gallery, compare, asked).scores[:, 0]
    stranger = rank(others.embeddings, gallery, compare, n_ranked=1).scores[:, 0]
    widths = [float(np.subtract(*np.percentile(scores, [75, 25]))) for scores in (enrolled, stranger)]
    of_others, of_enrolled = float(np.median(stranger)), float(np.median(enrolled))
    if abs(of_others - of_enrolled) > max(widths):
        less, more = ("less", "more") if of_others < of_enrolled else ("more", "fewer")
        yield (
            f"The others resemble the enrolled clearly {less} than those do each other: a median score of "
            f"{of_others:.3f} to the nearest class, beside {of_enrolled:.3f}. They seem to be of another kind; of "
            f"strangers of the kind that is enrolled, expect {more} to be accepted than is said here"
        )


def threshold_of(stranger: Scores, accept_strangers: float) -> float:
    """Return the score above which a share of further strangers is to be expected.

    Of n strangers the k-th highest is passed by k in n + 1 others on average; between two of them it is interpolated.

    Args:
        stranger: Scores of strangers, shape (n,), with (n + 1) times the share at least 1.
        accept_strangers: The share.

    Source: Gumbel 1958, section 1.2.7, for the mean frequency of exceedance.
    """
    return float(np.quantile(stranger.astype(np.float64), 1 - accept_strangers, method="weibull"))


def rate(happened: NDArray[np.bool_], of_class: NDArray[np.integer]) -> Rate:
    """Return how often something happened, with an interval in which all images of a class may stand and fall together.

    Args:
        happened: Outcome of each image, shape (n,).
        of_class: Class of each, same shape.
    """
    n_classes = len(np.unique(of_class))
    # Equal outcomes show nothing of how much those of a class depend on each other: each class counts once then.
    n_questions = n_classes if happened.all() or not happened.any() else len(happened)
    asked = np.arange(len(happened))
    ci95 = accuracy_interval(happened, Dependence(n_questions, (asked[:, None],), (of_class[:, None],)))
    return Rate(share=float(happened.mean()), ci95=ci95, images=len(happened), classes=n_classes)


def _usual_shots(gallery: Gallery) -> int:
    return int(np.median(np.bincount(gallery.of_class)))


def _own_scores(others: Others, compare: CompareEmbeddings, *, k_shot: int) -> Scores:
    """Return the similarity of each image to the next k of its class, in a circle; not a number where there is none."""
    own = np.full(len(others.of_class), np.nan, np.float32)
    for images in _classes(others):
        n_images = len(images)
        if n_images > 1:
            scores = compare(others.embeddings[images], others.embeddings[images])
            steps = np.arange(1, min(k_shot, n_images - 1) + 1)
            examples = (np.arange(n_images)[:, None] + steps) % n_images
            own[images] = np.take_along_axis(scores, examples, axis=1).max(axis=1)
    return own


def _classes(others: Others) -> Iterator[NDArray[np.intp]]:
    """Yield the places of each class's images."""
    edges = np.flatnonzero(np.diff(others.of_class)) + 1
    yield from np.split(np.arange(len(others.of_class)), edges)


def _refuse_too_few(others: Others, fold: NDArray[np.int32], accept_strangers: float) -> None:
    n_classes, n_images = len(np.unique(others.of_class)), len(others.of_class)
    left = n_images - int(np.bincount(fold).max()) if n_images else 0
    needed = math.ceil(1 / accept_strangers - 1e-9) - 1
    have = f"{counted(n_images, 'image')} of {counted(n_classes, 'class')} that are not in the gallery"
    if n_classes < FEWEST_CLASSES:
        raise SamplingError(
            f"{have} are too few to calibrate with: {FEWEST_CLASSES} classes are needed, "
            f"{FEWEST_CLASSES - n_classes} more",
            hint="Add images of others; classes with two images or more also show how many known ones are turned away.",
        )
    if left < needed:
        feasible = math.ceil(1000 / (left + 1)) / 1000
        raise SamplingError(
            f"{have} are too few to accept {percent(accept_strangers)} of strangers: {counted(needed - left, 'image')} "
            "more of other classes are needed",
            hint=f"Add them, or accept more: --accept-strangers {100 * feasible:g}%.",
        )
