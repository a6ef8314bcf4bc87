"""TensorBoard gets every epoch once, and what it gets decides nothing."""

import json
import math
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from omnishot.config import PrepareSettings, TrainSettings
from omnishot.errors import StoppedError, UnavailableError
from omnishot.presets import preset_text
from omnishot.settings_text import check
from omnishot.stages import tensorboard
from omnishot.stages.prepare import prepare
from omnishot.stages.produce import StageResult
from omnishot.stages.tensorboard import EVENTS
from omnishot.stages.train import RunOptions, train
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from tests.stop_signals import SignalAfter


@pytest.fixture(scope="module")
def pairs(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("tensorboard")
    settings = PrepareSettings(split="alphabets", pairs=4, affine=0, validation_pairs=10, test_pairs=10)
    store = Store(folder / "artifacts")
    made = prepare(store, settings, source=str(picture_folder))
    return made.artifact


def run(
    pairs: Artifact, *, steps: int = 1000, logs: bool = True, seed: int = 0, told: list[str] | None = None, **more: Any
) -> StageResult:
    values = read_yaml(preset_text("quick"), origin="quick")
    values |= {"epochs": 4, "max_minutes": None, "validation_trials": 20, "precision": "fp32", "seed": seed}
    values["objective"] |= {"batches_per_epoch": 2, "classes_per_batch": 5, "within_alphabet": 1.0}
    settings = check(TrainSettings, {**values, "log": {"tensorboard": logs}}, origin="quick")

    store = Store(pairs.path.parents[2], tell=(told if told is not None else []).append)
    force = more.pop("force", False)
    options = RunOptions(watch_signals=lambda: nullcontext(SignalAfter(steps)), **more)
    return train(store, pairs, settings, name="quick", device="cpu", force=force, options=options)


@pytest.mark.slow
def test_a_run_that_was_interrupted_has_every_epoch_once(pairs: Artifact) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(StoppedError):
        run(pairs, steps=5)
    made = run(pairs, resume=True)
    accumulator = EventAccumulator(str(made.artifact.file(EVENTS)))
    accumulator.Reload()
    history = [json.loads(line) for line in made.artifact.file("history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    for tag, key in (
        ("loss", "loss"),
        ("accuracy/training", "training_accuracy"),
        ("accuracy/validation", "validation_accuracy"),
        ("learning_rate", "learning_rate"),
        ("pairs_per_second", "pairs_per_second"),
    ):
        points = accumulator.Scalars(tag)
        assert [point.step for point in points] == [1, 2, 3, 4]
        assert all(math.isclose(p.value, row[key], rel_tol=1e-6) for p, row in zip(points, history, strict=True))
        assert all(a.wall_time <= b.wall_time for a, b in pairwise(points))
    assert {path.name for path in made.artifact.path.glob("*tfevents*")} == {EVENTS}
    made.artifact.verify()


def test_logging_is_no_part_of_the_recipe_and_a_model_without_it_is_reused_with_a_word(
    pairs: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: "found")
    plain = run(pairs, logs=False, seed=1)
    told: list[str] = []
    assert run(pairs, seed=1, told=told).artifact.manifest.recipe == plain.artifact.manifest.recipe
    assert told == ["Nothing was trained, so that nothing was written for TensorBoard; --force trains again"]


def test_without_the_package_the_run_ends_before_it_begins(pairs: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="needs the package tensorboard") as caught:
        run(pairs, force=True)
    assert caught.value.exit_code == 6
    assert "pip install 'tensorboard>=2.17'" in caught.value.hint
