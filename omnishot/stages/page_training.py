"""The sections of a page about models: how their training went, and what everything cost."""

from omnishot.artifacts.artifact import Artifact
from omnishot.artifacts.history import read_history
from omnishot.errors import DamagedFileError
from omnishot.reporting.charts import Course, course_chart
from omnishot.reporting.page import Command, Section
from omnishot.reporting.tables import Table
from omnishot.stages.commands import command_of
from omnishot.stages.reported import Reported, number_in

_ROWS = (
    ("parameters", "parameters", 1.0, "{:,.0f}"),
    ("epochs", "epochs", 1.0, "{:,.0f}"),
    ("seconds of training", "training_seconds", 1.0, "{:,.1f}"),
    ("pairs per second", "pairs_per_second", 1.0, "{:,.0f}"),
    ("images per second", "images_per_second", 1.0, "{:,.0f}"),
    ("GFLOP/s", "flops_per_second", 1e9, "{:,.0f}"),
    ("GFLOP/s of a matrix product here", "matmul_flops_per_second", 1e9, "{:,.0f}"),
    ("peak memory, MB", "peak_memory", 1e6, "{:,.0f}"),
    ("processes", "processes", 1.0, "{:,.0f}"),
)
"""Rows of the cost table: what it is called, its name in the summary, the unit it is divided by, its format."""


def training_section(subject: Reported) -> Section:
    """Return the curves of every model that was measured."""
    pictures, missing = [], []
    for model in subject.models:
        artifact = subject.artifact(model)
        if artifact is None:
            what = (
                f"{model} is no longer in the store, and its training curves with it. To train one of that name again:"
            )
            missing.append(Command(what, subject.train_line(model)))
            continue
        try:
            epochs = read_history(artifact.file("history.jsonl"))
        except DamagedFileError as error:
            what = f"The training history of {model} cannot be shown: {error}. To train it again:"
            missing.append(Command(what, command_of(subject.store, artifact)))
            continue
        if epochs:
            name = artifact.manifest.name
            course = Course(
                epoch=tuple(row.epoch for row in epochs),
                loss=tuple(row.loss for row in epochs),
                training_accuracy=tuple(row.training_accuracy for row in epochs),
                validation_accuracy=tuple(row.validation_accuracy for row in epochs),
                learning_rate=tuple(row.learning_rate for row in epochs),
                best_epoch=_best_epoch(artifact),
                schedule=_kind(artifact, "schedule"),
                validation=_validation(artifact),
            )
            title = f"{artifact.reference}: learning rate {course.schedule}, validated by {course.validation}"
            pictures.append(course_chart(f"training-{name}-{artifact.manifest.version}", title, course))
        else:
            what = f"{model} has no epoch in its training history. To train it again:"
            missing.append(Command(what, f"{command_of(subject.store, artifact)} --force"))
    if not subject.models:
        missing.append(Command("No network was measured, so that there is no training to show.", ""))
    text = ("The dotted line marks the epoch whose weights were kept.",) if pictures else ()
    return Section("Training", text=text, pictures=tuple(pictures), missing=tuple(missing))


def _best_epoch(artifact: Artifact) -> int | None:
    best = number_in(artifact.manifest.summary, "best_epoch")
    return None if best is None else int(best)


def _kind(artifact: Artifact, section: str) -> str:
    found = artifact.manifest.settings.get(section)
    return str(found.get("kind", "?")) if isinstance(found, dict) else "?"


def _validation(artifact: Artifact) -> str:
    settings = artifact.manifest.settings
    trials, protocol = settings.get("validation_trials"), settings.get("validation_protocol", "within")
    if not trials:
        return "nothing"
    if protocol == "verification":
        return f"verification of {trials} pairs"
    return f"{trials} {settings.get('validation_ways', '?')}-way trials {protocol} {'an alphabet' if protocol == 'within' else 'alphabets'}"


def cost_section(subject: Reported) -> Section:
    """Return what training, measuring and storing took."""
    models = [artifact for model in subject.models if (artifact := subject.artifact(model))]
    tables = [_training_table(models)] if models else []
    lines = dict.fromkeys(str(artifact.reference) for artifact in subject.evaluations)
    artifacts = [artifact for artifact in subject.artifacts if str(artifact.reference) in lines or artifact in models]
    data = [
        found for artifact in artifacts for kind in ("pairs", "images") if (found := subject.made_from(artifact, kind))
    ]
    shown = [artifact for artifact in subject.artifacts if artifact in artifacts or artifact in data]
    rows = tuple(
        (
            str(artifact.reference),
            f"{artifact.manifest.seconds:,.1f} s",
            f"{artifact.size / 1e6:,.1f} MB",
            str(artifact.manifest.environment.get("device") or ""),
            str(artifact.manifest.environment.get("precision") or ""),
        )
        for artifact in shown
    )
    tables.append(Table("Seconds and sizes", ("artifact", "took", "size", "device", "precision"), rows))
    return Section("Cost", text=_pairs_in_words(models), tables=tuple(tables))


def _pairs_in_words(models: list[Artifact]) -> tuple[str, ...]:
    if not any(_kind(model, "objective") == "classes" for model in models):
        return ()
    return (
        "With the objective “classes” every image of a batch is paired with every other, so that its pairs per second "
        "compare with nothing but themselves.",
    )


def _training_table(models: list[Artifact]) -> Table:
    rows = [
        ("device", *(str(model.manifest.environment.get("device") or "?") for model in models)),
        ("precision", *(str(model.manifest.environment.get("precision") or "?") for model in models)),
    ]
    for label, name, unit, form in _ROWS:
        values = [number_in(model.manifest.summary, name) for model in models]
        if any(value is not None for value in values):
            rows.append((label, *("" if value is None else form.format(value / unit) for value in values)))
    columns = ("training", *(str(model.reference) for model in models))
    return Table("What training took", columns, tuple(rows))
