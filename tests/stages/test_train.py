"""The paper's network trains on a CPU too, from the pair dataset alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from omnishot.config import Architecture, DataSettings, LogSettings, PrepareSettings, TrainSettings
from omnishot.presets import preset_text
from omnishot.settings_text import check
from omnishot.stages.prepare import prepare
from omnishot.stages.train import _Task, train
from omnishot.stages.training_outcome import outcome_in_words
from omnishot.stages.training_settings import deciding
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from omnishot.training.history import EpochRecord
from omnishot.training.position import Position


@pytest.mark.slow
def test_the_koch_preset_learns_a_few_pairs_at_105_pixels(picture_folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    settings = PrepareSettings(split="alphabets", pairs=4, affine=2, validation_pairs=10, test_pairs=10)
    made = prepare(store, settings, source=str(picture_folder))
    # The one file is enough: the images artifact it came from is gone.
    for path in sorted((store.root / "images").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    values = read_yaml(preset_text("koch"), origin="koch")
    values |= {"epochs": 8, "patience": 0, "validation_trials": 0, "precision": "fp32"}
    values["objective"]["batch_size"] = 4
    values["optimizer"]["learning_rate"] = 1e-3
    model = train(
        store,
        made.artifact,
        check(TrainSettings, values, origin="koch"),
        name="koch",
        device="cpu",
    ).artifact
    history = [json.loads(line) for line in model.file("history.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in history]
    assert len(losses) == 8
    assert min(losses[4:]) < 0.8 * losses[0]
    assert model.manifest.summary["parameters"] == 38_951_745


def test_what_decides_nothing_is_not_part_of_the_recipe() -> None:
    plain = TrainSettings(twin="koch35")
    elsewhere = plain.model_copy(update={"data": DataSettings(readers=7), "log": LogSettings(tensorboard=True)})
    assert deciding(elsewhere) == deciding(plain)
    assert "architecture" not in deciding(plain)  # Models made before there was this setting are found again.
    other = plain.model_copy(update={"architecture": Architecture(dense_units=128)})
    assert deciding(other) != deciding(plain)


def test_what_other_ranks_are_told_comes_back_whatever_its_files_are_called() -> None:
    task = _Task(
        pairs_file=Path("/data/caf\udce9/pairs.h5"),
        settings=TrainSettings(seed=3),
        state_folder=Path("/x/.unfinished/a"),
    )
    assert _Task.from_text(task.as_text()) == task
    assert task.as_text().isascii()


def test_a_training_ends_with_what_the_kept_epoch_reached() -> None:
    epochs = [
        EpochRecord(epoch=number, loss=1 / number, training_accuracy=0.5, validation_accuracy=share, learning_rate=1.0)
        for number, share in ((1, 0.25), (2, 0.75), (3, 0.5))
    ]
    found = Position(planned_epochs=3, epoch=3, best_epoch=2, best_accuracy=0.75, history=epochs)
    assert (
        outcome_in_words(found) == "Kept epoch 2 of 3: loss 0.5000, accuracy 50.0 % in training, 75.0 % in validation"
    )
    unvalidated = [replace(record, validation_accuracy=None) for record in epochs]
    found = Position(planned_epochs=3, epoch=3, history=unvalidated)
    assert outcome_in_words(found) == "Kept epoch 3 of 3: loss 0.3333, accuracy 50.0 % in training"
