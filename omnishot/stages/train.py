"""train: a pair dataset becomes a model."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from omnishot.config import TrainSettings
from omnishot.errors import SettingsError, StoppedError, UsageError
from omnishot.formats.checkpoint import CHECKPOINT, find_checkpoint
from omnishot.formats.manifest_fields import PairsFacts, says_who_drew, source_of
from omnishot.formats.model import write_model
from omnishot.model.device import Compute, choose_compute
from omnishot.model.peak import matmul_peak
from omnishot.progress import OnProgress, silent
from omnishot.settings_text import check
from omnishot.stages.checkpointer import EVERY_MINUTE, Checkpointer, Interval, restore
from omnishot.stages.produce import StageResult, find_reusable, produce
from omnishot.stages.profiler import profiled
from omnishot.stages.tensorboard import EVENTS, logged, require_tensorboard
from omnishot.stages.trainer import build_trainer
from omnishot.stages.training_outcome import outcome_in_words, speed_in_words, summary_of
from omnishot.stages.training_settings import choose_training, deciding, refuse_a_test_set
from omnishot.stages.whitening import write_fitted
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.remake import preset_and_changes
from omnishot.store.store import Store
from omnishot.training.loop import Trainer
from omnishot.training.processes import Processes, process_group
from omnishot.training.stop_signal import StopSignal, WatchSignals, unwatched
from omnishot.vocabulary import DeviceName

_RECIPES = {True: 1, False: 2}  # Of images that say who drew them, and of others, validated on trials by class.
_PEAK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run proceeds; none of it decides the result.

    Attributes:
        resume: Continue the interrupted run of the same settings and data.
        checkpoint_every: How often a checkpoint is saved.
        profile: Where to write a trace of a few steps.
        on_progress: Receives progress.
        watch_signals: Watches for signals during the steps; one that comes stops the run after its step.
    """

    resume: bool = False
    checkpoint_every: Interval = EVERY_MINUTE
    profile: Path | None = None
    on_progress: OnProgress = silent
    watch_signals: WatchSignals = unwatched


USUAL_OPTIONS = RunOptions()


class _Task(BaseModel):
    """What every rank has to know to train along; all of them see the files.

    Attributes:
        pairs_file: The `pairs.h5`.
        settings: Of the run.
        has_drawers: Whether the images say who drew them.
        weights_file: Weights to start from, or None.
        state_folder: Where the state is kept that the run continues, or None.
    """

    model_config = ConfigDict(frozen=True)

    pairs_file: Path
    settings: TrainSettings
    has_drawers: bool = True
    weights_file: Path | None = None
    state_folder: Path | None = None

    @classmethod
    def of(
        cls, pairs: Artifact, settings: TrainSettings, initial: Artifact | None, state_folder: Path | None
    ) -> "_Task":
        """Return the task with every file under a name that holds in any folder."""
        return cls(
            pairs_file=pairs.file("pairs.h5").absolute(),
            settings=settings,
            has_drawers=says_who_drew(pairs.manifest),
            weights_file=initial.file("weights.safetensors").absolute() if initial else None,
            state_folder=state_folder.absolute() if state_folder else None,
        )

    def as_text(self) -> str:
        """Return the task as it is sent to the other ranks; names that are not UTF-8 pass as they are."""
        values = {name: str(path) for name, path in self if isinstance(path, Path)}
        settings = self.settings.model_dump(mode="json")
        return json.dumps({**values, "settings": settings, "has_drawers": self.has_drawers})

    @classmethod
    def from_text(cls, text: str) -> "_Task":
        """Return the task that rank 0 sent."""
        values = json.loads(text)
        settings, has_drawers = values.pop("settings"), values.pop("has_drawers")
        paths = {name: Path(value) for name, value in values.items()}
        return cls(settings=check(TrainSettings, settings, origin="settings"), has_drawers=has_drawers, **paths)

    def trainer(self, compute: Compute, processes: Processes, tell: Callable[[str], None]) -> Trainer:
        """Return the trainer, ready to run."""
        trainer = build_trainer(
            self.pairs_file,
            self.settings,
            compute,
            has_drawers=self.has_drawers,
            weights_file=self.weights_file,
            processes=processes,
            tell=tell,
        )
        if self.state_folder:
            restore(trainer, self.state_folder)
        return trainer


def train(
    store: Store,
    pairs: Artifact | None = None,
    settings: TrainSettings | None = None,
    *,
    name: str | None = None,
    device: DeviceName = "auto",
    initial: Artifact | None = None,
    force: bool = False,
    options: RunOptions = USUAL_OPTIONS,
) -> StageResult:
    """Fit a network; where torchrun started several processes, this is what rank 0 does.

    Args:
        store: Where the model goes.
        pairs: The pair dataset; by default the newest.
        settings: Everything that decides the result; by default the preset for the device.
        name: Name of the model; by default that of the preset which the settings are nearest to.
        device: Where to train.
        initial: A model whose weights to start from.
        force: Train again even if there is such a model.
        options: How the run proceeds.

    Raises:
        StoppedError: A signal came; a checkpoint was written.
        OmnishotError: The data or the settings do not allow the run.
    """
    pairs = pairs or store.newest("pairs")
    settings = settings or _usual_settings(pairs, device, store.tell)
    name = check_name(preset_and_changes(settings)[0] if name is None else name)
    _refuse_what_cannot_be_trained(pairs, settings, initial)
    version = _RECIPES[says_who_drew(pairs.manifest)]
    recipe = Recipe("models", version, deciding(settings), [used.as_parent() for used in (pairs, initial) if used])
    compute, stop = choose_compute(device, settings.precision), StopSignal()

    def build(staging: Staging) -> None:
        nonlocal stop
        if settings.objective.kind == "whitening":
            write_fitted(staging, pairs, settings, compute, on_progress=options.on_progress, tell=store.tell)
            return
        task = _Task.of(pairs, settings, initial, store.resume_folder(recipe) if options.resume else None)
        peak = _peak(compute) * processes.world_size  # Before the training, which may need all memory.
        broadcast(task.as_text)
        trainer = task.trainer(compute, processes, store.tell)
        checkpointer = Checkpointer(trainer, store, recipe, options.checkpoint_every, resumed=options.resume)
        events = staging.path if settings.log.tensorboard else None
        stop = _take_steps(trainer, checkpointer, options, events_folder=events, tell=store.tell)
        write_model(staging.path, trainer.best_weights, settings, trainer.position.history)
        staging.environment |= compute.describe()
        staging.summary |= summary_of(trainer, settings, processes.world_size, peak, source_of(pairs.manifest))
        for sentence in (speed_in_words(staging.summary), outcome_in_words(trainer.position)):
            store.tell(sentence)

    with process_group(compute.device) as processes, processes.broadcasting() as broadcast:
        if force or not find_reusable(store, recipe):
            _look_for_state(store, recipe, resume=options.resume)
        made = produce(store, recipe, name, build, force=force)
    _tell_what_is_not_written(store, made, settings, options.profile)
    _pass_on(stop, made)
    return made


def _peak(compute: Compute) -> float:
    with compute.tuned():
        return matmul_peak(compute, seconds=_PEAK_SECONDS)


def _pass_on(stop: StopSignal, made: StageResult) -> None:
    """End as a signal asks that came when nothing was left to stop."""
    if stop.number:
        sentence = f"The training had come to its end: {made.artifact.reference} is made"
        raise StoppedError(sentence, signal_number=stop.number)


def _usual_settings(pairs: Artifact, device: DeviceName, tell: Callable[[str], None]) -> TrainSettings:
    is_photos = PairsFacts.of(pairs.manifest).has_photos
    return choose_training(device=device, is_photos=lambda: is_photos, tell=tell).settings


def _refuse_what_cannot_be_trained(pairs: Artifact, settings: TrainSettings, initial: Artifact | None) -> None:
    refuse_a_test_set(pairs)
    if settings.log.tensorboard:
        require_tensorboard()
    if initial and settings.objective.kind == "whitening":
        raise SettingsError("--init-from has no weights for lite0, which comes with its own", hint="Leave it out.")


def assist(*, device: DeviceName = "auto", watch_signals: WatchSignals = unwatched) -> None:
    """Train along with rank 0, which alone writes to the store and prints.

    Args:
        device: Where to train.
        watch_signals: Watches for signals; one that comes stops all processes together.

    Raises:
        OmnishotError: This process cannot take part.
    """
    with watch_signals() as stop, process_group(choose_compute(device, "auto").device) as processes:
        message = processes.receive()
        if message is None:
            return
        task = _Task.from_text(message)
        compute = choose_compute(device, task.settings.precision)
        with suppress(UsageError):  # It is the same in all processes, and rank 0 says it.
            task.trainer(compute, processes, tell=lambda sentence: None).run(stop)


def _take_steps(
    trainer: Trainer,
    checkpointer: Checkpointer,
    options: RunOptions,
    *,
    events_folder: Path | None,
    tell: Callable[[str], None],
) -> StopSignal:
    """Train until the end, and return the signal, which may have come with the last step.

    Raises:
        StoppedError: A signal came before; the state is kept.
    """
    with (
        options.watch_signals() as stop,
        profiled(options.profile, tell) as profiler,
        logged(events_folder, trainer.position) as events,
        trainer.steps(stop, on_progress=options.on_progress) as steps,
    ):
        for _ in steps:
            checkpointer.after_step()
            profiler.after_step()
            events.after_step()
        if stop.number and not trainer.is_finished:
            checkpointer.save()
            where, seconds = trainer.position.epoch + 1, trainer.position.seconds
            hint = "The state is kept: the same command with --resume continues exactly."
            message = f"Stopped in epoch {where} after {seconds:.0f} seconds of training"
            raise StoppedError(message, signal_number=stop.number, hint=hint)
    return stop


def _look_for_state(store: Store, recipe: Recipe, *, resume: bool) -> None:
    """Say that there is nothing to resume, or that there would be, before anything is loaded."""
    if resume:
        find_checkpoint(store.resume_folder(recipe))
    elif (store.resume_folder(recipe) / CHECKPOINT).exists():
        store.tell("Starting over; --resume would continue the interrupted run of these settings")


def _tell_what_is_not_written(store: Store, made: StageResult, settings: TrainSettings, profile: Path | None) -> None:
    if not made.reused:
        return
    if profile:
        store.tell(f"Nothing was trained, so that {profile} was not written; --force trains again")
    if settings.log.tensorboard and EVENTS not in made.artifact.manifest.files:
        store.tell("Nothing was trained, so that nothing was written for TensorBoard; --force trains again")
