"""Runs end when they should, keep the best weights, and continue exactly."""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from omnishot.config import TrainSettings
from omnishot.data.affine import draw_affine
from omnishot.data.class_index import ClassIndex
from omnishot.data.image_set import ImageSet
from omnishot.data.pairs import draw_pairs
from omnishot.errors import TrainingError, UnavailableError
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.progress import Progress
from omnishot.settings_text import check
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.image_loading import ResidentImages
from omnishot.training.loop import Trainer
from omnishot.training.objective import Objective
from omnishot.training.pairs_objective import PairsLoss, PairTensors
from omnishot.vocabulary import TwinName
from tests.stop_signals import SignalAfter

CPU = Compute(torch.device("cpu"), bf16=False)
QUICK = {
    "twin": "conv4",
    "objective": {"kind": "classes", "classes_per_batch": 10, "batches_per_epoch": 3},
    "optimizer": {"kind": "adamw", "learning_rate": 1e-3},
    "schedule": {"kind": "cosine", "warmup_steps": 2},
    "weight_averaging": 0.9,
    "epochs": 3,
    "patience": 0,
}
KOCH35 = {"twin": "koch35", "objective": {"kind": "pairs", "batch_size": 8}, "epochs": 3, "patience": 0}


def trainer(
    images: ImageSet, values: dict[str, Any], validate: Callable[[SiameseNetwork], float] | None = None
) -> Trainer:
    settings = check(TrainSettings, values, origin="test")
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    pixels = torch.from_numpy(images.pixels)
    objective: Objective
    if settings.objective.kind == "classes":
        objective = ClassesLoss(settings.objective, index, seed=0)
    else:
        assert settings.objective.kind == "pairs"
        rng = np.random.default_rng(0)
        pairs = draw_pairs(index, 24, negatives="any", rng=rng)
        tensors = PairTensors.of(pairs, (draw_affine((24, 0), rng), draw_affine((24, 0), rng)), CPU.device)
        objective = PairsLoss(settings.objective, tensors, seed=0)
    torch.manual_seed(0)
    name: TwinName = settings.twin
    return Trainer(build_network(name), objective, ResidentImages(pixels), settings, CPU, validate)


@pytest.mark.parametrize("values", [QUICK, KOCH35], ids=["quick", "koch35"])
@pytest.mark.parametrize("stop", [0, 1, 3, 5, 8])
@pytest.mark.slow
def test_an_interrupted_run_continues_bit_for_bit(images: ImageSet, values: dict[str, Any], stop: int) -> None:
    # Accuracy peaks in the first epoch, so that the best weights are not the last ones.
    accuracy = {"conv4": [0.9, 0.5, 0.6], "koch35": [0.5, 0.9, 0.6]}[values["twin"]]

    def peaking() -> Callable[[SiameseNetwork], float]:
        measured = iter(accuracy)
        return lambda network: next(measured)

    validation = peaking()
    whole = trainer(images, values, peaking())
    whole.run()
    assert whole.is_finished

    first = trainer(images, values, validation)
    first.run(SignalAfter(stop))
    assert not first.is_finished
    written = io.BytesIO()
    torch.save(first.state(), written)
    written.seek(0)
    second = trainer(images, values, validation)
    second.load_state(torch.load(written, weights_only=True))
    second.run()
    assert second.is_finished

    for name, tensor in whole.best_weights.items():
        assert torch.equal(tensor, second.best_weights[name]), name
    losses = [[record.loss for record in run.position.history] for run in (whole, second)]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_the_best_epoch_is_kept_and_patience_ends_the_run(images: ImageSet) -> None:
    accuracies = iter([0.3, 0.6, 0.5, 0.4, 0.9])
    weights = []

    def validate(network: SiameseNetwork) -> float:
        weights.append(network.head.weight.detach().clone())
        return next(accuracies)

    run = trainer(images, {**KOCH35, "epochs": 9, "patience": 2}, validate)
    run.run()
    assert run.position.epoch == 4
    assert (run.position.best_epoch, run.position.best_accuracy) == (2, 0.6)
    assert torch.equal(run.best_weights["head.weight"], weights[1])
    assert [record.validation_accuracy for record in run.position.history] == [0.3, 0.6, 0.5, 0.4]


def test_without_validation_the_last_weights_are_kept(images: ImageSet) -> None:
    run = trainer(images, KOCH35)
    before = run.best_weights["head.weight"].clone()
    run.run()
    assert not torch.equal(before, run.best_weights["head.weight"])


def test_averaged_weights_are_what_is_validated_and_kept(images: ImageSet) -> None:
    validated = []
    run = trainer(images, QUICK, lambda network: validated.append(network.state_dict()["head.weight"].clone()) or 0.5)  # type: ignore[func-returns-value]
    run.run()
    assert torch.equal(run.best_weights["head.weight"], validated[-1])
    assert not torch.equal(run.best_weights["head.weight"], run._network.head.weight)


def test_a_time_budget_ends_the_run_with_something_kept(images: ImageSet) -> None:
    run = trainer(images, {**KOCH35, "epochs": 100_000, "max_minutes": 0.01}, lambda network: 0.5)
    run.run()
    assert run.is_finished
    assert 0.1 <= run.position.seconds < 5
    assert run.position.best_epoch > 0
    assert run.position.cut_short
    assert all(0.01 < record.loss < 10 for record in run.position.history)


def test_a_time_limit_that_does_not_bind_changes_nothing(images: ImageSet) -> None:
    free, limited = trainer(images, QUICK), trainer(images, {**QUICK, "max_minutes": 60})
    for run in (free, limited):
        run.run()
    assert not limited.position.cut_short
    assert torch.equal(free.best_weights["head.weight"], limited.best_weights["head.weight"])


def test_less_than_an_epoch_of_time_still_gives_a_model_with_its_own_loss(images: ImageSet) -> None:
    values = {**QUICK, "objective": {**QUICK["objective"], "batches_per_epoch": 10_000}, "max_minutes": 0.005}  # type: ignore[dict-item]
    run = trainer(images, values, lambda network: 0.5)
    run.run()
    assert run.is_finished
    (record,) = run.position.history
    assert 0.5 < record.loss < 10


def test_a_run_that_diverges_says_so_and_keeps_nothing(images: ImageSet) -> None:
    run = trainer(images, {**KOCH35, "optimizer": {"kind": "sgd", "learning_rate": 1e30}})
    with pytest.raises(TrainingError, match=r"in epoch \d, step \d, at a learning rate of 1e\+30"):
        run.run()


@pytest.mark.slow
def test_the_loss_falls(images: ImageSet) -> None:
    values = {**QUICK, "epochs": 8, "objective": {**QUICK["objective"], "batches_per_epoch": 8}}  # type: ignore[dict-item]
    run = trainer(images, values)
    run.run()
    losses = [record.loss for record in run.position.history]
    assert losses[-1] < 0.6 * losses[0]


def test_a_lost_reader_is_told_of_wherever_the_run_learns_it(images: ImageSet) -> None:
    run = trainer(images, KOCH35)

    def lose_a_reader_after_a_step() -> None:
        with run.steps() as steps:
            next(steps)
            raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Killed.")  # torch raises it anywhere.

    with pytest.raises(UnavailableError, match="A process that reads images ended"):
        lose_a_reader_after_a_step()


@pytest.mark.slow
def test_progress_tells_loss_validation_and_speed(images: ImageSet) -> None:
    reports: list[Progress] = []
    run = trainer(images, {**KOCH35, "epochs": 20}, lambda network: 0.5)
    run.run(on_progress=reports.append)
    assert {"epoch", "loss", "pairs/s"} <= set(reports[0].figures)
    assert reports[-1].figures["validation"] == "50.0%"
    assert 0 <= reports[0].done <= reports[-1].done <= reports[-1].total


def test_a_loss_that_is_no_number_ends_the_run_with_the_next_line_of_its_log(
    images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omnishot.training.loop._REPORT_SECONDS", 0.0)
    run = trainer(
        images, {**QUICK, "objective": {"kind": "classes", "classes_per_batch": 10, "batches_per_epoch": 100}}
    )
    torch.nn.init.constant_(run._network.head.weight, math.nan)
    with pytest.raises(TrainingError, match=r"no longer a number in epoch 1, step 1, at a learning rate of"):
        run.run()
    assert run.position.step == 1
