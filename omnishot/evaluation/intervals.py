"""95 % intervals of accuracies and of paired differences, and a paired test, for trials that are not independent.

Trials share support sets, images and classes. What they share is measured (the design effect), and the interval is that
of as many independent trials as they are worth. Nothing is resampled, so the interval changes smoothly up to accuracies
of 0 and 1, where a bootstrap sees no spread.

Source: Kish 1965 for the design effect; Korn & Graubard 1998 for intervals of proportions in clustered samples; Aronow,
Samii & Assenova 2015 for pairs that share a member.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.959963984540054
"""The 0.975 quantile of the normal distribution."""

_ROUNDING = 1e-6
"""By how much a count of trials may be off a whole number."""

_MOST_EXACT = 20_000
"""Above so many trials in which two methods differ, groups of different sizes are tested by the normal distribution."""

_T = (12.7062, 4.3027, 3.1824, 2.7764)
"""The same quantile of Student's distribution with 1 to 4 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """What trials, or pairs, have in common.

    Attributes:
        n_questions: How many different questions there are among them; one that is asked again is no new evidence.
        asked_about: Numbers of the images that are asked about, and of their classes where those are known, each of
            shape (n_trials, 1), or (n_trials, 2) for pairs.
        groups: Further members that trials may have in common, such as a support set, of the same shapes.
    """

    n_questions: int
    asked_about: tuple[NDArray[np.integer], ...]
    groups: tuple[NDArray[np.integer], ...] = ()


def dependence_of_trials(
    query: NDArray[np.integer],
    episode: NDArray[np.integer],
    n_questions: int,
    class_of_image: NDArray[np.integer] | None = None,
) -> Dependence:
    """Return what one-shot trials have in common: their support set, the query image and its class.

    Args:
        query: Image index of each query, shape (n_trials,).
        episode: Trials of one number share their support set, shape (n_trials,).
        n_questions: How many different questions there are among the trials.
        class_of_image: Class of every image, shape (n_images,), where it is known.
    """
    asked_about = (query,) if class_of_image is None else (query, class_of_image[query])
    return Dependence(n_questions, tuple(members[:, None] for members in asked_about), (episode[:, None],))


def dependence_of_pairs(
    left: NDArray[np.integer], right: NDArray[np.integer], class_of_image: NDArray[np.integer] | None = None
) -> Dependence:
    """Return what pairs have in common: images, on whichever side, and their classes.

    Args:
        left: Image indices, shape (n_pairs,).
        right: Image indices, same shape; in the other order a pair is the same pair.
        class_of_image: Class of every image, shape (n_images,), where it is known.
    """
    images = np.stack([left, right], axis=1)
    asked_about = (images,) if class_of_image is None else (images, class_of_image[images])
    return Dependence(len(np.unique(_number_of_pair(images))), asked_about)


def accuracy_interval(correct: NDArray[np.bool_], dependence: Dependence) -> tuple[float, float]:
    """Return Wilson's interval, in [0, 1], for as many independent trials as these are worth.

    Args:
        correct: Outcome of each trial, shape (n_trials,).
        dependence: What the trials have in common.
    """
    outcomes = correct.astype(np.float64)
    return wilson_interval(float(outcomes.mean()), effective_trials(outcomes, dependence))


def difference_interval(
    first: NDArray[np.bool_], second: NDArray[np.bool_], dependence: Dependence
) -> tuple[float, float]:
    """Return a paired interval, in [-1, 1], of how much more accurate `first` is than `second` on the same trials.

    Args:
        first: Outcomes of one method, shape (n_trials,).
        second: Outcomes of the other, same shape.
        dependence: What the trials have in common.

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


def mcnemar_p(first: NDArray[np.bool_], second: NDArray[np.bool_], dependence: Dependence) -> float:
    """Return the p-value of McNemar's exact test, two-sided, that two methods are equally accurate on the same trials.

    Trials with the same member of the kind that decides the interval stand and fall together: the difference of each
    such group could as well have been the other way round. Where every group is one trial, and for pairs, which have no
    groups, that is McNemar's test; of pairs as many count as are worth independent ones. Arguments as for
    `difference_interval`.

    Source: McNemar 1947, in the exact form of the sign test; Fisher 1935, section 21, for differences of any size.
    """
    differences = first.astype(np.int64) - second.astype(np.int64)
    effect, members = _dominating(differences.astype(np.float64), dependence)
    if members.shape[1] == 1:
        _, place = np.unique(members, return_inverse=True)
        return _sign_p(np.bincount(place.reshape(-1), weights=differences).astype(np.int64))
    worth = min(1 / effect, dependence.n_questions / len(differences))
    better, worse = worth * int((differences > 0).sum()), worth * int((differences < 0).sum())
    n = math.floor(better + worse + _ROUNDING)
    fewer = min(n, math.ceil(min(better, worse) - _ROUNDING))
    return _sign_p(np.where(np.arange(n) < fewer, -1, 1))


def _sign_p(leads: NDArray[np.int64]) -> float:
    """Return how often the sum of these is as far from 0, or farther, when the sign of each is thrown."""
    sizes, counts = np.unique(np.abs(leads[leads != 0]), return_counts=True)
    total, observed = int((sizes * counts).sum()), abs(int(leads.sum()))
    if len(sizes) > 1 and total > _MOST_EXACT:
        return math.erfc(observed / math.sqrt(2 * int((sizes**2 * counts).sum())))
    shares = np.ones(1)  # By the sum of those with a plus.
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        spread = np.zeros(size * count + 1)
        logs = [math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(count + 1)]
        spread[::size] = np.exp(np.array(logs) - count * math.log(2))
        shares = np.convolve(shares, spread)
    return min(1.0, float(shares[np.abs(2 * np.arange(total + 1) - total) >= observed].sum()))


def effective_trials(outcomes: NDArray[np.float64], dependence: Dependence) -> float:
    """Return how many independent trials would say as much as these.

    The members by which trials stand and fall together most decide, and no more trials count than there are different
    questions.

    Args:
        outcomes: Of each trial, shape (n_trials,).
        dependence: What the trials have in common.
    """
    effect, _ = _dominating(outcomes, dependence)
    return min(len(outcomes) / effect, float(dependence.n_questions))


def _dominating(outcomes: NDArray[np.float64], dependence: Dependence) -> tuple[float, NDArray[np.integer]]:
    """Return the largest design effect, and the members that have it."""
    effects = [(_design_effect(outcomes, members, asked_again=True), members) for members in dependence.asked_about]
    effects += [(_design_effect(outcomes, members), members) for members in dependence.groups]
    return max(effects, key=lambda effect: effect[0])


def _design_effect(outcomes: NDArray[np.float64], members: NDArray[np.integer], *, asked_again: bool = False) -> float:
    """Return by how much sharing members inflates the variance of the mean; 1 where it does not.

    Few groups measure their own spread badly, and skewed as outcomes are, worse than their number says: Student's
    quantile for half the degrees of freedom allows for that. No effect is larger than if trials with the same members
    always had the same outcome.

    Args:
        outcomes: Of each trial, shape (n_trials,).
        members: What a trial may have in common with others, shape (n_trials, n_members).
        asked_again: Reckon with one member more that stands against all others. Where no member erred yet, it says how
            little is known of whether trials with the same member err together. Trials of a support set ask about
            different classes, so it is for images and classes.
    """
    n_trials, n_members = len(members), int(members.shape[1])
    deviations = outcomes - outcomes.mean()
    _, place = np.unique(members, return_inverse=True)
    place = place.reshape(members.shape)
    sizes = np.bincount(place.reshape(-1))
    n_groups = len(sizes)
    shared, total = _sum_of_products(deviations, place), float((deviations**2).sum())
    if asked_again:
        size = n_trials / n_groups
        shared, total, n_groups = shared + size**2, total + size, n_groups + 1
    most = float((sizes.astype(np.float64) ** 2).sum()) / (n_trials * n_members)
    if n_groups == 1:  # Such as a single run, which says nothing of others.
        return most
    if total == 0:
        return 1.0
    excess = max(0.0, n_groups / (n_groups - 1) * shared / total - 1)
    return max(1.0, min(1 + excess * (_student(max(1, (n_groups - 1) // 2)) / _Z) ** 2, most))


def _sum_of_products(deviations: NDArray[np.float64], members: NDArray[np.integer]) -> float:
    """Return the sum of products of all two deviations, also of one with itself, that have a member in common."""
    if members.shape[1] == 1:
        return float((np.bincount(members[:, 0], weights=deviations) ** 2).sum())
    twice = members[:, 0] == members[:, 1]  # Such as the class of a pair of one class: one member.
    n = int(members.max()) + 1
    sums = np.bincount(members[:, 0], weights=deviations, minlength=n)
    sums += np.bincount(members[~twice, 1], weights=deviations[~twice], minlength=n)
    _, pair = np.unique(_number_of_pair(members[~twice]), return_inverse=True)
    both = np.bincount(pair, weights=deviations[~twice])  # Who shares both members was counted for each.
    return float((sums**2).sum() - (both**2).sum())


def _number_of_pair(members: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return one number for each unordered pair, shape (n_pairs,), from pairs of shape (n_pairs, 2)."""
    ordered = np.sort(members.astype(np.int64), axis=1)
    return ordered[:, 0] << 32 | ordered[:, 1]


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
    return 0.0 if share == 0 else centre - half, 1.0 if share == 1 else centre + half
