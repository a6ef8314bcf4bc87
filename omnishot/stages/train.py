"""train: a pair dataset becomes a model."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from omnishot.artifacts.artifact import Artifact, Recipe, Staging
from omnishot.artifacts.checkpoint import CHECKPOINT, find_checkpoint, read_checkpoint, write_checkpoint
from omnishot.artifacts.hdf5 import opened
from omnishot.artifacts.images import read_labels, read_pixels
from omnishot.artifacts.model import load_weights, write_model
from omnishot.artifacts.pairs import read_pairs, read_split, read_variants
from omnishot.artifacts.store import Store
from omnishot.config import ClassesObjective, TrainSettings
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import draw_within
from omnishot.data.image_set import Labels
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError, InputError, SamplingError, StoppedError
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.model.device import Compute, DeviceName, choose_compute
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.progress import Report
from omnishot.seeding import derived_seed, generator
from omnishot.stages.making import Made, make
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.loop import Objective, Trainer
from omnishot.training.pairs_objective import PairsLoss, PairTensors

_RECIPE = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """How often the state of a run is saved: one of the two.

    Attributes:
        seconds: Between two checkpoints, saving not counted.
        steps: Between two checkpoints.
    """

    seconds: float | None = None
    steps: int | None = None


EVERY_MINUTE = Interval(seconds=60)
"""The usual interval: a second of writing costs two percent, a kill at most a minute."""


@dataclass(frozen=True, slots=True)
class _Data:
    """What a run needs of a pair dataset, its images on the device."""

    pixels: Tensor
    labels: Labels
    split: Split
    pairs: PairTensors | None


def train(
    store: Store,
    pairs: Artifact,
    settings: TrainSettings,
    *,
    name: str,
    device: DeviceName = "auto",
    initial: Artifact | None = None,
    resume: bool = False,
    checkpoint_every: Interval = EVERY_MINUTE,
    force: bool = False,
    report: Report,
    watch_signals: Callable[[], AbstractContextManager[Callable[[], int | None]]],
) -> Made:
    """Fit a network.

    Args:
        store: Where the model goes.
        pairs: The pair dataset.
        settings: Everything that decides the result.
        name: Name of the model.
        device: Where to train.
        initial: A model whose weights to start from.
        resume: Continue the interrupted run of the same settings and data.
        checkpoint_every: How often the state is saved, so that it can be resumed.
        force: Train again even if there is such a model.
        report: Receives progress.
        watch_signals: Entered around the training itself; gives a function that returns the number of the signal that
            asked the run to stop, or None.

    Raises:
        StoppedError: A signal came; a checkpoint was written.
        OmnishotError: The data or the settings do not allow the run.
    """
    parents = [pairs.as_parent()] + ([initial.as_parent()] if initial else [])
    recipe = Recipe("models", _RECIPE, settings.model_dump(mode="json"), parents)
    compute = choose_compute(device, settings.precision)
    late: list[int] = []

    def build(staging: Staging) -> None:
        data = _load(pairs, settings, compute)
        trainer = _trainer(data, settings, compute, initial)
        if resume:
            _restore(trainer, store, recipe)
        kept = (0, 0) if resume else _progress_kept(store.aside(recipe))
        with watch_signals() as stopped_by:
            _run(trainer, store, recipe, every=checkpoint_every, kept=kept, report=report, stopped_by=stopped_by)
            late.extend(filter(None, [stopped_by()]))
        write_model(staging.path, trainer.best_weights, settings, trainer.position.history)
        staging.environment |= compute.describe()
        staging.summary |= _summary(trainer, settings)

    if force or not store.made(recipe):
        _look_for_state(store, recipe, resume=resume)
    made = make(store, recipe, name, build, force=force)
    if late:
        raise StoppedError(
            f"The training had come to its end: {made.artifact.reference} is made", signal_number=late[0]
        )
    return made


def _look_for_state(store: Store, recipe: Recipe, *, resume: bool) -> None:
    """Say that there is nothing to resume, or that there would be, before anything is loaded."""
    if resume:
        find_checkpoint(store.aside(recipe))
    elif (store.aside(recipe) / CHECKPOINT).exists():
        store.tell("Starting over; --resume would continue the interrupted run of these settings")


def _summary(trainer: Trainer, settings: TrainSettings) -> dict[str, Any]:
    position = trainer.position
    return {
        "twin": settings.twin,
        "parameters": trainer.n_parameters,
        "epochs": position.epoch,
        "training_seconds": round(position.seconds, 1),
        "validation_accuracy": position.best_accuracy if position.best_accuracy >= 0 else None,
        "best_epoch": position.best_epoch or None,
        "cut_short": position.cut_short,
    }


def _load(pairs: Artifact, settings: TrainSettings, compute: Compute) -> _Data:
    with opened(pairs.file("pairs.h5")) as file:
        labels, split = read_labels(file), read_split(file)
        pixels = torch.from_numpy(read_pixels(file, split.train, split.validation)).to(compute.device)
        tensors = None
        if settings.objective.kind == "pairs":
            drawn = read_pairs(file, "train")
            if drawn is None:
                raise DamagedFileError(f"{pairs.reference} holds no training pairs")
            tensors = PairTensors.of(drawn, read_variants(file), compute)
    return _Data(pixels, labels, split, tensors)


def _trainer(data: _Data, settings: TrainSettings, compute: Compute, initial: Artifact | None) -> Trainer:
    with torch.random.fork_rng():  # torch's layers draw their initial weights from its global generator.
        torch.manual_seed(derived_seed(settings.seed, "weights"))
        network = build_network(settings.twin)
    if initial:
        load_weights(network, initial.file("weights.safetensors"))
    return Trainer(network, _objective(data, settings), settings, compute, _validation(data, settings, compute))


def _objective(data: _Data, settings: TrainSettings) -> Objective:
    if isinstance(settings.objective, ClassesObjective):
        index = ClassIndex.of(data.labels, data.split.train)
        return ClassesLoss(settings.objective, data.pixels, index, seed=settings.seed)
    if data.pairs is None:
        raise RuntimeError("the pairs objective was given no pairs")
    return PairsLoss(settings.objective, data.pixels, data.pairs, seed=settings.seed)


def _validation(data: _Data, settings: TrainSettings, compute: Compute) -> Callable[[SiameseNetwork], float] | None:
    """Return a function that measures one-shot accuracy on fixed validation trials, or None where there are none."""
    if not settings.validation_trials or not len(data.split.validation):
        return None
    index = ClassIndex.of(data.labels, data.split.validation)
    # Small sources have small alphabets; the paper's 20 ways need 20 characters.
    n_way = min(settings.validation_ways, int(index.alphabet_sizes.max()))
    rng = generator(settings.seed, "validation trials")
    try:
        trials = draw_within(index, settings.validation_trials, n_way, 1, rng=rng)
    except SamplingError as error:
        hint = "Use --set validation_trials=0 to train without validation."
        raise SamplingError(f"In the validation part of the split: {error}", hint=hint) from None

    def accuracy(network: SiameseNetwork) -> float:
        return float(correct_trials(score_trials(network, data.pixels, trials, compute), n_way).mean())

    return accuracy


def _restore(trainer: Trainer, store: Store, recipe: Recipe) -> None:
    folder = store.aside(recipe)
    try:
        trainer.load_state(read_checkpoint(folder))
    except (KeyError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "Run without --resume."
        raise DamagedFileError(f"{folder / CHECKPOINT} is no state of this run: {reason}", hint=hint) from None


def _progress_kept(folder: Path) -> tuple[int, int]:
    """Return epoch and step of the state that is kept, or zeros where there is none that could be read."""
    try:
        position = read_checkpoint(folder)["position"]
        return int(position["epoch"]), int(position["step"])
    except (InputError, KeyError, TypeError, ValueError):
        return 0, 0


def _run(
    trainer: Trainer,
    store: Store,
    recipe: Recipe,
    *,
    every: Interval,
    kept: tuple[int, int],
    report: Report,
    stopped_by: Callable[[], int | None],
) -> None:
    saved_at, steps = time.monotonic(), 0

    def save() -> None:
        # The state of an interrupted run is worth more than that of the same run started over, until this is as far.
        if (trainer.position.epoch, trainer.position.step) >= kept:
            write_checkpoint(store.keep_aside(recipe), trainer.state())

    def save_now_and_then() -> None:
        nonlocal saved_at, steps
        steps += 1
        if every.steps and steps % every.steps == 0:
            save()
        elif every.seconds is not None and time.monotonic() - saved_at >= every.seconds:
            save()
            saved_at = time.monotonic()

    stopped: dict[str, Any] = {}

    def should_stop() -> bool:
        stopped["signal"] = stopped_by()
        return stopped["signal"] is not None

    if not trainer.run(report=report, should_stop=should_stop, save=save_now_and_then):
        save()
        position = trainer.position
        raise StoppedError(
            f"Stopped in epoch {position.epoch + 1} after {position.seconds:.0f} seconds of training",
            signal_number=stopped["signal"],
            hint="The state is kept: the same command with --resume continues exactly.",
        )
