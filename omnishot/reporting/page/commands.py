"""The section of a page with the commands that make every result again."""

from omnishot.reporting.from_scratch import Line, lines_from_scratch
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import not_from_scratch
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import is_baseline
from omnishot.store.artifact import Artifact
from omnishot.vocabulary import BUILT_IN_SOURCES
from omnishot.wording import percent


def commands_section(subject: Subject) -> Section:
    """Return the commands that make every result again, in the order in which they have to run."""
    artifacts = [ancestor.artifact for ancestor in subject.ancestors() if ancestor.artifact]
    lines, left = lines_from_scratch(artifacts)
    return Section(
        "How to get each figure again",
        text=_how_to_run(artifacts),
        shown=[not_from_scratch(subject, artifact, _results(subject, artifact)) for artifact in left],
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


def _again(subject: Subject, line: Line) -> Command:
    what = ", ".join(_results(subject, artifact) for artifact in line.stands_for)
    if line.makes not in map(str, (artifact.reference for artifact in line.stands_for)):
        what += f"; it becomes {line.makes} there"
    return Command(what, line.text)


def _results(subject: Subject, artifact: Artifact) -> str:
    """Return a reference, and of an evaluation the results of its networks at the most ways."""
    results = [item.result for item in subject.measured if item.evaluation == str(artifact.reference)]
    networks = [result for result in results if not is_baseline(result.model)] or results
    most = max((result.ways or 0 for result in networks), default=0)
    task = f"{most}-way" if most else "verification"
    shown = [result for result in networks if (result.ways or 0) == most]
    said = [f"{result.model.removeprefix('models/')} {percent(result.accuracy)} {task}" for result in shown]
    return f"{artifact.reference}: {', '.join(said)}" if said else str(artifact.reference)
