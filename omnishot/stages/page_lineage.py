"""The sections of a page on where its figures are from, and how to get each of them again."""

from omnishot.artifacts.artifact import Artifact
from omnishot.reporting.page import Command, Section
from omnishot.reporting.tables import Table, is_baseline, percent
from omnishot.stages.commands import command_of, recorded_line
from omnishot.stages.reported import Reported

_DIGITS = 12


def lineage_section(subject: Reported) -> Section:
    """Return what every evaluation descends from, with digests."""
    rows, missing = [], []
    for ancestor in subject.ancestors():
        if ancestor.artifact:
            rows.append(_row(ancestor.artifact))
        else:
            rows.append((ancestor.reference, "no longer in the store", "", "", ""))
            missing.append(_how_to_restore(subject, ancestor.reference))
    columns = ("artifact", "made (UTC)", "from", "recipe", "omnishot")
    note = "A recipe is the digest of settings, parents and source content: equal recipes mean equal content."
    table = Table("From the images to the figures", columns, tuple(rows), (note,))
    return Section("Lineage", tables=(table,), missing=tuple(missing))


def _row(artifact: Artifact) -> tuple[str, ...]:
    manifest = artifact.manifest
    origin = [parent.reference for parent in manifest.parents]
    if manifest.source:
        origin = [f"{manifest.source['name']}, content {manifest.source['digest'][:_DIGITS]}"]
    return (
        str(artifact.reference),
        manifest.created[:19].replace("T", " "),
        ", ".join(origin),
        manifest.recipe[:_DIGITS],
        manifest.environment.get("omnishot") or "",
    )


def _how_to_restore(subject: Reported, reference: str) -> Command:
    what = f"{reference} is no longer in the store. To make it again:"
    if reference.startswith("models/"):
        return Command(what, subject.train_line(reference))
    said = next((dict(item.trained_on) for item in subject.measured if item.trained_on), {})
    return Command(what, subject.prepare_line(said))


def commands_section(subject: Reported) -> Section:
    """Return the commands that make every figure again, in the order in which they have to run."""
    commands = []
    for ancestor in subject.ancestors():
        artifact = ancestor.artifact
        if artifact and artifact.manifest.kind != "images":  # What makes pairs makes their images.
            line, recorded = command_of(subject.store, artifact), recorded_line(artifact.manifest)
            commands.append(Command(_figures(subject, artifact), line, recorded if recorded != line else ""))
    text = (
        "Run them in this order in an empty folder. Settings of the same recipe give the same content; a model trained "
        "under a time limit, or on another device, may differ slightly, and its figures with it."
    )
    return Section("How to get each figure again", text=(text,), commands=tuple(commands))


def _figures(subject: Reported, artifact: Artifact) -> str:
    """Return a reference, and of an evaluation the figures of its networks at the most ways."""
    results = [item.result for item in subject.measured if item.evaluation == str(artifact.reference)]
    networks = [result for result in results if not is_baseline(result.model)] or results
    most = max((result.ways or 0 for result in networks), default=0)
    task = f"{most}-way" if most else "verification"
    shown = [result for result in networks if (result.ways or 0) == most]
    said = [f"{result.model.removeprefix('models/')} {percent(result.accuracy)} {task}" for result in shown]
    return f"{artifact.reference}: {', '.join(said)}" if said else str(artifact.reference)
