"""Every recorded setting of a training acts: with another value, other weights come out."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
import torch
from pydantic import BaseModel

from omnishot.config import PrepareSettings, TrainSettings
from omnishot.model.device import choose_compute
from omnishot.settings_text import check, with_changes
from omnishot.stages.prepare import prepare
from omnishot.stages.trainer import build_trainer
from omnishot.store.store import Store
from omnishot.training.loop import Trainer

PAIRS: dict[str, Any] = {
    "twin": "koch35",
    "objective": {"kind": "pairs", "batch_size": 8},
    "optimizer": {"kind": "sgd", "learning_rate": 0.01, "l2": 0.001},
    "schedule": {"kind": "exponential", "decay": 0.9},
    "epochs": 2,
    "validation_trials": 40,
    "validation_ways": 5,
    "patience": 0,
    "precision": "fp32",
}
CLASSES: dict[str, Any] = {
    **PAIRS,
    "twin": "conv4",
    "objective": {"kind": "classes", "classes_per_batch": 6, "batches_per_epoch": 3},
    "optimizer": {"kind": "adamw", "learning_rate": 0.001, "l2": 0.01},
}
WEIGHTS = [
    (PAIRS, ["twin=conv4"]),
    (PAIRS, ["architecture.filters=[16, 16, 32, 32]"]),
    (PAIRS, ["architecture.filter_sizes=[3, 3, 2, 2]"]),
    (PAIRS, ["architecture.dense_units=128"]),
    (PAIRS, ["objective.batch_size=4"]),
    (PAIRS, ["objective.steps_per_epoch=3"]),
    (PAIRS, ["optimizer.learning_rate=0.02"]),
    (PAIRS, ["optimizer.momentum_start=0.1"]),
    (PAIRS, ["optimizer.momentum=0.6"]),
    (PAIRS, ["optimizer.l2=0.01"]),
    (PAIRS, ["optimizer.layers.conv2.learning_rate=0.02"]),
    (PAIRS, ["optimizer.layers.dense.l2=0.02"]),
    (PAIRS, ["optimizer.layers.head.momentum=0.1"]),
    (PAIRS, ["schedule.decay=0.5"]),
    (PAIRS, ["schedule.warmup_steps=5"]),
    (PAIRS, ["epochs=1"]),
    (PAIRS, ["weight_averaging=0.5"]),
    (PAIRS, ["initialization=torch"]),
    (PAIRS, ["precision=bf16"]),
    (PAIRS, ["seed=1"]),
    (PAIRS, ["max_minutes=0.0001"]),
    ({**PAIRS, "schedule": {"kind": "constant"}}, ["schedule.kind=cosine"]),
    ({**PAIRS, "schedule": {"kind": "constant"}}, ["schedule.warmup_steps=5"]),
    ({**PAIRS, "schedule": {"kind": "triangular", "steps": 2}}, ["schedule.kind=triangular2"]),
    ({**PAIRS, "schedule": {"kind": "triangular", "steps": 2}}, ["schedule.steps=3"]),
    ({**PAIRS, "schedule": {"kind": "triangular", "steps": 2}}, ["schedule.lowest=0.5"]),
    ({**PAIRS, "schedule": {"kind": "triangular", "steps": 2}}, ["schedule.warmup_steps=5"]),
    (CLASSES, ["initialization=paper"]),
    (CLASSES, ["optimizer.kind=adam"]),
    (CLASSES, ["optimizer.l2=0.1"]),
    (CLASSES, ["optimizer.layers.head.l2=0.5"]),
    (CLASSES, ["optimizer.layers.conv1.learning_rate=0.01"]),
    (CLASSES, ["objective.classes_per_batch=7"]),
    (CLASSES, ["objective.drawers_per_class=3"]),
    (CLASSES, ["objective.within_alphabet=1.0"]),
    (CLASSES, ["objective.rotations=1"]),
    (CLASSES, ["objective.turning=alphabets"]),
    (CLASSES, ["objective.mirroring=0.5"]),
    (CLASSES, ["objective.class_affine=0.5"]),
    (CLASSES, ["objective.affine=0.5"]),
    (CLASSES, ["objective.elastic=0.1"]),
    (CLASSES, ["objective.batches_per_epoch=4"]),
]
CHOICES = [  # They decide which epoch is kept, and when to stop.
    ["validation_protocol=between"],
    ["validation_protocol=verification"],
    ["validation_trials=41"],
    ["validation_ways=3"],
]
ELSEWHERE = {"data.memory_gb", "data.readers", "data.start_method", "compile", "patience", "objective.kind",
             "log.tensorboard", "objective.head", "objective.image_size", "objective.shrinkage",
             "test_variants"}  # fmt: skip
"""How weights are computed, and what is logged, decides nothing, or rounding only; `test_loop.py` knows patience; kinds
have other names; `test_photos.py` knows what acts on a whitening, and `test_model.py` variants at test time."""


@pytest.fixture(scope="module")
def pairs_file(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(tmp_path_factory.mktemp("act") / "artifacts")
    settings = PrepareSettings(split="alphabets", pairs=16, affine=1, validation_pairs=60, test_pairs=10)
    made = prepare(store, settings, source=str(picture_folder))
    return made.artifact.file("pairs.h5")


def trained(pairs_file: Path, values: dict[str, Any], changes: list[str]) -> Trainer:
    settings = check(TrainSettings, with_changes(values, changes), origin="test")
    trainer = build_trainer(pairs_file, settings, choose_compute("cpu", settings.precision))
    trainer.run()
    return trainer


@pytest.fixture(scope="module")
def unchanged(pairs_file: Path) -> Callable[[dict[str, Any]], Trainer]:
    """Train with settings as they are, once for all tests that change them."""
    runs: dict[str, Trainer] = {}

    def run(values: dict[str, Any]) -> Trainer:
        key = json.dumps(values)
        runs[key] = runs.get(key) or trained(pairs_file, values, [])
        return runs[key]

    return run


@pytest.mark.parametrize(("values", "changes"), WEIGHTS, ids=lambda value: value[0] if isinstance(value, list) else "")
@pytest.mark.slow
def test_another_value_gives_other_weights(
    pairs_file: Path, unchanged: Callable[[dict[str, Any]], Trainer], values: dict[str, Any], changes: list[str]
) -> None:
    without = {**values, "validation_trials": 0}
    kept, others = unchanged(without).best_weights, trained(pairs_file, without, changes).best_weights
    assert kept.keys() != others.keys() or any(not torch.equal(kept[name], others[name]) for name in kept)


@pytest.mark.parametrize("changes", CHOICES, ids=lambda changes: changes[0])
@pytest.mark.slow
def test_another_value_gives_another_validation(
    pairs_file: Path, unchanged: Callable[[dict[str, Any]], Trainer], changes: list[str]
) -> None:
    plain, changed = unchanged(PAIRS).position.history, trained(pairs_file, PAIRS, changes).position.history
    assert [record.loss for record in plain] == [record.loss for record in changed]
    assert [record.validation_accuracy for record in plain] != [record.validation_accuracy for record in changed]


def names(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return the names of all settings, those of sections and of all their kinds included."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kinds = [kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        found |= {f"{prefix}{name}"} if not kinds else set()
        for kind in kinds:
            found |= names(kind, f"{prefix}{name}.")
    return found


def _kinds(annotation: Any) -> list[Any]:
    if get_origin(annotation) in {Union, type(int | str), dict}:
        return [kind for argument in get_args(annotation) for kind in _kinds(argument)]
    return [annotation]


def test_every_setting_there_is_was_changed() -> None:
    changed = {change[0].partition("=")[0] for change in (*CHOICES, *(changes for _, changes in WEIGHTS))}
    layers = re.compile(r"(?<=layers)\.\w+")
    assert names(TrainSettings) - ELSEWHERE - {layers.sub("", name) for name in changed} == set()
    assert "objective.within_alphabet" in names(TrainSettings)
