"""train: a pair dataset becomes a model."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omnishot.config import TrainSettings
from omnishot.errors import StoppedError, UsageError
from omnishot.formats.checkpoint import CHECKPOINT, find_checkpoint
from omnishot.formats.model import write_model
from omnishot.machine import peak_memory
from omnishot.model.cost import training_flops
from omnishot.model.device import Compute, choose_compute
from omnishot.model.peak import matmul_peak
from omnishot.progress import OnProgress, short, silent
from omnishot.settings_text import check
from omnishot.stages.checkpointer import EVERY_MINUTE, Checkpointer, Interval, profiled, restore, run_to_end
from omnishot.stages.produce import StageResult, produce
from omnishot.stages.tensorboard import EVENTS, logged, require_tensorboard
from omnishot.stages.trainer import build_trainer
from omnishot.stages.training_settings import choose_training
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.remake import preset_and_changes
from omnishot.store.store import Store
from omnishot.training.loop import Trainer
from omnishot.training.processes import Processes, joined
from omnishot.vocabulary import DeviceName

_RECIPE = 1
_PEAK_SECONDS = 0.1

WatchSignals = Callable[[], AbstractContextManager[Callable[[], int | None]]]
"""Entered around the training itself; gives a function that returns the number of the signal that came, or None."""


def unwatched() -> AbstractContextManager[Callable[[], int | None]]:
    """Watch for no signal."""
    return nullcontext(lambda: None)


@dataclass(frozen=True, slots=True)
class _Task:
    """What every process has to know to train along: plain values, and files that all of them see.

    Attributes:
        pairs_file: The `pairs.h5`.
        settings: Of the run.
        weights_file: Weights to start from, or None.
        state_folder: Where the state is kept that the run continues, or None.
    """

    pairs_file: str
    settings: dict[str, Any]
    weights_file: str | None
    state_folder: str | None

    def trainer(self, compute: Compute, processes: Processes, tell: Callable[[str], None]) -> Trainer:
        """Return the trainer, ready to run."""
        trainer = build_trainer(
            Path(self.pairs_file),
            check(TrainSettings, self.settings, origin="settings"),
            compute,
            weights_file=Path(self.weights_file) if self.weights_file else None,
            processes=processes,
            tell=tell,
        )
        if self.state_folder:
            restore(trainer, Path(self.state_folder))
        return trainer


def train(
    store: Store,
    pairs: Artifact | None = None,
    settings: TrainSettings | None = None,
    *,
    name: str | None = None,
    device: DeviceName = "auto",
    initial: Artifact | None = None,
    resume: bool = False,
    checkpoint_every: Interval = EVERY_MINUTE,
    profile: Path | None = None,
    force: bool = False,
    on_progress: OnProgress = silent,
    watch_signals: WatchSignals = unwatched,
) -> StageResult:
    """Fit a network; where torchrun started several processes, this is what process 0 does.

    Args:
        store: Where the model goes.
        pairs: The pair dataset; by default the newest.
        settings: Everything that decides the result; by default the preset for the device.
        name: Name of the model; by default that of the preset which the settings are nearest to.
        device: Where to train.
        initial: A model whose weights to start from.
        resume: Continue the interrupted run of the same settings and data.
        checkpoint_every: How often the state is saved, so that it can be resumed.
        profile: Where to write a trace of a few steps.
        force: Train again even if there is such a model.
        on_progress: Receives progress.
        watch_signals: Tells whether a signal asked the run to stop.

    Raises:
        StoppedError: A signal came; a checkpoint was written.
        OmnishotError: The data or the settings do not allow the run.
    """
    pairs = pairs or store.newest("pairs")
    settings = settings or choose_training(device=device, tell=store.tell).settings
    name = check_name(preset_and_changes(settings)[0] if name is None else name)
    parents = [pairs.as_parent()] + ([initial.as_parent()] if initial else [])
    recipe = Recipe("models", _RECIPE, _deciding(settings), parents)
    if settings.log.tensorboard:
        require_tensorboard()
    compute = choose_compute(device, settings.precision)
    late: list[int] = []

    def build(staging: Staging) -> None:
        task = _Task(
            pairs_file=str(pairs.file("pairs.h5").absolute()),
            settings=settings.model_dump(mode="json"),
            weights_file=str(initial.file("weights.safetensors").absolute()) if initial else None,
            state_folder=str(store.resume_folder(recipe).absolute()) if resume else None,
        )
        with compute.tuned():  # Before the training, which may need all memory.
            peak = matmul_peak(compute, seconds=_PEAK_SECONDS) * processes.count
        tell_others(asdict(task))
        trainer = task.trainer(compute, processes, store.tell)
        checkpointer = Checkpointer(trainer, store, recipe, checkpoint_every, resumed=resume)
        folder = staging.path if settings.log.tensorboard else None
        with (
            watch_signals() as stopped_by,
            profiled(profile, store.tell) as profile_step,
            logged(folder, trainer.position) as log_step,
        ):
            after_steps = (profile_step, log_step)
            run_to_end(trainer, checkpointer, on_progress=on_progress, stopped_by=stopped_by, after_steps=after_steps)
            late.extend(filter(None, [stopped_by()]))
        write_model(staging.path, trainer.best_weights, settings, trainer.position.history)
        staging.environment |= compute.describe()
        speed = _speed(trainer, settings, processes, peak)
        staging.summary |= _summary(trainer, settings) | speed
        store.tell(_in_words(speed))

    with joined(compute.device) as processes, processes.leading() as tell_others:
        if force or not store.find_by_recipe(recipe):
            _look_for_state(store, recipe, resume=resume)
        made = produce(store, recipe, name, build, force=force)
        if made.reused and profile:
            store.tell(f"Nothing was trained, so that {profile} was not written; --force trains again")
        if made.reused and settings.log.tensorboard and EVENTS not in made.artifact.manifest.files:
            store.tell("Nothing was trained, so that nothing was written for TensorBoard; --force trains again")
    if late:
        raise StoppedError(
            f"The training had come to its end: {made.artifact.reference} is made", signal_number=late[0]
        )
    return made


def assist(*, device: DeviceName = "auto", watch_signals: WatchSignals) -> None:
    """Train along with process 0, which alone writes to the store and prints.

    Args:
        device: Where to train.
        watch_signals: Tells whether a signal came, which stops all processes together.

    Raises:
        OmnishotError: This process cannot take part.
    """
    with watch_signals() as stopped_by, joined(choose_compute(device, "auto").device) as processes:
        message = processes.listen()
        if message is None:
            return
        task = _Task(**message)
        compute = choose_compute(device, task.settings["precision"])
        with suppress(UsageError):  # It is the same in all processes, and process 0 says it.
            trainer = task.trainer(compute, processes, tell=lambda sentence: None)
            trainer.run(on_progress=silent, should_stop=lambda: stopped_by() is not None, save=lambda: None)


def _in_words(speed: dict[str, Any]) -> str:
    share = speed["flops_per_second"] / speed["matmul_flops_per_second"]
    memory = f"; this process held {speed['peak_memory'] / 1e9:.2f} GB at most" if speed["peak_memory"] else ""
    return (
        f"Trained {short(speed['pairs_per_second'])} pairs/s from {short(speed['images_per_second'])} images/s: "
        f"{speed['flops_per_second'] / 1e9:,.0f} GFLOP/s, {share:.0%} of the "
        f"{speed['matmul_flops_per_second'] / 1e9:,.0f} GFLOP/s of a large matrix product here{memory}"
    )


def _deciding(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that decide what is kept: not how images get to the device, nor what is logged."""
    values = settings.model_dump(mode="json", exclude={"data", "log"})
    if all(size is None for size in values["architecture"].values()):
        del values["architecture"]  # As before there was this setting.
    return values


def _look_for_state(store: Store, recipe: Recipe, *, resume: bool) -> None:
    """Say that there is nothing to resume, or that there would be, before anything is loaded."""
    if resume:
        find_checkpoint(store.resume_folder(recipe))
    elif (store.resume_folder(recipe) / CHECKPOINT).exists():
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


def _speed(trainer: Trainer, settings: TrainSettings, processes: Processes, peak: float) -> dict[str, Any]:
    """Return how fast the training was, in pairs and in arithmetic, and how fast a matrix product is here."""
    pairs_per_second = trainer.pace.pairs_per_second
    flops = training_flops(settings.twin, settings.architecture)
    return {
        "processes": processes.count,
        "pairs_per_second": round(pairs_per_second, 1),
        "images_per_second": round(pairs_per_second * trainer.images_per_pair, 1),
        "flops_per_second": round(pairs_per_second * trainer.images_per_pair * flops),
        "matmul_flops_per_second": round(peak),
        "peak_memory": peak_memory(),
    }
