"""95 % intervals that respect what trials share: whole runs or episodes are resampled, not queries."""

import math

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
"""Bootstrap samples behind an interval."""

_Z = 1.959963984540054


def accuracy_interval(
    correct: NDArray[np.bool_], episode: NDArray[np.int32], rng: np.random.Generator
) -> tuple[float, float]:
    """Return a percentile bootstrap interval, in [0, 1], of the mean outcome of trials, shape (n_trials,).

    Trials of one number in `episode` share their support set and are resampled together. Where all episodes have the
    same accuracy a bootstrap sees no spread, so Wilson's interval for as many trials as there are episodes stands in.

    Source: Efron & Tibshirani 1993, chapter 13; Field & Welsh 2007 for clusters; Wilson 1927.
    """
    sizes, right = _per_episode(correct, episode)
    n = len(sizes)
    if np.ptp(right / sizes) == 0:
        return wilson_interval(float(right.sum() / sizes.sum()), n)
    if (sizes == 1).all():  # The mean of resampled single trials is binomial: no need to draw them one by one.
        means = rng.binomial(n, right.mean(), RESAMPLES) / n
    else:
        means = _resampled(right, rng, weights=sizes)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def difference_interval(
    first: NDArray[np.bool_], second: NDArray[np.bool_], episode: NDArray[np.int32], rng: np.random.Generator
) -> tuple[float, float]:
    """Return a paired bootstrap interval of how much more accurate `first` is than `second` on the same trials.

    Both are outcomes, shape (n_trials,); trials of one number in `episode` are resampled together. Where the two never
    differ, the interval is that of no difference in as many trials as there are episodes.
    """
    sizes, right = _per_episode(first, episode)
    _, other = _per_episode(second, episode)
    if np.ptp((right - other) / sizes) == 0:
        difference, reach = float((right - other).sum() / sizes.sum()), wilson_interval(0.0, len(sizes))[1]
        return difference - reach, difference + reach
    low, high = np.quantile(_resampled(right - other, rng, weights=sizes), [0.025, 0.975])
    return float(low), float(high)


def _per_episode(
    correct: NDArray[np.bool_], episode: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, place = np.unique(episode, return_inverse=True)
    return np.bincount(place).astype(np.float64), np.bincount(place, weights=correct).astype(np.float64)


def _resampled(
    values: NDArray[np.float64], rng: np.random.Generator, *, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    n = len(values)
    means = np.empty(RESAMPLES)
    block = max(1, (1 << 22) // n)
    for start in range(0, RESAMPLES, block):
        picks = rng.integers(0, n, size=(min(block, RESAMPLES - start), n))
        means[start : start + block] = values[picks].sum(axis=1) / weights[picks].sum(axis=1)
    return means


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's score interval of a share, in [0, 1], of n independent trials.

    Source: Wilson 1927.
    """
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
