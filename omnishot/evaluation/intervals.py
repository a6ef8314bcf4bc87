"""95 % intervals of accuracies and of paired differences, for trials that are not independent.

Trials share support sets, classes and images. What they share is measured (the design effect), and the interval is that
of as many independent trials as they are worth. Nothing is resampled, so that the interval changes smoothly up to
accuracies of 0 and 1, where a bootstrap sees no spread.

Source: Korn & Graubard 1998 for intervals of proportions in clustered samples; Kish 1965 for the design effect.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.959963984540054
"""The 0.975 quantile of the normal distribution."""

_T = (12.7062, 4.3027, 3.1824, 2.7764)
"""The same quantile of Student's distribution with 1 to 4 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """What the trials behind an accuracy have in common.

    Attributes:
        question: Trials of one number ask about the same query image, or the same pair, shape (n_trials,): however
            often a question is asked, it is one piece of evidence.
        groups: Ways in which trials belong together, each of shape (n_trials,): trials of one number share a support
            set, a class or an image, and may stand and fall together.
    """

    question: NDArray[np.integer]
    groups: tuple[NDArray[np.integer], ...]


def dependence_of_trials(
    query: NDArray[np.integer], episode: NDArray[np.integer], class_of_image: NDArray[np.integer] | None = None
) -> Dependence:
    """Return what one-shot trials have in common: their support set, the query image and its class.

    Args:
        query: Image index of each query, shape (n_trials,).
        episode: Trials of one number share their support set, shape (n_trials,).
        class_of_image: Class of every image, shape (n_images,), where it is known.
    """
    groups = (episode, query) if class_of_image is None else (episode, query, class_of_image[query])
    return Dependence(query, groups)


def dependence_of_pairs(
    left: NDArray[np.integer], right: NDArray[np.integer], class_of_image: NDArray[np.integer] | None = None
) -> Dependence:
    """Return what pairs have in common: the images on either side, and their classes.

    Args:
        left: Image indices, shape (n_pairs,).
        right: Image indices, same shape; in the other order a pair is the same pair.
        class_of_image: Class of every image, shape (n_images,), where it is known.
    """
    both = np.sort(np.stack([left, right], axis=1).astype(np.int64), axis=1)
    pair = both[:, 0] << 32 | both[:, 1]
    classes = () if class_of_image is None else (class_of_image[left], class_of_image[right])
    return Dependence(pair, (left, right, *classes))


def accuracy_interval(correct: NDArray[np.bool_], dependence: Dependence) -> tuple[float, float]:
    """Return Wilson's interval for as many independent trials as these are worth.

    Args:
        correct: Outcome of each trial, shape (n_trials,).
        dependence: What the trials have in common.

    Returns:
        Lower and upper end, in [0, 1].
    """
    outcomes = correct.astype(np.float64)
    return wilson_interval(float(outcomes.mean()), effective_trials(outcomes, dependence))


def difference_interval(
    first: NDArray[np.bool_], second: NDArray[np.bool_], dependence: Dependence
) -> tuple[float, float]:
    """Return a paired interval of how much more accurate `first` is than `second` on the same trials.

    Args:
        first: Outcomes of one method, shape (n_trials,).
        second: Outcomes of the other, same shape.
        dependence: What the trials have in common.

    Returns:
        Lower and upper end, in [-1, 1].

    Source: Agresti & Min 2005: half a discordant trial is added on each side, so that methods which never differ have
    an interval too.
    """
    differences = first.astype(np.float64) - second.astype(np.float64)
    n = effective_trials(differences, dependence)
    better, worse = n * float((differences > 0).mean()) + 0.5, n * float((differences < 0).mean()) + 0.5
    n += 2
    centre = (better - worse) / n
    reach = _Z * math.sqrt(better + worse - (better - worse) ** 2 / n) / n
    return max(-1.0, centre - reach), min(1.0, centre + reach)


def effective_trials(outcomes: NDArray[np.float64], dependence: Dependence) -> float:
    """Return how many independent trials would say as much as these.

    The grouping under which trials stand and fall together most decides, and no more count than there are distinct
    questions. Few groups measure their own spread badly, which Student's quantile allows for.

    Args:
        outcomes: Of each trial, shape (n_trials,).
        dependence: What the trials have in common.
    """
    worth = [len(outcomes) / _design_effect(outcomes, group) for group in dependence.groups]
    return min(*worth, float(len(np.unique(dependence.question))), float(len(outcomes)))


def _design_effect(outcomes: NDArray[np.float64], group: NDArray[np.integer]) -> float:
    """Return by how much sharing a group inflates the variance of the mean; 1 where it does not."""
    deviations = outcomes - outcomes.mean()
    total = float((deviations**2).sum())
    _, place = np.unique(group, return_inverse=True)
    n_groups = int(place.max()) + 1
    if total == 0 or n_groups == 1:
        return 1.0
    sums = np.bincount(place, weights=deviations)
    effect = n_groups / (n_groups - 1) * float((sums**2).sum()) / total
    return 1 + max(0.0, effect - 1) * (_student(n_groups - 1) / _Z) ** 2


def _student(degrees: int) -> float:
    """Return the 0.975 quantile of Student's distribution.

    Source: Abramowitz & Stegun 1964, 26.7.5.
    """
    if degrees <= len(_T):
        return _T[degrees - 1]
    first = (_Z**3 + _Z) / 4
    second = (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96
    third = (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / 384
    fourth = (79 * _Z**9 + 776 * _Z**7 + 1482 * _Z**5 - 1920 * _Z**3 - 945 * _Z) / 92160
    return _Z + first / degrees + second / degrees**2 + third / degrees**3 + fourth / degrees**4


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Args:
        share: In [0, 1].
        n: Independent trials behind it.

    Source: Wilson 1927.
    """
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
