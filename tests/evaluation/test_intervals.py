"""Intervals cover what they should, respect what trials share, and hold at 0 and 1 too."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.evaluation.intervals import (
    Dependence,
    _student,
    accuracy_interval,
    difference_interval,
    effective_trials,
)

Simulation = Callable[[np.random.Generator], tuple[NDArray[np.bool_], Dependence]]


def independent(n: int) -> Dependence:
    return Dependence(np.arange(n), (np.arange(n),))


def of_runs(n_runs: int, n_query: int) -> Dependence:
    return Dependence(np.arange(n_runs * n_query), (np.repeat(np.arange(n_runs), n_query),))


def logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))


def test_independent_trials_have_the_binomial_interval() -> None:
    low, high = accuracy_interval(np.arange(400) < 300, independent(400))
    # 0.75 plus and minus 1.96 times the square root of 0.75 x 0.25 / 400.
    assert [low, high] == pytest.approx([0.7076, 0.7924], abs=0.003)


def test_trials_that_stand_and_fall_together_count_once() -> None:
    correct = np.repeat(np.arange(20) < 15, 20).astype(np.float64)
    # 20 runs, and Student's quantile for 19 degrees of freedom, 2.093, in place of 1.96.
    assert effective_trials(correct, of_runs(20, 20)) == pytest.approx(20 * 19 / 20 * (1.96 / 2.093) ** 2, rel=0.02)


def test_a_question_that_is_asked_a_thousand_times_is_asked_once() -> None:
    asked = np.repeat(np.arange(10), 1000)
    for right in (5, 9, 10):
        low, high = accuracy_interval(asked < right, Dependence(asked, (np.arange(10_000),)))
        assert high - low > 0.27, right


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (19, 2.093), (120, 1.980)]
)
def test_students_quantile_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert _student(degrees) == pytest.approx(quantile, abs=0.003)


def runs(mean: float, of_run: float, of_class: float) -> tuple[Simulation, float]:
    """Return Lake's design, 20 runs of 20 queries with logits that vary by run and by class, and its true accuracy."""
    spread = float(np.hypot(of_run, of_class))

    def simulate(rng: np.random.Generator) -> tuple[NDArray[np.bool_], Dependence]:
        run = np.repeat(np.arange(20), 20)
        logits = mean + of_run * rng.standard_normal(20)[run] + of_class * rng.standard_normal(400)
        return rng.random(400) < logistic(logits), of_runs(20, 20)

    return simulate, true_accuracy(mean, spread)


def own_images(mean: float, n_trials: int, n_classes: int, n_images: int) -> tuple[Simulation, float]:
    """Return trials with replacement over few classes of few images, and the accuracy on all such classes."""

    def simulate(rng: np.random.Generator) -> tuple[NDArray[np.bool_], Dependence]:
        query = rng.integers(0, n_classes * n_images, n_trials)
        of_class, of_image = rng.standard_normal(n_classes), rng.standard_normal(n_classes * n_images)
        correct = rng.random(n_trials) < logistic(mean + of_class[query // n_images] + of_image[query])
        return correct, Dependence(query, (query // n_images, query))

    return simulate, true_accuracy(mean, 2**0.5)


def true_accuracy(mean: float, spread: float) -> float:
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(logistic(mean + spread * points) @ weights / weights.sum())


@pytest.mark.parametrize(
    ("simulation", "least"),
    [
        (runs(1.5, 0.5, 1.0), 0.92),
        (runs(3.5, 1.0, 1.0), 0.90),
        (runs(5.0, 0.0, 0.0), 0.93),
        (runs(5.0, 1.0, 1.0), 0.91),
        (runs(6.5, 0.5, 1.0), 0.93),
        (own_images(2.0, 400, 659, 20), 0.90),
        (own_images(2.0, 2000, 10, 5), 0.93),
        (own_images(4.0, 2000, 10, 5), 0.93),
    ],
    ids=["runs 77 %", "runs 94 %", "runs 99.3 %", "runs 98.4 %", "runs 99.7 %", "omniglot", "own images", "own, 96 %"],
)
def test_the_interval_covers_the_truth_as_often_as_it_says(simulation: tuple[Simulation, float], least: float) -> None:
    simulate, truth = simulation
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        low, high = accuracy_interval(*simulate(rng))
        covered += low <= truth <= high
    assert covered / 400 >= least


def test_the_interval_changes_smoothly_up_to_a_perfect_result() -> None:
    ends = []
    for n_wrong in (4, 3, 2, 1, 0):
        correct = np.ones(400, dtype=bool)
        correct[np.arange(n_wrong) * 37] = False
        ends.append(accuracy_interval(correct, of_runs(20, 20)))
    steps = np.diff([low for low, _ in ends])
    assert (steps > 0).all()
    assert steps.max() < 0.006
    assert ends[-1] == pytest.approx((0.9905, 1), abs=0.0005)  # Wilson's interval for 400 of 400.
    assert accuracy_interval(np.zeros(400, dtype=bool), of_runs(20, 20)) == pytest.approx((0, 0.0095), abs=0.0005)


def test_methods_that_never_differ_have_a_narrow_interval_around_no_difference() -> None:
    correct = np.arange(400) < 390
    low, high = difference_interval(correct, correct, of_runs(20, 20))
    assert low == -high
    assert 0.002 < high < 0.01


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(1000) < 0.5
    first = ~hard | (rng.random(1000) < 0.2)
    second = first & (rng.random(1000) < 0.95)
    low, high = difference_interval(first, second, independent(1000))
    assert 0 < low < first.mean() - second.mean() < high
    alone = accuracy_interval(first, independent(1000))
    assert high - low < alone[1] - alone[0]


@pytest.mark.parametrize(("mean", "gain"), [(2.0, 0.0), (2.0, 0.5), (4.0, 1.0)])
def test_the_paired_interval_covers_the_true_difference(mean: float, gain: float) -> None:
    rng, truth, covered = np.random.default_rng(0), true_accuracy(mean + gain, 1) - true_accuracy(mean, 1), 0
    for _ in range(400):
        ease = rng.standard_normal(400)
        better, worse = (rng.random(400) < logistic(mean + more + ease) for more in (gain, 0.0))
        low, high = difference_interval(better, worse, of_runs(20, 20))
        covered += low <= truth <= high
    assert covered / 400 >= 0.92
