"""omnishot check, omnishot gc and omnishot diff."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import reference_argument, reference_option
from omnishot.cli.session import Session, with_session
from omnishot.errors import DamagedFileError, UsageError
from omnishot.vocabulary import KINDS
from omnishot.wording import counted, visible

if TYPE_CHECKING:
    from omnishot.maintenance.check import Checked


@with_session()
def check_command(
    session: Session,
    reference: Annotated[str | None, reference_argument("Artifact. Default: the newest of each kind.", *KINDS)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Check every artifact of the store.")] = False,
    from_elsewhere: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Check what somebody gave you, before it is put into a store."),
    ] = None,
) -> None:
    """Hash the files of an artifact, and of what it descends from, again. Creates: nothing; exit code 4: damaged.

    Examples:
      omnishot check --all
      omnishot check --from-elsewhere downloads/artifacts
    """
    from omnishot.maintenance.check import check_artifacts  # Deferred: pydantic takes tenths of a second.

    if reference is not None and everything:
        raise UsageError(f"{reference} and --all both say what to check", hint="Give one of them.")
    if from_elsewhere is not None:
        if reference is not None or everything:
            raise UsageError("--from-elsewhere checks a folder, not the store", hint="Give nothing beside it.")
        _check_guests(session.console, from_elsewhere)
        return
    console = session.console
    with console.progress() as on_progress:
        checked = check_artifacts(session.store, reference, everything=everything, on_progress=on_progress)
    rows = [
        {
            "artifact": item.reference,
            "path": str(item.path),
            "bytes": item.size,
            "damaged": item.problem or None,
            "replaced_by": item.replaced_by,
        }
        for item in checked
    ]
    console.result(rows, "".join(f"{_state(item):8} {item.reference}, {item.size / 1e6:.1f} MB\n" for item in checked))
    for item in checked:
        for parent in item.missing:
            console.note(f"{item.reference} was made from {parent}, which is no longer in the store")
        if item.replaced_by:
            console.note(f"{item.problem}\nIt was made again as {item.replaced_by}; `omnishot gc --keep N` removes it.")
        elif item.problem:
            console.note(f"{item.problem}\n{item.hint}")
    if damaged := [item.reference for item in checked if item.problem and not item.replaced_by]:
        raise DamagedFileError(f"Damaged: {', '.join(damaged)} ({len(damaged)} of {counted(len(checked), 'artifact')})")


def _check_guests(console: Console, folder: Path) -> None:
    """Print of each artifact in a folder whether it may be put into a store.

    Raises:
        DamagedFileError: One may not.
    """
    from omnishot.maintenance.from_elsewhere import check_from_elsewhere  # Deferred: torch takes seconds.

    with console.progress() as on_progress:
        guests = check_from_elsewhere(folder, on_progress=on_progress)
    rows = [{"artifact": item.name, "path": str(item.path), "wrong": item.problem or None} for item in guests]
    lines = [f"wrong {item.name}: {item.problem}" if item.problem else f"safe  {item.name}" for item in guests]
    console.result(rows, "".join(f"{visible(line, one_line=True)}\n" for line in lines))
    if wrong := [item for item in guests if item.problem]:
        hint = "Leave those out; the others may be put into a store."
        raise DamagedFileError(f"Not safe: {len(wrong)} of {counted(len(guests), 'artifact')}", hint=hint)


def _state(item: "Checked") -> str:
    return "replaced" if item.replaced_by else "damaged" if item.problem else "sound"


def _needs_one(context: typer.Context, keep: int | None) -> int | None:
    """Check that one of `--keep` and `--purge` says what to remove."""
    is_purge = context.params.get("purge") is not None
    if keep is None and not is_purge:
        raise typer.BadParameter("it is missing; --keep N or --purge GALLERY says what to remove")
    if keep is not None and is_purge:
        raise typer.BadParameter("--purge GALLERY has a rule of its own; give one of them")
    return keep


@with_session(waits=True)
def gc_command(
    session: Session,
    purge: Annotated[
        str | None,
        reference_option(
            "Delete all versions of this gallery but the newest, and nothing else.", "galleries", is_eager=True
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Versions of each name to keep.", show_default=False, callback=_needs_one),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also remove what interrupted runs keep to be resumed.")
    ] = False,
) -> None:
    """Remove old versions, but nothing a kept artifact descends from. Creates: nothing; prints what was removed.

    Examples:
      omnishot gc --keep 2 --dry-run
      omnishot gc --purge staff
    """
    if purge is not None:
        _purge(session, purge, dry_run=dry_run)
        return
    from omnishot.maintenance.garbage_collection import clean  # Deferred: pydantic takes tenths of a second.

    console = session.console
    with console.progress() as on_progress:
        cleaned = clean(session.store, keep or 1, unfinished=unfinished, dry_run=dry_run, on_progress=on_progress)
    freed = sum(artifact.size for artifact in cleaned.removed) + (cleaned.interrupted_bytes if unfinished else 0)
    removed = [str(artifact.reference) for artifact in cleaned.removed]
    console.result(
        {"removed": removed, "kept": len(cleaned.kept), "freed_bytes": freed, "dry_run": dry_run},
        "".join(f"{item.reference}, {item.size / 1e6:.1f} MB\n" for item in cleaned.removed),
    )
    if cleaned.interrupted and not unfinished:
        size = f"{cleaned.interrupted_bytes / 1e6:.1f} MB"
        console.note(
            f"Interrupted runs ({len(cleaned.interrupted)}) keep {size} to be resumed; --unfinished removes it"
        )
    for artifact in cleaned.damaged:
        console.note(f"{artifact.reference} is damaged and does not count as kept; `omnishot check --all` says more")
    for error in cleaned.unreadable:
        console.note(f"{error}\nWhat it may have been made from stays.")
    for folder in cleaned.linked:
        console.note(f"{folder} lies behind a link, where nothing is removed")
    verb = "Would remove" if dry_run else "Removed"
    console.note(f"{verb} {counted(len(cleaned.removed), 'artifact')}, {freed / 1e6:.1f} MB; {len(cleaned.kept)} stay")


def _purge(session: Session, gallery: str, *, dry_run: bool) -> None:
    from omnishot.maintenance.purge import purge  # Deferred: pydantic takes tenths of a second.

    gone = purge(session.store, gallery, dry_run=dry_run)
    session.console.result({"removed": gone, "dry_run": dry_run}, "".join(f"{reference}\n" for reference in gone))
    verb = "Would delete" if dry_run else "Deleted"
    session.console.note(
        f"{verb} {counted(len(gone), 'earlier version')}; backups of the store still have what it held"
    )


@with_session()
def diff_command(
    session: Session,
    one: Annotated[str, reference_argument("Artifact, such as models/quick:v1.", *KINDS)],
    other: Annotated[str, reference_argument("Another of the same kind.", *KINDS)],
    tolerance: Annotated[
        str | None,
        typer.Option(
            metavar="accuracy=0.005",
            help="Of two evaluations: exit with 3 if B is less accurate by more, trial by trial; or 20-way=0.005.",
        ),
    ] = None,
) -> None:
    """Print how two artifacts differ: settings, parents, results, environment. Creates: nothing.

    Examples:
      omnishot diff models/quick:v1 models/quick:v2
      omnishot diff quick-lake:v1 quick-lake:v2 --tolerance accuracy=0.005
    """
    from omnishot.maintenance.diff import diff_artifacts  # Deferred: pydantic takes tenths of a second.

    console = session.console
    first, second = session.store.find(one), session.store.find(other)
    found = diff_artifacts(first, second)
    tolerated, comparisons = None, []
    if tolerance is not None:
        from omnishot.reporting.paired_comparison import paired  # Deferred: torch takes seconds.
        from omnishot.reporting.tolerance import parse_tolerance

        tolerated = parse_tolerance(tolerance)
        comparisons = paired(session.store, first, second)
    names = str(first.reference), str(second.reference)
    values = {
        "one": names[0],
        "other": names[1],
        "same_recipe": found.same_recipe,
        "why": found.why,
        "differences": [{"what": what, "one": before, "other": after} for what, before, after in found.values],
    }
    if tolerated:
        values["paired"] = [asdict(comparison) for comparison in comparisons]
    if not console.as_json:
        console.note(f"{names[0]} -> {names[1]}. {found.why}")
    lines = [f"{what}: {_shown(before)} -> {_shown(after)}\n" for what, before, after in found.values]
    lines += [f"paired.{comparison.verdict}\n" for comparison in comparisons]
    console.result(values, "".join(lines))
    if tolerated:
        from omnishot.reporting.tolerance import check_tolerance

        console.note(check_tolerance(comparisons, tolerated))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "nothing" if value is None else json.dumps(value)
