"""The section of a page on what every evaluation descends from."""

from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import to_restore
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.tables import Table
from omnishot.store.artifact import Artifact

_DIGITS = 12


def lineage_section(subject: Subject) -> Section:
    """Return what every evaluation descends from, with digests."""
    rows, missing = [], []
    for ancestor in subject.ancestors():
        if ancestor.artifact:
            rows.append(_row(ancestor.artifact))
        elif ancestor.damage:
            rows.append((ancestor.reference, "cannot be read", "", "", ""))
            missing.append(Command(f"{ancestor.damage}.", "", is_damage=True))
        else:
            rows.append((ancestor.reference, "no longer in the store", "", "", ""))
            missing.append(to_restore(subject, ancestor.reference))
    columns = ("artifact", "made (UTC)", "from", "recipe", "omnishot")
    note = (
        "A recipe is the digest of settings and the contents of parents and source: equal recipes give equal content."
    )
    table = Table("From the images to the figures", columns, tuple(rows), (note,))
    return Section("Lineage", tables=(table,), shown=missing)


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
