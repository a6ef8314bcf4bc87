"""The section of a page with the tables that have no place elsewhere."""

from omnishot.reporting.page.html import Section
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.tables import paired_table


def further_section(subject: Subject) -> Section | None:
    """Return the tables that have no place elsewhere, or None if there are none."""
    # Differences at every number of ways would bury those that matter; `--format json` has them all.
    widest = subject.widest()
    paired = paired_table([item for item in subject.measured if item in widest])
    tables = tuple(table for table in (subject.tables.others, paired) if table)
    return Section("Further results", tables=tables) if tables else None
