"""The sections of a page on where its figures are from, and how to get each of them again."""

from omnishot.reporting.from_scratch import Line, lines_from_scratch
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.subject import Reported
from omnishot.reporting.tables import Table, is_baseline
from omnishot.store.artifact import Artifact
from omnishot.store.remake import command_of, recorded_line
from omnishot.vocabulary import BUILT_IN_SOURCES
from omnishot.wording import percent

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
    artifacts = [ancestor.artifact for ancestor in subject.ancestors() if ancestor.artifact]
    lines, left = lines_from_scratch(artifacts)
    return Section(
        "How to get each figure again",
        text=_how_to_run(artifacts),
        missing=tuple(_not_from_scratch(subject, artifact) for artifact in left),
        commands=tuple(_again(subject, line) for line in lines),
    )


def _how_to_run(artifacts: list[Artifact]) -> tuple[str, ...]:
    text = (
        "Run them in this order in an empty folder. Equal recipes give equal content, except for a model that was "
        "trained under a time limit (max_minutes) or is trained on another device. A time limit decides the number of "
        "epochs: on a slower or busier machine there are fewer, the model is another one, and so are its figures."
    )
    sources = {artifact.manifest.source["name"] for artifact in artifacts if artifact.manifest.source}
    if sources <= BUILT_IN_SOURCES:
        return (text,)
    return text, "After --source stands a folder as it was typed, or PATH: write it as it is seen from the empty one."


def _again(subject: Reported, line: Line) -> Command:
    first = line.stands_for[0]
    what = ", ".join(_figures(subject, artifact) for artifact in line.stands_for)
    if line.makes not in map(str, (artifact.reference for artifact in line.stands_for)):
        what += f"; it becomes {line.makes} there"
    recorded = recorded_line(first.manifest)
    return Command(what, line.text, recorded if recorded != line.text else "")


def _not_from_scratch(subject: Reported, artifact: Artifact) -> Command:
    what = (
        f"{_figures(subject, artifact)}. In an empty folder it cannot be made: something that it descends from is no "
        "longer in the store, or has settings of another version of omnishot. Where all of that is there:"
    )
    return Command(what, command_of(subject.store.root, artifact.manifest))


def _figures(subject: Reported, artifact: Artifact) -> str:
    """Return a reference, and of an evaluation the figures of its networks at the most ways."""
    results = [item.result for item in subject.measured if item.evaluation == str(artifact.reference)]
    networks = [result for result in results if not is_baseline(result.model)] or results
    most = max((result.ways or 0 for result in networks), default=0)
    task = f"{most}-way" if most else "verification"
    shown = [result for result in networks if (result.ways or 0) == most]
    said = [f"{result.model.removeprefix('models/')} {percent(result.accuracy)} {task}" for result in shown]
    return f"{artifact.reference}: {', '.join(said)}" if said else str(artifact.reference)
