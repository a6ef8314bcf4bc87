"""The section of a page on how every network was trained."""

from omnishot.drawing.picture import Picture
from omnishot.errors import OmnishotError, UsageError
from omnishot.formats.manifest_fields import TrainingFacts
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import nothing, to_repeat, to_restore
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.pictures.training import curves_of, validated_by
from omnishot.reporting.tables import Table
from omnishot.store.artifact import Artifact
from omnishot.wording import percent


def training_section(subject: Subject) -> Section:
    """Return how every model was trained, and its curves."""
    shown = [_curves(subject, model) for model in subject.models]
    if not shown:
        shown = [nothing("No network was measured, so that there is no training to show")]
    is_drawn = any(isinstance(part, Picture) for part in shown)
    text = ("The dotted line marks the epoch whose weights were kept.",) if is_drawn else ()
    models = subject.model_artifacts()
    tables = (_settings_table(models),) if models else ()
    return Section("Training", text=text, shown=shown, tables=tables)


def _curves(subject: Subject, model: str) -> Picture | Command:
    """Return the curves of a model, or what they lack."""
    artifact = subject.artifact(model)
    if artifact is None:
        return to_restore(subject, model, ", and its training curves with it")
    facts = TrainingFacts.of(artifact.manifest)
    if facts.settings.objective.kind == "whitening":
        return nothing(f"{model} has no training curves: all that was fitted is a closed form, in one step")
    try:
        if "history.jsonl" in artifact.manifest.files:
            return curves_of([artifact])
    except UsageError:  # It finished no epoch.
        pass
    except OmnishotError as error:
        return to_repeat(subject, artifact, f"The training history of {model} cannot be shown", error=error)
    return to_repeat(subject, artifact, f"{model} has no training history", force=True)


def _settings_table(models: list[Artifact]) -> Table:
    """Return what a reader of the curves has to know; `omnishot show` prints the rest."""
    facts = [TrainingFacts.of(model.manifest) for model in models]
    asked = [each.settings for each in facts]
    rows = [
        ("objective", *(settings.objective.kind or "?" for settings in asked)),
        ("optimizer", *(settings.optimizer.kind or "?" for settings in asked)),
        ("schedule of the learning rate", *(settings.schedule.kind or "?" for settings in asked)),
        ("validated by", *map(validated_by, facts)),
        ("epochs", *map(_epochs, facts)),
        ("epoch that was kept", *(str(each.summary.best_epoch or "the last") for each in facts)),
        ("its validation accuracy", *map(_best_accuracy, facts)),
        ("seed", *("?" if settings.seed is None else str(settings.seed) for settings in asked)),
    ]
    columns = ("training", *(str(model.reference) for model in models))
    return Table("How it was trained", columns, tuple(rows))


def _epochs(facts: TrainingFacts) -> str:
    done, most = facts.summary.epochs, facts.settings.epochs
    if done is None or most is None:
        return "?"
    return f"{done} of {most}{', as time was limited' if facts.summary.cut_short else ''}"


def _best_accuracy(facts: TrainingFacts) -> str:
    best = facts.summary.validation_accuracy
    return "not measured" if best is None else percent(best)
