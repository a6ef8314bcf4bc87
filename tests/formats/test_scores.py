"""Scores come back as they were written, and what cannot be one is refused."""

from pathlib import Path

import numpy as np
import pytest

from omnishot.errors import DamagedFileError
from omnishot.formats.evaluation import EvaluationSummary, write_evaluation
from omnishot.formats.scores import read_pair_scores, read_trial_scores

TRIALS = {
    "query": np.array([0, 1], np.int32),
    "support": np.array([[[2], [3]], [[4], [5]]], np.int32),
    "episode": np.array([0, 0], np.int32),
}
PAIRS = {"left": np.array([0, 1], np.int32), "right": np.array([2, 3], np.int32), "same": np.array([True, False])}


def written(folder: Path, group: str, arrays: dict[str, np.ndarray], scores: np.ndarray) -> Path:
    summary = EvaluationSummary(data="x", source="x", models={}, seed=0, device="cpu", comparisons=(), results=())
    write_evaluation(folder, summary, {group: arrays, "models/m:v1": {"scores": scores}})
    return folder / "scores.h5"


def test_trials_and_scores_come_back(tmp_path: Path) -> None:
    scores = np.array([[1, 2], [3, 4]], np.float32)
    found = read_trial_scores(written(tmp_path, "trials", TRIALS, scores), ["models/m:v1", "random"], n_images=6)
    assert list(found.scores) == ["models/m:v1"]
    assert (found.scores["models/m:v1"] == scores).all()
    assert found.support.tolist() == TRIALS["support"].tolist()


def test_pairs_and_scores_come_back(tmp_path: Path) -> None:
    found = read_pair_scores(written(tmp_path, "pairs", PAIRS, np.array([1, 2], np.float32)), ["models/m:v1"])
    assert found.same.tolist() == [True, False]
    assert found.scores["models/m:v1"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "changes",
    [
        {"query": np.array([0, 9], np.int32)},
        {"query": np.array([0], np.int32)},
        {"support": np.zeros((2, 2), np.int32)},
    ],
    ids=["an image that is not there", "too few queries", "no shots"],
)
def test_trials_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    path = written(tmp_path, "trials", {**TRIALS, **changes}, np.zeros((2, 2), np.float32))
    with pytest.raises(DamagedFileError):
        read_trial_scores(path, ["models/m:v1"], n_images=6)


def test_scores_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="shape"):
        read_pair_scores(written(tmp_path, "pairs", PAIRS, np.zeros(3, np.float32)), ["models/m:v1"])


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_pairs_without_a_score_are_refused_and_trials_without_one_are_wrong(tmp_path: Path, odd: float) -> None:
    scores = np.array([[odd, 2], [3, 4]], np.float32)
    with pytest.raises(DamagedFileError, match=r"scores\.h5 does not hold .* 1 scores of models/m:v1 are not finite"):
        read_pair_scores(written(tmp_path, "pairs", PAIRS, scores[0]), ["models/m:v1"])
    trials = tmp_path / "trials"
    trials.mkdir()
    found = read_trial_scores(written(trials, "trials", TRIALS, scores), ["models/m:v1"], n_images=6)
    assert np.isnan(found.scores["models/m:v1"][0, 0]) == np.isnan(odd)
