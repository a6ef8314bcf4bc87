"""Intervals cover what they should and respect what trials share."""

import numpy as np
import pytest

from omnishot.evaluation.intervals import accuracy_interval, difference_interval


def test_independent_trials_have_the_binomial_interval() -> None:
    correct = np.arange(400) < 300
    low, high = accuracy_interval(correct, np.arange(400, dtype=np.int32), np.random.default_rng(0))
    # 0.75 plus and minus 1.96 times the square root of 0.75 x 0.25 / 400.
    assert [low, high] == pytest.approx([0.7076, 0.7924], abs=0.004)


def test_trials_that_stand_and_fall_together_count_once() -> None:
    correct = np.repeat(np.arange(20) < 15, 20)
    shared = accuracy_interval(correct, np.repeat(np.arange(20, dtype=np.int32), 20), np.random.default_rng(0))
    single = accuracy_interval(correct, np.arange(400, dtype=np.int32), np.random.default_rng(0))
    assert shared[1] - shared[0] == pytest.approx((single[1] - single[0]) * 20**0.5, rel=0.1)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    episode = np.repeat(np.arange(40, dtype=np.int32), 10)
    covered = 0
    for _ in range(200):
        chances = rng.beta(8, 2, size=40)  # Mean 0.8, different from episode to episode.
        correct = rng.random(400) < np.repeat(chances, 10)
        low, high = accuracy_interval(correct, episode, rng)
        covered += low <= 0.8 <= high
    assert 0.89 <= covered / 200 <= 0.985


def test_a_perfect_result_still_has_an_interval() -> None:
    low, high = accuracy_interval(np.ones(400, dtype=bool), np.arange(400, dtype=np.int32), np.random.default_rng(0))
    assert high == pytest.approx(1)
    assert low == pytest.approx(0.9905, abs=0.0005)  # Wilson's lower end for 400 of 400.


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(1000) < 0.5
    first = ~hard | (rng.random(1000) < 0.2)
    second = first & (rng.random(1000) < 0.95)
    episode = np.arange(1000, dtype=np.int32)
    low, high = difference_interval(first, second, episode, np.random.default_rng(0))
    assert 0 < low < first.mean() - second.mean() < high
    alone = accuracy_interval(first, episode, np.random.default_rng(0))
    assert high - low < alone[1] - alone[0]
