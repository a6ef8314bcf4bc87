"""The sections of a page about models: how their training went, and what everything cost."""

from omnishot.drawing.charts import Course, course_chart
from omnishot.drawing.picture import Picture
from omnishot.errors import DamagedFileError
from omnishot.formats.history import read_history
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.subject import Reported, number_in
from omnishot.reporting.tables import Table
from omnishot.store.artifact import Artifact
from omnishot.store.remake import command_of
from omnishot.wording import percent

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
"""Rows of the table of speed: what each is called, its name in the summary, the unit it is divided by, its format."""


def training_section(subject: Reported) -> Section:
    """Return how every model was trained, and its curves."""
    pictures, missing = [], []
    for model in subject.models:
        shown = _curves(subject, model)
        if isinstance(shown, Picture):
            pictures.append(shown)
        else:
            missing.append(shown)
    if not subject.models:
        missing.append(Command("No network was measured, so that there is no training to show.", ""))
    text = ("The dotted line marks the epoch whose weights were kept.",) if pictures else ()
    models = _models(subject)
    tables = (_settings_table(models),) if models else ()
    return Section("Training", text=text, pictures=tuple(pictures), tables=tables, missing=tuple(missing))


def _models(subject: Reported) -> list[Artifact]:
    return [artifact for model in subject.models if (artifact := subject.artifact(model))]


def _curves(subject: Reported, model: str) -> Picture | Command:
    """Return the curves of a model, or what they lack."""
    artifact = subject.artifact(model)
    if artifact is None:
        what = f"{model} is no longer in the store, and its training curves with it. To train one of that name again:"
        return Command(what, subject.train_line(model))
    line = command_of(subject.store.root, artifact.manifest)
    try:
        epochs = read_history(artifact.file("history.jsonl")) if "history.jsonl" in artifact.manifest.files else []
    except DamagedFileError as error:
        return Command(f"The training history of {model} cannot be shown: {error}. To train it again:", line)
    if not epochs:
        return Command(f"{model} has no training history. To train it again:", f"{line} --force")
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
    name = f"training-{artifact.manifest.name}-{artifact.manifest.version}"
    return course_chart(name, f"Loss, accuracy and learning rate: {artifact.reference}", course)


def _settings_table(models: list[Artifact]) -> Table:
    """Return what a reader of the curves has to know; `omnishot show` prints the rest."""
    rows = [
        ("objective", *(_kind(model, "objective") for model in models)),
        ("optimizer", *(_kind(model, "optimizer") for model in models)),
        ("schedule of the learning rate", *(_kind(model, "schedule") for model in models)),
        ("validated by", *(_validation(model) for model in models)),
        ("epochs", *(_epochs(model) for model in models)),
        ("epoch that was kept", *(str(_best_epoch(model) or "the last") for model in models)),
        ("its validation accuracy", *(_best_accuracy(model) for model in models)),
        ("seed", *(str(model.manifest.settings.get("seed", "?")) for model in models)),
    ]
    columns = ("training", *(str(model.reference) for model in models))
    return Table("How it was trained", columns, tuple(rows))


def _epochs(model: Artifact) -> str:
    done, most = number_in(model.manifest.summary, "epochs"), number_in(model.manifest.settings, "epochs")
    if done is None or most is None:
        return "?"
    why = ", as time was limited" if model.manifest.summary.get("cut_short") is True else ""
    return f"{done:.0f} of {most:.0f}{why}"


def _best_accuracy(model: Artifact) -> str:
    best = number_in(model.manifest.summary, "validation_accuracy")
    return "not measured" if best is None else percent(best)


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
    where = "within an alphabet" if protocol == "within" else "between alphabets"
    return f"{trials} {settings.get('validation_ways', '?')}-way trials {where}"


def cost_section(subject: Reported) -> Section:
    """Return what training, measuring and storing took."""
    models = _models(subject)
    made = [ancestor.artifact for ancestor in subject.ancestors() if ancestor.artifact]
    rows = tuple(
        (
            str(artifact.reference),
            f"{artifact.manifest.seconds:,.1f} s",
            f"{artifact.size / 1e6:,.1f} MB",
            artifact.manifest.environment.get("device") or "",
            artifact.manifest.environment.get("precision") or "",
        )
        for artifact in made
    )
    everything = Table("Seconds and sizes", ("artifact", "took", "size", "device", "precision"), rows)
    tables = (_training_table(models), everything) if models else (everything,)
    return Section("Cost", text=_pairs_in_words(models), tables=tables)


def _pairs_in_words(models: list[Artifact]) -> tuple[str, ...]:
    if not any(_kind(model, "objective") == "classes" for model in models):
        return ()
    return (
        "With the objective “classes” every image of a batch is paired with every other, so that its pairs per second "
        "compare with nothing but themselves.",
    )


def _training_table(models: list[Artifact]) -> Table:
    rows = []
    for label, name, unit, form in _ROWS:
        values = [number_in(model.manifest.summary, name) for model in models]
        if any(value is not None for value in values):
            rows.append((label, *("" if value is None else form.format(value / unit) for value in values)))
    columns = ("training", *(str(model.reference) for model in models))
    return Table("What training took", columns, tuple(rows))
