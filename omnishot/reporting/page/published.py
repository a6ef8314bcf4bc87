"""The section of a page with the tables that have published results beside ours."""

from omnishot.config import EvalSettings
from omnishot.reporting.page.html import Section
from omnishot.reporting.page.missing import to_measure, to_verify
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import is_baseline

_TEXT = (
    "Of the tables of Koch et al. 2015, the first is verification, the second 20-way recognition on Lake's runs, and "
    "the third transfer to MNIST. The second one has later methods too."
)


def published_section(subject: Subject) -> Section:
    """Return the paper's tables beside ours."""
    tables, missing = subject.tables, []
    on_runs = [item.result for item in subject.measured if item.result.protocol == "lake"]
    if not tables.twenty_way or all(is_baseline(result.model) for result in on_runs):
        elsewhere = None if any(item.source == "omniglot" for item in subject.measured) else "omniglot"
        lacking = "Koch's table 2: no network was measured on Lake's runs"
        missing.append(to_measure(subject, lacking, EvalSettings(protocol="lake"), source=elsewhere))
    if not tables.verification:
        missing.append(to_verify(subject, "Koch's table 1: nothing was measured at verification"))
    if not tables.mnist:
        settings = EvalSettings(ways=(10,), baselines=("nearest-neighbour", "random"))
        missing.append(to_measure(subject, "Koch's table 3: nothing was measured on MNIST", settings, source="mnist"))
    shown = tuple(table for table in (tables.verification, tables.twenty_way, tables.mnist) if table)
    return Section("Beside published figures", text=(_TEXT,), tables=shown, shown=missing)
