"""tune: search the optimizer's values that are best on validation alphabets, in a study that machines can share.

Source: Koch et al. 2015, section 3.2 (layer-wise rates, momentum and L2 penalties, by Bayesian optimisation).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, SettingsError, StoppedError, TrainingError, UnavailableError, brief
from omnishot.formats.manifest_fields import says_who_drew
from omnishot.model.device import Compute, choose_compute
from omnishot.progress import OnProgress, Progress, silent
from omnishot.stages.search_space import By, SearchSpace
from omnishot.stages.trainer import build_trainer
from omnishot.stages.training_settings import SEARCHED_PRESET, choose_training, refuse_a_test_set
from omnishot.store.artifact import Artifact
from omnishot.training.stop_signal import StopSignal, WatchSignals, unwatched
from omnishot.vocabulary import DeviceName
from omnishot.wording import counted

if TYPE_CHECKING:
    import optuna

_STUDY_IS_KEPT = "The study is kept: the same command goes on with it."
_RANDOM_TRIALS = 8


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a study has found so far.

    Attributes:
        trials: Trials that were finished, in this and in other runs.
        pruned: Those of them that were given up early.
        accuracy: Best validation accuracy.
        settings: The settings that reached it.
    """

    trials: int
    pruned: int
    accuracy: float
    settings: TrainSettings


def tune(
    pairs: Artifact,
    settings: TrainSettings | None = None,
    *,
    storage: Path,
    trials: int = 50,
    minutes: float | None = None,
    by: By = "all",
    architecture: bool = False,
    device: DeviceName = "auto",
    on_progress: OnProgress = silent,
    watch_signals: WatchSignals = unwatched,
) -> Tuned:
    """Search, or go on with a search, until the study holds a number of trials; the first has the settings' own values.

    Args:
        pairs: The pair dataset.
        settings: What all trials have in common, but for what is searched; by default the preset `koch35`.
        storage: The study's file, a journal to which several processes and machines may append.
        trials: Trials that the study is to hold, with those of earlier runs and other machines.
        minutes: Start no trial after this time.
        by: What has values of its own; in the paper, every layer.
        architecture: Search the sizes of the layers too, as the paper did.
        device: Where to train.
        on_progress: Receives progress.
        watch_signals: Watches for signals; one that comes ends the search, and the trial that is running is lost.

    Raises:
        UnavailableError: Optuna is not installed.
        UsageError: The pair dataset is a test set.
        SettingsError: These settings have nothing to search, or the study searched others.
        DamagedFileError: The study cannot be read.
        StoppedError: A signal came; the trials that were finished are kept.
    """
    refuse_a_test_set(pairs)
    settings = settings or choose_training(preset=SEARCHED_PRESET).settings
    space = SearchSpace.of(settings, by, architecture=architecture)
    searched = {"pairs": pairs.manifest.recipe, "layers": list(space.parts), "architecture": architecture}
    searched["settings"] = settings.model_dump(mode="json", exclude={"data", "log"})
    study = _study(storage, searched, settings.epochs)
    _begin_with(study, space.own_values())
    compute, started = choose_compute(device, settings.precision), time.monotonic()
    with watch_signals() as stop:
        while (count := len(_finished(study))) < trials and not _is_over(started, minutes):
            figures = {"best validation": f"{max(done):.1%}"} if (done := _accuracies(study)) else {}

            def report_share(share: float, count: int = count, figures: dict[str, str] = figures) -> None:
                on_progress(Progress("Tuning", count + share, trials, "trials", figures))

            _run_trial(study, pairs, space, compute, stop, report_share)
            _stop_between_trials(stop, len(_finished(study)), trials)
    if not _accuracies(study):
        raise TrainingError("No trial came to its end", hint="Give it more --minutes, or lower --set epochs.")
    return Tuned(
        trials=len(_finished(study)),
        pruned=sum(trial.state.name == "PRUNED" for trial in study.trials),
        accuracy=study.best_value,
        settings=space.with_values(study.best_params),
    )


def _is_over(started: float, minutes: float | None) -> bool:
    return minutes is not None and time.monotonic() - started >= 60 * minutes


def _study(storage: Path, searched: dict[str, Any], epochs: int) -> "optuna.Study":
    try:
        import optuna  # Deferred: it is an extra, and takes a second.
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise UnavailableError(
            "tune needs Optuna", hint="pip install 'optuna>=4'; or in a clone of omnishot: pip install -e '.[tune]'."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(storage))),
            study_name="omnishot",
            direction="maximize",
            load_if_exists=True,
            # Not in the first half: many start late, and until then chance decides which of them is ahead.
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_RANDOM_TRIALS, n_warmup_steps=epochs // 2),
        )
        # Without a seed, so that machines which share the study try different values.
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS)
        known = study.user_attrs.get("searched")
    except Exception as error:  # Replaying a damaged journal raises anything.
        raise DamagedFileError(f"{storage} is no study that can be used: {brief(error)}") from None
    if known is None:
        study.set_user_attr("searched", searched)
    elif known != searched:
        other = ", ".join(name for name in searched if known.get(name) != searched[name])
        raise SettingsError(f"{storage} is a search with other {other}", hint="Name another file with --study.")
    return study


def _stop_between_trials(stop: StopSignal, done: int, trials: int) -> None:
    """End the search where a signal came as a trial ended, unless it was the last one."""
    if stop.number and done < trials:
        raise StoppedError(f"Stopped after {counted(done, 'trial')}", signal_number=stop.number, hint=_STUDY_IS_KEPT)


def _begin_with(study: "optuna.Study", own: dict[str, float]) -> None:
    """Have values tried next, unless they were, or are being, tried; a trial that was stopped does not count."""
    kept = [trial for trial in study.trials if trial.state.name != "FAIL"]
    if own not in [trial.system_attrs.get("fixed_params") for trial in kept]:
        study.enqueue_trial(own)


def _finished(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    return [trial for trial in study.trials if trial.state.name in {"COMPLETE", "PRUNED"}]


def _accuracies(study: "optuna.Study") -> list[float]:
    """Return the accuracies of the trials that came to their end; a pruned one has only that of its last epoch."""
    return [trial.value for trial in study.trials if trial.state.name == "COMPLETE" and trial.value is not None]


def _run_trial(
    study: "optuna.Study",
    pairs: Artifact,
    space: SearchSpace,
    compute: Compute,
    stop: StopSignal,
    report_share: Callable[[float], None],
) -> None:
    from optuna import TrialPruned
    from optuna.trial import TrialState

    trial = study.ask()
    try:
        accuracy = _measured(trial, pairs, space.suggest(trial), compute, stop, report_share)
    except (TrialPruned, TrainingError):  # Worse than most, or diverged.
        study.tell(trial, state=TrialState.PRUNED)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    else:
        study.tell(trial, accuracy)


def _measured(
    trial: "optuna.Trial",
    pairs: Artifact,
    settings: TrainSettings,
    compute: Compute,
    stop: StopSignal,
    report_share: Callable[[float], None],
) -> float:
    """Train once and return the best validation accuracy."""
    from optuna import TrialPruned

    trainer = build_trainer(pairs.file("pairs.h5"), settings, compute, has_drawers=says_who_drew(pairs.manifest))
    with trainer.steps(stop, on_progress=lambda progress: report_share(progress.done / progress.total)) as steps:
        for position in steps:
            if position.step == 0 and not trainer.is_finished:  # An epoch has ended, but not the last one.
                trial.report(position.history[-1].validation_accuracy or 0.0, step=position.epoch)
                if trial.should_prune():
                    raise TrialPruned
    if stop.number and not trainer.is_finished:
        raise StoppedError("Stopped within a trial, which is lost", signal_number=stop.number, hint=_STUDY_IS_KEPT)
    if trainer.position.best_accuracy < 0:
        raise SettingsError(
            "This split holds nothing out to validate on",
            hint="Make one with `omnishot prepare`, without --holdout none.",
        )
    return trainer.position.best_accuracy
