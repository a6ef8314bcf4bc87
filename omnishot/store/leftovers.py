"""What processes leave in a store when they are killed: incomplete artifacts, and the state of interrupted runs."""

import contextlib
import json
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from omnishot.errors import DamagedFileError, brief
from omnishot.store.artifact import Artifact
from omnishot.store.atomic_write import make_folder, replaced
from omnishot.store.locks import Locks
from omnishot.store.manifest import Parent
from omnishot.store.places import folders_in
from omnishot.store.text_file import read_text

STAGING = ".staging"
"""Holds a folder per artifact that is being made, named by its run, and those that are being removed."""

UNFINISHED = ".unfinished"
"""Holds a folder per interrupted run, named by its key."""

_REMOVED = "removed-"
_PARENTS = "parents.json"
_EARLIER = "earlier.json"
_OURS = re.compile(rf"[0-9a-f]{{64}}|{_REMOVED}[0-9a-f]{{32}}")


class Leftovers:
    """What runs that were killed or interrupted have left in a store."""

    def __init__(self, root: Path, locks: Locks, published: Callable[[], list[Artifact]]) -> None:
        """Take a store's folder, its locks, one per run, and a function that lists its artifacts."""
        self._root, self._locks, self._published = root, locks, published

    def sweep(self) -> None:
        """Remove incomplete artifacts, and checkpoints of runs that have finished, unless a process works on them.

        What cannot be listed is left to a later sweep.
        """
        self._locks.sweep()
        with contextlib.suppress(DamagedFileError):
            self._sweep_incomplete()
        with contextlib.suppress(DamagedFileError):
            self._sweep_finished()

    def _sweep_incomplete(self) -> None:
        for folder in _folders(self._root / STAGING):
            if folder.name.startswith(_REMOVED):
                discard(folder)
            else:
                self._discard_if_free(folder)

    def _sweep_finished(self) -> None:
        states = _folders(self._root / UNFINISHED)
        made = self._published() if states else []
        for folder in states:
            if _is_obsolete(folder, [artifact for artifact in made if artifact.key == folder.name]):
                self._discard_if_free(folder)

    def unfinished(self) -> list[Path]:
        """Return the folders with the state of interrupted runs that no process is continuing now.

        Raises:
            DamagedFileError: They cannot be listed.
        """
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

        Raises:
            DamagedFileError: The interrupted runs cannot be listed.
        """
        found = {parent for holder in self._locks.holders() for parent in holder.parents}
        for folder in _folders(self._root / UNFINISHED) if unfinished else ():
            with contextlib.suppress(DamagedFileError):
                found.update(_references(folder / _PARENTS))
        return found

    def _discard_if_free(self, folder: Path) -> None:
        """Remove the folder of a run unless a process works on it."""
        with self._locks.held_if_free(folder.name) as is_free:
            if is_free:
                discard(folder)


def prepared_for_state(folder: Path, parents: list[Parent], made: Callable[[], list[Artifact]]) -> Path:
    """Make the folder for the state of a run, and return it.

    Beside the state stand two notes: what the run is made from, and the artifacts of the run that there are already,
    as `made` returns them. Of those that come later the state is not needed: no clock is asked which is newer.

    Raises:
        UnavailableError: A link leads elsewhere.
        OSError: The store cannot be written.
    """
    make_folder(folder.parents[1], folder.parent.name, folder.name)
    if not (folder / _EARLIER).exists():
        _write_references(folder / _EARLIER, [str(artifact.reference) for artifact in made()])
    if not (folder / _PARENTS).exists():
        _write_references(folder / _PARENTS, [parent.reference for parent in parents])
    return folder


def _write_references(path: Path, references: list[str]) -> None:
    with replaced(path) as aside:
        aside.write(json.dumps(references).encode())


def _references(path: Path) -> list[str]:
    """Read a note.

    Raises:
        DamagedFileError: It is missing, or holds something else.
    """
    try:
        noted = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} cannot be read: {brief(error)}") from None
    if not isinstance(noted, list) or not all(isinstance(reference, str) for reference in noted):
        raise DamagedFileError(f"{path} is no list of references")
    return noted


def _is_obsolete(folder: Path, made: list[Artifact]) -> bool:
    """Tell whether a run has been finished since its state was begun; state without a note is kept."""
    with contextlib.suppress(DamagedFileError):
        earlier = _references(folder / _EARLIER)
        return any(str(artifact.reference) not in earlier for artifact in made)
    return False


def _folders(place: Path) -> list[Path]:
    """Return what a process of ours may have left; a link, or a folder of another name, is somebody else's.

    Raises:
        DamagedFileError: It cannot be listed.
    """
    if place.is_symlink():
        return []
    return [path for path in folders_in(place) if _OURS.fullmatch(path.name) and not path.is_symlink()]


def path_for_removal(root: Path) -> Path:
    """Return a path that an artifact can be moved to before it is removed; a sweep ends what was begun."""
    return make_folder(root, STAGING) / f"{_REMOVED}{uuid.uuid4().hex}"


def discard(path: Path) -> None:
    """Remove a folder of which nothing is needed; what cannot be removed is tried again by the next sweep."""
    if path.is_symlink():  # An artifact that somebody keeps elsewhere.
        path.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
