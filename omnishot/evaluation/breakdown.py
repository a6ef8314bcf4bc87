"""Where a method is right and where it errs, from the scores of its queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.evaluation.intervals import Dependence, effective_trials, wilson_interval


@dataclass(frozen=True, slots=True)
class GroupAccuracy:
    """How many trials of one group, such as an alphabet, are right.

    Attributes:
        group: Number of the group.
        trials: Its trials.
        correct: How many of them are right.
        ci95: 95 % interval of the accuracy, see `accuracy_by_group`.
    """

    group: int
    trials: int
    correct: int
    ci95: tuple[float, float]

    @property
    def accuracy(self) -> float:
        """Share of right trials, in [0, 1]."""
        return self.correct / self.trials


def accuracy_by_group(
    correct: NDArray[np.bool_], group: NDArray[np.integer], dependence: Dependence
) -> list[GroupAccuracy]:
    """Return the accuracy in each group, the worst first, from the outcome and the group of each trial.

    A group, such as an alphabet with two of Lake's runs, is too small to tell how its trials depend on each other: each
    of them is worth what a trial is worth on the whole.
    """
    worth = effective_trials(correct.astype(np.float64), dependence) / len(correct)
    found = []
    for number in np.unique(group).tolist():
        chosen = correct[group == number]
        right, n = int(chosen.sum()), len(chosen)
        found.append(GroupAccuracy(number, n, right, wilson_interval(right / n, worth * n)))
    return sorted(found, key=lambda item: item.accuracy)


def chosen_column(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return which class of its support set each query was taken for; 0 is right.

    Scores have the shape (n_trials, n_way), column 0 for the right class; where a wrong one is equally good, it is
    chosen.
    """
    if scores.shape[1] == 1:
        return np.zeros(len(scores), dtype=np.int64)
    best_wrong = scores[:, 1:].argmax(axis=1) + 1
    is_right = scores[:, 0] > scores[np.arange(len(scores)), best_wrong]
    return np.where(is_right, 0, best_wrong)


@dataclass(frozen=True, slots=True)
class Roc:
    """Both rates of acceptance at every threshold, from the strictest to none; each of shape (n_thresholds,).

    Attributes:
        false_acceptance: Share of different pairs that are called the same.
        true_acceptance: Share of same pairs that are.
    """

    false_acceptance: NDArray[np.float64]
    true_acceptance: NDArray[np.float64]


def roc(scores: NDArray[np.float32], same: NDArray[np.bool_]) -> Roc:
    """Return the receiver operating characteristic, without the points on straight lines between others.

    `same` is the truth, with both values in it; it and the scores have the shape (n_pairs,).
    """
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], same[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # Pairs that score alike are accepted together.
    accepted = np.concatenate([[0], np.cumsum(truth)[last]]), np.concatenate([[0], np.cumsum(~truth)[last]])
    steps = np.diff(np.stack(accepted), axis=1)
    turns = (steps[0, 1:] * steps[1, :-1]) != (steps[0, :-1] * steps[1, 1:])
    kept = np.concatenate([[True], turns, [True]])
    return Roc(accepted[1][kept] / (~same).sum(), accepted[0][kept] / same.sum())
