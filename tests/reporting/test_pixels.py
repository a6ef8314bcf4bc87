"""What loses to pixels by more than chance is said in words, and nothing else is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.formats.evaluation import EvaluationSummary, Result
from omnishot.reporting.formats import as_markdown
from omnishot.reporting.pixels import losses_to_pixels
from omnishot.reporting.results import Measured
from omnishot.reporting.tables import tables_of
from omnishot.store.artifact import Artifact

N_TRIALS = 400


@dataclass
class Evaluation:
    """An evaluation's folder, in place of an artifact."""

    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / name


def scores(share: float, *, seed: int) -> NDArray[np.float32]:
    """Return scores of 5-way trials, of which a share is right."""
    rng = np.random.default_rng(seed)
    found = rng.random((N_TRIALS, 5)).astype(np.float32)
    found[:, 0] = np.where(np.arange(N_TRIALS) < share * N_TRIALS, 2, -1)
    return rng.permutation(found)


def measured_as(folder: Path, accuracies: dict[str, float]) -> dict[tuple[str, int | None], str]:
    """Return the losses in an evaluation in which methods have these accuracies at 5 ways."""
    results = []
    with h5py.File(folder / "scores.h5", "w") as file:
        file["trials/query"] = np.arange(N_TRIALS, dtype=np.int32)
        file["trials/support"] = np.zeros((N_TRIALS, 5, 1), dtype=np.int32)
        file["trials/episode"] = np.arange(N_TRIALS, dtype=np.int32)
        for number, (method, share) in enumerate(accuracies.items()):
            found = scores(share, seed=number)
            file[f"{method.replace('/', '|')}/scores"] = found
            correct = int((found[:, 0] > found[:, 1:].max(axis=1)).sum())
            results.append(result(method, correct))
    summary = EvaluationSummary(
        data="pairs/a:v1", source="a", models={}, seed=0, device="cpu", comparisons=(), results=tuple(results)
    )
    return losses_to_pixels(cast(Artifact, Evaluation(folder)), summary)


def result(model: str, correct: int, **changes: Any) -> Result:
    values: dict[str, Any] = {
        "model": model, "protocol": "within", "on": "test", "ways": 5, "shots": 1, "trials": N_TRIALS,
        "correct": correct, "accuracy": correct / N_TRIALS, "ci95": (0.0, 1.0), "alphabets": 1,
    }  # fmt: skip
    return Result(**{**values, **changes})


def test_a_network_that_pixels_beat_is_named_with_both_accuracies(tmp_path: Path) -> None:
    losses = measured_as(tmp_path, {"models/a:v1": 0.3, "models/b:v1": 0.9, "nearest-neighbour": 0.5, "random": 0.2})
    assert list(losses) == [("models/a:v1", 5)]
    assert "models/a:v1 is worse here than comparing pixels: 30.0 % against 50.0 %" in losses["models/a:v1", 5]
    assert "the same 400 5-way trials" in losses["models/a:v1", 5]


@pytest.mark.parametrize("share", [0.49, 0.5, 0.7])
def test_what_may_be_chance_is_no_loss(share: float, tmp_path: Path) -> None:
    assert measured_as(tmp_path, {"models/a:v1": share, "nearest-neighbour": 0.5}) == {}


def test_baselines_lose_without_a_word(tmp_path: Path) -> None:
    assert measured_as(tmp_path, {"random": 0.2, "nearest-neighbour": 0.5}) == {}


def test_every_table_says_it() -> None:
    loss = "models/a:v1 is worse here than comparing pixels"
    for protocol, ways, n in (("within", (5,), 1), ("within", (2, 5), 2), ("lake", (20,), 1)):
        items = [
            Measured(
                result("models/a:v1", 10, protocol=protocol, ways=n_way), "evals/a:v1", "d", "s", 0, "cpu", loss=loss
            )
            for n_way in ways
        ]
        text = as_markdown(tables_of(items).in_order)
        assert text.count("worse here than comparing pixels") == 1, (protocol, ways, n)
