"""What processes leave in a store when they are killed: incomplete artifacts, and the state of interrupted runs."""

import contextlib
import json
import re
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from omnishot.errors import DamagedFileError
from omnishot.store.artifact import Artifact
from omnishot.store.atomic_write import replaced
from omnishot.store.locks import Locks
from omnishot.store.manifest import Parent
from omnishot.store.text_file import read_text

STAGING = ".staging"
"""Holds a folder per artifact that is being made, named by its run, and those that are being removed."""

UNFINISHED = ".unfinished"
"""Holds a folder per interrupted run, named by its key."""

_REMOVED = "removed-"
_PARENTS = "parents.json"
_OURS = re.compile(rf"[0-9a-f]{{64}}|{_REMOVED}[0-9a-f]{{32}}")


class Leftovers:
    """What runs that were killed or interrupted have left in a store."""

    def __init__(self, root: Path, locks: Locks, published: Callable[[], list[Artifact]]) -> None:
        """Take a store's folder, its locks, one per run, and a function that lists its artifacts."""
        self._root, self._locks, self._published = root, locks, published

    def sweep(self) -> None:
        """Remove incomplete artifacts, and checkpoints of runs that have finished, unless a process works on them."""
        self._locks.sweep()
        for folder in _folders(self._root / STAGING):
            if folder.name.startswith(_REMOVED):
                discard(folder)
            else:
                self._discard_if_free(folder)
        states = _folders(self._root / UNFINISHED)
        made = {artifact.key: artifact for artifact in self._published()} if states else {}
        for folder in states:
            if folder.name in made and _is_newer(made[folder.name], folder):
                self._discard_if_free(folder)

    def unfinished(self) -> list[Path]:
        """Return the folders with the state of interrupted runs that no process is continuing now."""
        found = []
        for folder in _folders(self._root / UNFINISHED):
            with self._locks.held_if_free(folder.name) as is_free:
                if is_free:
                    found.append(folder)
        return found

    def remove_unfinished(self) -> None:
        """Remove the state of interrupted runs, which can no longer be resumed then."""
        for folder in self.unfinished():
            self._discard_if_free(folder)

    def needed(self, *, unfinished: bool) -> set[str]:
        """Return the references of what running, and if asked for interrupted, runs are made from.

        Notes of interrupted runs that cannot be read are passed over.
        """
        found = {parent for holder in self._locks.holders() for parent in holder.parents}
        for folder in _folders(self._root / UNFINISHED) if unfinished else ():
            with contextlib.suppress(DamagedFileError, ValueError, TypeError, RecursionError):
                found.update(map(str, json.loads(read_text(folder / _PARENTS))))
        return found

    def _discard_if_free(self, folder: Path) -> None:
        """Remove the folder of a run unless a process works on it."""
        with self._locks.held_if_free(folder.name) as is_free:
            if is_free:
                discard(folder)


def prepared_for_state(folder: Path, parents: list[Parent]) -> Path:
    """Make the folder for the state of a run, with a note of what the run is made from; return it.

    Raises:
        OSError: The store cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _PARENTS).exists():
        with replaced(folder / _PARENTS) as aside:
            aside.write_text(json.dumps([parent.reference for parent in parents]), "utf-8")
    return folder


def _folders(place: Path) -> list[Path]:
    """Return what a process of ours may have left; a link, or a folder of another name, is somebody else's."""
    if place.is_symlink():
        return []
    return [path for path in sorted(place.glob("*")) if _OURS.fullmatch(path.name) and not path.is_symlink()]


def path_for_removal(root: Path) -> Path:
    """Return a path that an artifact can be moved to before it is removed; a sweep ends what was begun."""
    (root / STAGING).mkdir(parents=True, exist_ok=True)
    return root / STAGING / f"{_REMOVED}{uuid.uuid4().hex}"


def discard(path: Path) -> None:
    """Remove a folder of which nothing is needed; what cannot be removed is tried again by the next sweep."""
    if path.is_symlink():  # An artifact that somebody keeps elsewhere.
        path.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def _is_newer(artifact: Artifact, folder: Path) -> bool:
    """Tell whether an artifact was published after the last file of unfinished state was written."""
    with contextlib.suppress(OSError, ValueError):
        published = datetime.fromisoformat(artifact.manifest.created).timestamp()
        return all(path.stat().st_mtime < published for path in folder.iterdir())
    return False
