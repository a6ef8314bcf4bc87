"""Interrupted trainings continue exactly; what they had reached is not lost by starting over."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from omnishot.config import PrepareSettings, TrainSettings
from omnishot.errors import NotFoundError, StoppedError
from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint
from omnishot.presets import preset_text
from omnishot.settings_text import check
from omnishot.stages.checkpointer import Interval
from omnishot.stages.prepare import prepare
from omnishot.stages.produce import StageResult
from omnishot.stages.train import RunOptions, train
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from tests.stop_signals import SIGTERM, SignalAfter

pytestmark = pytest.mark.slow

QUICK = {"epochs": 2, "max_minutes": None, "validation_trials": 20, "precision": "fp32"}


@pytest.fixture(scope="module")
def pairs(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("resume")
    settings = PrepareSettings(split="alphabets", pairs=4, affine=0, validation_pairs=10, test_pairs=10)
    store = Store(folder / "artifacts")
    made = prepare(store, settings, source=str(picture_folder))
    return made.artifact


def run(pairs: Artifact, *, steps: int = 1000, **more: Any) -> StageResult:
    values = read_yaml(preset_text("quick"), origin="quick") | QUICK
    values["objective"] |= {"batches_per_epoch": 4, "classes_per_batch": 5, "within_alphabet": 1.0}
    store = Store(pairs.path.parents[2], tell=more.pop("tell", lambda sentence: None))
    settings = check(TrainSettings, values | more.pop("changes", {}), origin="quick")
    force = more.pop("force", False)
    options = RunOptions(watch_signals=lambda: nullcontext(SignalAfter(steps)), **more)
    return train(store, pairs, settings, name="quick", device="cpu", force=force, options=options)


def weights(made: StageResult) -> str:
    return made.artifact.manifest.files["weights.safetensors"].sha256


def test_a_run_that_is_interrupted_again_and_again_ends_with_the_same_weights(pairs: Artifact) -> None:
    whole = run(pairs, force=True)
    steps, resume = [2, 2, 1, 0, 2], False  # Stops within an epoch, at its end and at its beginning.
    for count in steps:
        with pytest.raises(StoppedError):
            run(pairs, steps=count, resume=resume, force=True)
        resume = True
    assert weights(run(pairs, resume=True, force=True)) == weights(whole)


def test_starting_over_does_not_lose_what_an_interrupted_run_had_reached(pairs: Artifact) -> None:
    changes = {"seed": 1}
    with pytest.raises(StoppedError):
        run(pairs, steps=6, changes=changes)
    (kept,) = pairs.path.parents[2].glob(f".unfinished/*/{CHECKPOINT}")
    told: list[str] = []
    with pytest.raises(StoppedError):
        run(pairs, steps=2, changes=changes, checkpoint_every=Interval(steps=1), tell=told.append)
    assert told == ["Starting over; --resume would continue the interrupted run of these settings"]
    position = read_checkpoint(kept.parent)["position"]
    assert (position["epoch"], position["step"]) == (1, 2)
    with pytest.raises(StoppedError):
        run(pairs, steps=7, changes=changes, checkpoint_every=Interval(steps=1))
    assert read_checkpoint(kept.parent)["position"]["step"] == 3
    run(pairs, resume=True, changes=changes)
    assert not kept.parent.exists()
    with pytest.raises(NotFoundError, match="nothing to resume"):
        run(pairs, resume=True, force=True, changes=changes)


def test_a_signal_in_the_last_moment_is_not_forgotten_though_the_model_is_made(pairs: Artifact) -> None:
    n_steps = 8
    with pytest.raises(StoppedError, match="had come to its end: models/quick:v") as stopped:
        run(pairs, steps=n_steps, changes={"seed": 2})
    assert stopped.value.exit_code == 128 + SIGTERM
    assert run(pairs, changes={"seed": 2}).reused
