"""The section of a page on what training, measuring and storing took."""

from omnishot.formats.manifest_fields import TrainingFacts
from omnishot.reporting.page.html import Section
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.tables import Table
from omnishot.store.artifact import Artifact

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


def cost_section(subject: Subject) -> Section:
    """Return what training, measuring and storing took."""
    models = subject.model_artifacts()
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
    if not any(TrainingFacts.of(model.manifest).settings.objective.kind == "classes" for model in models):
        return ()
    return (
        "With the objective “classes” every image of a batch is paired with every other, so that its pairs per second "
        "compare with nothing but themselves.",
    )


def _training_table(models: list[Artifact]) -> Table:
    rows, summaries = [], [TrainingFacts.of(model.manifest).summary for model in models]
    for label, name, unit, form in _ROWS:
        values: list[float | None] = [getattr(summary, name) for summary in summaries]
        if any(value is not None for value in values):
            rows.append((label, *("" if value is None else form.format(value / unit) for value in values)))
    columns = ("training", *(str(model.reference) for model in models))
    return Table("What training took", columns, tuple(rows))
