"""report --format html: evaluations and what they descend from become one page."""

from dataclasses import dataclass

from omnishot.progress import OnProgress, Progress
from omnishot.reporting.page.commands import commands_section
from omnishot.reporting.page.cost import cost_section
from omnishot.reporting.page.further import further_section
from omnishot.reporting.page.html import Section, as_html
from omnishot.reporting.page.lineage import lineage_section
from omnishot.reporting.page.network import network_sections
from omnishot.reporting.page.published import published_section
from omnishot.reporting.page.reliability import reliability_section
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.page.summary import summary_section
from omnishot.reporting.page.sweep import sweep_section
from omnishot.reporting.page.training import training_section
from omnishot.store.artifact import Artifact
from omnishot.store.remake import command_line
from omnishot.store.store import Store
from omnishot.wording import counted


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what it lost.

    Attributes:
        html: The page.
        damaged: What it lacks because something in the store is damaged, as it says so itself.
    """

    html: str
    damaged: tuple[str, ...]


def make_page(store: Store, evaluations: list[Artifact], on_progress: OnProgress) -> Page:
    """Return the page over some evaluations, the oldest first; what the store lacks is said in its place.

    Raises:
        DamagedFileError: The results of an evaluation cannot be read.
    """
    on_progress(Progress("Drawing", 0, 0))
    subject = Subject.of(store, evaluations)
    names = [model.removeprefix("models/") for model in subject.models]
    title = f"One-shot recognition: {', '.join(names[:3]) or 'baselines'}"
    if len(names) > 3:
        title += f" and {len(names) - 3} more"
    references = [str(evaluation.reference) for evaluation in evaluations]
    unrounded = command_line(store.root, "report", *references, "--format", "json")
    sections = sections_of(subject, on_progress)
    damaged = tuple(absent.what for section in sections for absent in section.missing if absent.is_damage)
    return Page(as_html(title, _subtitle(subject), sections, unrounded=unrounded), damaged)


def _subtitle(subject: Subject) -> str:
    sources = ", ".join(dict.fromkeys(item.source for item in subject.measured))
    made = max(artifact.manifest.created for artifact in subject.evaluations)[:16].replace("T", " ")
    return f"{counted(len(subject.evaluations), 'evaluation')} on {sources or 'nothing'}, the latest of {made} UTC"


def sections_of(subject: Subject, on_progress: OnProgress) -> list[Section]:
    """Return the parts of the page, in the order they are read."""
    sections = [
        summary_section(subject),
        sweep_section(subject),
        published_section(subject),
        further_section(subject),
        training_section(subject),
        reliability_section(subject),
        *network_sections(subject, on_progress),
        cost_section(subject),
        lineage_section(subject),
        commands_section(subject),
    ]
    return [section for section in sections if section]
