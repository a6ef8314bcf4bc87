"""Histories become training curves, of one model or of several beside each other."""

from omnishot.drawing.picture import Picture
from omnishot.drawing.training import MOST_MODELS, Training, training_chart
from omnishot.errors import UsageError
from omnishot.formats.history import read_history
from omnishot.formats.manifest_fields import TrainingFacts
from omnishot.store.artifact import Artifact


def curves_of(models: list[Artifact]) -> Picture:
    """Draw how the training of one or several models went; those that finished no epoch are left out.

    Raises:
        UsageError: There are too many models to tell apart, or none has finished an epoch.
        DamagedFileError: A file does not hold what it should.
    """
    if len(models) > MOST_MODELS:
        raise UsageError(f"Curves of {MOST_MODELS} models can be told apart, not of {len(models)}")
    trainings = [training for model in models if (training := _training(model))]
    references = ", ".join(str(model.reference) for model in models)
    if not trainings:
        raise UsageError(f"{references} finished no epoch")
    first = models[0].manifest
    return training_chart(
        f"training-{first.name}-{first.version}", f"Loss, accuracy and learning rate: {references}", trainings
    )


def _training(model: Artifact) -> Training | None:
    history, facts = read_history(model.file("history.jsonl")), TrainingFacts.of(model.manifest)
    if not history:
        return None
    schedule = facts.settings.schedule.kind or "?"
    return Training(str(model.reference), history, facts.summary.best_epoch, schedule, validated_by(facts))


def validated_by(facts: TrainingFacts) -> str:
    """Return in a few words what chose the weights that were kept."""
    settings = facts.settings
    if not settings.validation_trials:
        return "nothing"
    if settings.validation_protocol == "verification":
        return f"verification of {settings.validation_trials} pairs"
    protocol = settings.validation_protocol or "within"
    return f"{settings.validation_trials} {settings.validation_ways or '?'}-way trials, protocol {protocol}"
