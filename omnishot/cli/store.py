"""omnishot ls and omnishot show."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import DEFAULT_STORE, JsonOption, NoProgressOption, QuietOption, StoreOption, VerboseOption
from omnishot.errors import DamagedFileError, UsageError

if TYPE_CHECKING:
    from omnishot.artifacts.artifact import Artifact
    from omnishot.artifacts.store import Store


def ls_command(
    kind: Annotated[str | None, typer.Argument(help="images, pairs, models or evals.", show_default=False)] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """List the artifacts of the store, the oldest first. Creates: nothing."""
    from omnishot.artifacts.reference import KINDS
    from omnishot.artifacts.store import Store  # Deferred: pydantic takes tenths of a second.
    from omnishot.config import did_you_mean
    from omnishot.reporting.tables import Table

    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    if kind and kind not in KINDS:
        raise UsageError(f"unknown kind '{kind}'{did_you_mean(kind, KINDS)}", hint=f"Kinds: {', '.join(KINDS)}.")
    damaged: dict[Path, DamagedFileError] = {}
    artifacts = Store(store).artifacts(kind, damaged=damaged)
    for error in damaged.values():
        console.note(f"omnishot: {error}")
    if as_json:
        console.text(json.dumps([_row(artifact) for artifact in artifacts]) + "\n")
        return
    if not artifacts:
        console.note(f"There are no {kind or 'artifacts'} in {store}; `omnishot prepare` makes the first")
        return
    rows = []
    for artifact in artifacts:
        manifest, size = artifact.manifest, sum(file.size for file in artifact.manifest.files.values())
        parents = ", ".join(parent.reference for parent in manifest.parents)
        made = manifest.created[:19].replace("T", " ")
        rows.append((str(artifact.reference), made, f"{manifest.seconds:.1f} s", f"{size / 1e6:.1f} MB", parents))
    columns = ("artifact", "made (UTC)", "took", "size", "from")
    console.tables([Table(f"{len(rows)} artifacts in {store}", columns, tuple(rows))])


def _row(artifact: "Artifact") -> dict[str, object]:
    return {"artifact": str(artifact.reference), "path": str(artifact.path), **artifact.manifest.model_dump()}


def show_command(
    reference: Annotated[str, typer.Argument(help="Artifact, such as models/quick:v1 or quick.")],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Print an artifact's manifest and what it descends from. Creates: nothing."""
    from omnishot.artifacts.store import Store  # Deferred: pydantic takes tenths of a second.

    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    opened = Store(store, argv=sys.argv)
    artifact = opened.find(reference)
    lineage = list(_lineage(opened, artifact, 0))
    if as_json:
        console.text(json.dumps({**_row(artifact), "lineage": [name for _, name, _ in lineage]}) + "\n")
        return
    console.text(artifact.manifest.as_yaml())
    console.text("lineage:\n")
    for depth, name, found in lineage:
        console.text(f"{'  ' * depth}- {name}{'' if found else '  # no longer in the store'}\n")


def _lineage(store: "Store", artifact: "Artifact", depth: int) -> Iterator[tuple[int, str, bool]]:
    """Yield depth, reference and presence of an artifact and all it was made from."""
    yield depth, str(artifact.reference), True
    for parent in artifact.manifest.parents:
        found = store.with_recipe(parent.recipe, parent.reference)
        if found:
            yield from _lineage(store, found, depth + 1)
        else:
            yield depth + 1, parent.reference, False
