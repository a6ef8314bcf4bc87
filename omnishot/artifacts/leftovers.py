"""What processes leave in a store when they are killed: half artifacts, which nobody needs, and states of runs."""

import contextlib
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from omnishot.artifacts.artifact import Artifact
from omnishot.artifacts.locks import Locks

STAGING = ".staging"
"""Holds a folder per artifact that is being made, named by its recipe, and those that are being removed."""

UNFINISHED = ".unfinished"
"""Holds a folder per interrupted run, named by its recipe."""

_REMOVED = "removed-"


def sweep(root: Path, locks: Locks, published: Callable[[], list[Artifact]]) -> None:
    """Remove half artifacts, and the states of runs that came to their end, unless a process works on them.

    Args:
        root: Folder of the store.
        locks: Its locks, one per recipe.
        published: Lists all artifacts; not called where there are no states.
    """
    for folder in (root / STAGING).glob("*"):
        if folder.name.startswith(_REMOVED):
            discard(folder)
        else:
            discard_if_free(folder, locks)
    states = list((root / UNFINISHED).glob("*"))
    made = {artifact.manifest.recipe: artifact for artifact in published()} if states else {}
    for folder in states:
        if folder.name in made and _is_newer(made[folder.name], folder):
            discard_if_free(folder, locks)


def unfinished(root: Path, locks: Locks) -> list[Path]:
    """Return the folders with the state of interrupted runs that nobody is continuing now."""
    found = []
    for folder in sorted((root / UNFINISHED).glob("*")):
        with locks.held_if_free(folder.name) as is_free:
            if is_free:
                found.append(folder)
    return found


def grave(root: Path) -> Path:
    """Return a path that an artifact can be moved to before it is removed; a sweep ends what was begun."""
    (root / STAGING).mkdir(parents=True, exist_ok=True)
    return root / STAGING / f"{_REMOVED}{uuid.uuid4().hex}"


def discard(path: Path) -> None:
    """Remove a folder of which nothing is needed; what cannot be removed is tried again by the next sweep."""
    if path.is_symlink():
        path.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def discard_if_free(folder: Path, locks: Locks) -> None:
    """Remove the folder of a recipe unless a process is making it."""
    with locks.held_if_free(folder.name) as is_free:
        if is_free:
            discard(folder)


def _is_newer(artifact: Artifact, folder: Path) -> bool:
    """Tell whether an artifact was published after the last file of unfinished state was written."""
    with contextlib.suppress(OSError, ValueError):
        published = datetime.fromisoformat(artifact.manifest.created).timestamp()
        return all(path.stat().st_mtime < published for path in folder.iterdir())
    return False
