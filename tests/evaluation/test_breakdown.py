"""Breakdowns count what a naive loop counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.evaluation.breakdown import accuracy_by_group, chosen_column, roc
from omnishot.evaluation.intervals import dependence_of_trials, wilson_interval
from omnishot.evaluation.oneshot import correct_trials
from omnishot.evaluation.verification import verify


@given(st.integers(0, 99), st.integers(1, 6))
def test_the_right_class_is_chosen_exactly_in_the_trials_that_count_as_right(seed: int, n_way: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 3, (20, n_way)).astype(np.float32)  # Full of ties.
    assert ((chosen_column(scores) == 0) == correct_trials(scores, n_way)).all()


def test_of_the_wrong_classes_the_best_is_chosen() -> None:
    scores = np.array([[1, 0, 3, 2], [5, 0, 5, 1], [9, 1, 2, 3]], dtype=np.float32)
    assert chosen_column(scores).tolist() == [2, 2, 0]


def test_groups_add_up_and_the_worst_comes_first() -> None:
    correct, group = np.array([1, 1, 0, 1, 0, 0], dtype=bool), np.array([4, 4, 4, 2, 2, 7])
    found = accuracy_by_group(correct, group, dependence_of_trials(np.arange(6), np.arange(6), 6))
    assert [(item.group, item.correct, item.trials) for item in found] == [(7, 0, 1), (2, 1, 2), (4, 2, 3)]
    assert all(item.ci95[0] <= item.accuracy <= item.ci95[1] for item in found)


def test_a_trial_of_a_group_is_worth_what_one_of_the_whole_is() -> None:
    correct, group = np.repeat(np.arange(20) % 4 > 0, 20), np.arange(400) // 40
    runs = dependence_of_trials(np.arange(400), np.arange(400) // 20, 400)  # Which are right or wrong as a whole.
    one = next(item for item in accuracy_by_group(correct, group, runs) if item.correct == item.trials == 40)
    assert one.ci95 == pytest.approx(wilson_interval(1.0, 2))


@given(st.integers(0, 99))
def test_the_curve_has_the_rates_of_every_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, same = rng.integers(0, 12, 40).astype(np.float32), np.arange(40) < 15
    curve = roc(scores, same)
    points = set(zip(curve.false_acceptance.tolist(), curve.true_acceptance.tolist(), strict=True))
    every = {(float((scores[~same] >= t).mean()), float((scores[same] >= t).mean())) for t in scores} | {(0.0, 0.0)}
    assert points <= every
    for false, true in every - points:  # What is left out lies on the line between two others.
        assert np.interp(false, curve.false_acceptance, curve.true_acceptance) == pytest.approx(true) or (
            false in curve.false_acceptance
        )
    assert (points & {(0.0, 0.0), (1.0, 1.0)}) == {(0.0, 0.0), (1.0, 1.0)}


def test_the_equal_error_rate_lies_on_the_curve() -> None:
    rng = np.random.default_rng(0)
    same = np.arange(4000) < 2000
    scores = (rng.normal(size=4000) + 2 * same).astype(np.float32)
    curve, error = roc(scores, same), verify(scores, same, 1.0).equal_error_rate
    assert np.interp(error, curve.false_acceptance, curve.true_acceptance) == pytest.approx(1 - error, abs=2e-3)
