"""Intervals cover what they should, respect what trials share, and hold at 0 and 1 too."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omnishot.data.episodes import count_questions
from omnishot.evaluation.intervals import (
    Dependence,
    _student,
    _sum_of_products,
    accuracy_interval,
    dependence_of_pairs,
    dependence_of_trials,
    difference_interval,
    effective_trials,
    mcnemar_p,
)

sys.path.append(str(Path(__file__).parents[1] / "bench"))

from intervals import Simulation, few_images, few_pairs, logistic, runs, true_accuracy


def independent(n: int) -> Dependence:
    return of_runs(n, 1)


def of_runs(n_runs: int, n_query: int) -> Dependence:
    n = n_runs * n_query
    return dependence_of_trials(np.arange(n), np.repeat(np.arange(n_runs), n_query), n)


def test_independent_trials_have_the_binomial_interval() -> None:
    low, high = accuracy_interval(np.arange(400) < 300, independent(400))
    # 0.75 plus and minus 1.96 times the square root of 0.75 x 0.25 / 400.
    assert [low, high] == pytest.approx([0.7076, 0.7924], abs=0.003)


def test_trials_that_stand_and_fall_together_count_once() -> None:
    correct = np.repeat(np.arange(20) < 15, 20).astype(np.float64)
    assert effective_trials(correct, of_runs(20, 20)) == pytest.approx(20)


@pytest.mark.parametrize("n_questions", [10, 160, 10_000])
@pytest.mark.parametrize("right", [3, 9, 10])
def test_an_image_that_is_asked_about_a_thousand_times_is_asked_about_once(n_questions: int, right: int) -> None:
    asked = np.repeat(np.arange(10), 1000)
    dependence = dependence_of_trials(asked, np.arange(10_000), n_questions)
    low, high = accuracy_interval(asked < right, dependence)
    expected = {3: (0.108, 0.603), 9: (0.596, 0.982), 10: (0.722, 1)}[right]  # Wilson's, of 10.
    assert (low, high) == pytest.approx(expected, abs=0.005)
    other = np.where(asked == 9, ~(asked < right), asked < right)
    change = difference_interval(other, asked < right, dependence)
    assert change[1] - change[0] > 0.35
    assert mcnemar_p(other, asked < right, dependence) == 1


def test_answers_at_random_to_ten_questions_are_no_more_than_ten() -> None:
    asked, correct = np.repeat(np.arange(10), 1000), np.random.default_rng(0).random(10_000) < 0.5
    low, high = accuracy_interval(correct, dependence_of_trials(asked, np.arange(10_000), 10))
    assert high - low > 0.5


def test_pairs_of_few_images_are_no_more_than_these() -> None:
    rng = np.random.default_rng(0)
    left = rng.integers(0, 10, 5000)
    right = (left + rng.integers(1, 10, 5000)) % 10
    dependence = dependence_of_pairs(left, right)
    assert dependence.n_questions == 45  # Whichever is on the left.
    for wrong in (-1, 3):  # None, or all pairs of one image.
        low, high = accuracy_interval((left != wrong) & (right != wrong), dependence)
        assert high - low > 0.2, wrong


def test_what_pairs_share_is_what_a_naive_sum_over_all_two_says() -> None:
    rng = np.random.default_rng(0)
    members, deviations = rng.integers(0, 6, (200, 2)), rng.standard_normal(200)  # Some have one member twice.
    rows = [{int(a), int(b)} for a, b in members]
    shared = sum(deviations[i] * deviations[j] for i in range(200) for j in range(200) if rows[i] & rows[j])
    assert _sum_of_products(deviations, members) == pytest.approx(shared)


def test_questions_are_the_same_in_whatever_order_the_classes_are_offered() -> None:
    query = np.array([1, 1, 1, 2], dtype=np.int32)
    support = np.array([[5, 6, 7], [5, 7, 6], [5, 6, 8], [5, 6, 7]], dtype=np.int32)[:, :, None]
    assert count_questions(query, support) == 3
    assert count_questions(query, support[:, :1]) == 2


def test_mcnemars_test_is_the_sign_test_of_the_tables() -> None:
    first, second = np.ones(400, dtype=bool), np.ones(400, dtype=bool)
    first[:2], second[2:12] = False, False  # Better in 10 trials, worse in 2: 2 x (1 + 12 + 66) / 2^12.
    assert mcnemar_p(first, second, independent(400)) == pytest.approx(0.03857, abs=1e-5)
    assert mcnemar_p(first, first, independent(400)) == 1
    assert mcnemar_p(first, second, independent(400)) == mcnemar_p(second, first, independent(400))
    assert 0 <= mcnemar_p(np.ones(20_000, dtype=bool), np.zeros(20_000, dtype=bool), independent(20_000)) < 1e-300


def in_classes(of_class: NDArray[np.integer]) -> Dependence:
    """Return what trials have in common that ask about an image each, which is of a class."""
    n = len(of_class)
    return dependence_of_trials(np.arange(n), np.arange(n), n, of_class)


def test_classes_that_one_method_knows_and_the_other_does_not_have_one_vote_each() -> None:
    of_class = np.repeat(np.arange(10), 100)
    first, dependence = of_class < 6, in_classes(of_class)
    low, high = difference_interval(first, ~first, dependence)
    assert low < -0.3 < 0.6 < high
    assert mcnemar_p(first, ~first, dependence) > 0.5


def test_few_classes_that_are_always_right_are_no_more_than_these() -> None:
    dependence = in_classes(np.repeat(np.arange(5), 1000))
    low, high = accuracy_interval(np.ones(5000, dtype=bool), dependence)
    assert (low, high) == pytest.approx((0.566, 1), abs=0.005)  # Wilson's, of 5.


def test_differences_of_groups_count_by_their_size() -> None:
    of_class = np.repeat(np.arange(4), 100)
    first = (of_class < 3) & (np.arange(400) % 100 < 90)
    second = np.arange(400) % 100 < np.array([0, 60, 80, 90])[of_class]
    leads = np.array([90, 30, 10, -90])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    expected = (np.abs(leads @ signs) >= abs(leads.sum())).mean()
    assert mcnemar_p(first, second, in_classes(of_class)) == pytest.approx(expected)


@given(
    shares=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
    n_images=st.integers(1, 40),
    n_episodes=st.integers(1, 50),
    seed=st.integers(0, 1 << 16),
)
def test_a_difference_that_is_no_chance_has_an_interval_without_0(
    shares: list[tuple[float, float]], n_images: int, n_episodes: int, seed: int
) -> None:
    of_class, rng = np.repeat(np.arange(len(shares)), n_images), np.random.default_rng(seed)
    n = len(of_class)
    first, second = (rng.random(n) < np.array(shares)[of_class, i] for i in (0, 1))
    dependence = dependence_of_trials(np.arange(n), np.arange(n) % n_episodes, n, of_class)
    low, high = difference_interval(first, second, dependence)
    assert mcnemar_p(first, second, dependence) >= 0.001 or low > 0 or high < 0


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (19, 2.093), (120, 1.980)]
)
def test_students_quantile_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert _student(degrees) == pytest.approx(quantile, abs=0.003)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("simulation", "most"),
    [
        (runs(0.0, 0.5, 1.0), 0.98),
        (runs(1.5, 1.0, 1.0), 0.98),
        (runs(3.5, 1.0, 1.0), 0.98),
        (runs(5.0, 0.0, 0.0), 1),
        (runs(6.5, 0.5, 1.0), 1),
        (few_images(0.0, 659, 20), 0.98),
        (few_images(3.0, 659, 20), 0.98),
        (few_images(2.0, 200, 4), 0.98),
        (few_images(5.0, 200, 4), 1),
        (few_images(2.0, 5, 2), 1),
        (few_images(0.0, 5, 2, spread=0), 1),
        (few_pairs(2.0), 0.98),
    ],
    ids=["runs 50 %", "runs 74 %", "runs 94 %", "runs 99.3 %", "runs 99.7 %", "omniglot 50 %", "omniglot 89 %",
         "small", "small, 98 %", "tiny", "tiny, at random", "pairs"],
)  # fmt: skip
def test_the_interval_covers_the_truth_as_often_as_it_says(simulation: tuple[Simulation, float], most: float) -> None:
    simulate, truth = simulation
    rng, covered = np.random.default_rng(0), 0
    for _ in range(200):
        low, high = accuracy_interval(*simulate(rng))
        covered += low <= truth <= high
    assert 0.91 <= covered / 200 <= most  # 95 % within three standard errors; tests/bench/intervals.py draws more.


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
