"""omnishot ls and omnishot show."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import reference_argument
from omnishot.cli.session import Session, with_session
from omnishot.cli.streams import is_screen, width_of
from omnishot.errors import DamagedFileError, NotFoundError, UsageError
from omnishot.vocabulary import KINDS
from omnishot.wording import counted, did_you_mean, visible

if TYPE_CHECKING:
    from omnishot.store.artifact import Artifact
    from omnishot.store.lineage import Ancestor


@with_session()
def ls_command(
    session: Session,
    kind: Annotated[
        str | None,
        typer.Argument(
            help="images, pairs, models, evals or galleries.", show_default=False, autocompletion=lambda: list(KINDS)
        ),
    ] = None,
) -> None:
    """List the artifacts of the store, the oldest first. Creates: nothing.

    Examples:
      omnishot ls models
    """
    from omnishot.reporting.tables import Table
    from omnishot.store.artifact import place_name  # Deferred: pydantic takes tenths of a second.

    if kind is not None and kind not in KINDS:
        raise UsageError(f"unknown kind '{kind}'{did_you_mean(kind, KINDS)}", hint=f"Kinds: {', '.join(KINDS)}.")
    unreadable: dict[Path, DamagedFileError] = {}
    console, artifacts = session.console, session.store.artifacts(kind, damaged=unreadable)
    listed = [(artifact, _damage(artifact)) for artifact in artifacts]
    listed = [(artifact, error) for artifact, error in listed if artifact.path.exists()]  # Others may remove some.
    for error in [*filter(None, (error for _, error in listed)), *unreadable.values()]:
        console.note(f"omnishot: {error}")
    if console.as_json:
        rows = [{**_row(artifact), "damaged": str(error) if error else None} for artifact, error in listed]
        rows += [
            {"artifact": place_name(path), "path": str(path), "damaged": str(error)}
            for path, error in unreadable.items()
        ]
        console.text(json.dumps(rows) + "\n")
        return
    if not listed and not unreadable:
        console.note(f"There are no {kind or 'artifacts'} in {session.folder}; `omnishot prepare` makes the first")
        return
    lines = [_cells(artifact, error) for artifact, error in listed]
    lines += [(place_name(path), "damaged", "", "", "") for path in unreadable]
    columns = ("artifact", "size", "made (UTC)", "took", "from")
    console.tables([Table(f"{counted(len(lines), 'artifact')} in {session.folder}", columns, tuple(lines))])


def _damage(artifact: "Artifact") -> DamagedFileError | None:
    """Return what a look at the sizes finds; `omnishot check` reads the files."""
    try:
        artifact.verify(contents=False)
    except NotFoundError:
        return None
    except DamagedFileError as error:
        return error
    return None


def _cells(artifact: "Artifact", error: DamagedFileError | None) -> tuple[str, ...]:
    manifest = artifact.manifest
    size = "damaged" if error else f"{artifact.size / 1e6:.1f} MB"
    made = manifest.created[:19].replace("T", " ")
    parents = ", ".join(parent.reference for parent in manifest.parents)
    return (str(artifact.reference), size, made, f"{manifest.seconds:.1f} s", parents)


def _row(artifact: "Artifact") -> dict[str, object]:
    return {"artifact": str(artifact.reference), "path": str(artifact.path), **artifact.manifest.model_dump()}


@with_session()
def show_command(
    session: Session,
    reference: Annotated[str, reference_argument("Artifact, such as models/quick:v1 or quick.", *KINDS)],
    pictures: Annotated[
        bool | None,
        typer.Option(
            "--pictures/--no-pictures",
            help="Also draw a few pairs, or the curves of a training, as comments. Default: on a terminal.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print an artifact's manifest and what it descends from. Creates: nothing.

    Examples:
      omnishot show models/quick:v1
    """
    from omnishot.store.lineage import lineage  # Deferred: pydantic takes tenths of a second.

    artifact = session.store.find(reference)
    ancestors = lineage(session.store, artifact)
    lines = [f"{'  ' * item.depth}- {item.reference}{_lack(item)}\n" for item in ancestors]
    session.console.result(
        _row(artifact) | {"lineage": [item.reference for item in ancestors]},
        artifact.manifest.as_yaml() + "lineage:\n" + "".join(lines),
    )
    wants_pictures = is_screen(sys.stdout) if pictures is None else pictures
    if wants_pictures and not session.console.as_json:
        _draw(session.console, artifact)


def _lack(item: "Ancestor") -> str:
    if item.damage:
        return f"  # cannot be read: {visible(item.damage, one_line=True)}"
    return "" if item.artifact else "  # no longer in the store"


def _draw(console: Console, artifact: "Artifact") -> None:
    """Print a glimpse of an artifact in comments, so that what is printed stays YAML."""
    from omnishot.drawing.blocks import ink_for
    from omnishot.reporting.glimpse import glimpse  # Deferred: h5py takes tenths of a second.

    try:
        lines = glimpse(
            artifact, width=width_of(sys.stdout, otherwise=80) - len("# "), ink=ink_for(sys.stdout.encoding)
        )
    except DamagedFileError as error:  # The manifest is what one wants to see then.
        console.note(f"omnishot: {error}")
    else:
        console.text("".join(f"# {visible(line, one_line=True)}".rstrip() + "\n" for line in lines))
