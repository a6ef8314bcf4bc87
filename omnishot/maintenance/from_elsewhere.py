"""check --from-elsewhere: whether artifacts that somebody gave us may be put into a store.

Links are not followed, nothing is read that is larger than such a file can be, and what is inside is read by a process
of its own, whose time and memory are limited.
"""

import multiprocessing
import os
import resource
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from omnishot.errors import DamagedFileError, NotFoundError, OmnishotError, brief
from omnishot.maintenance.reading import read_everything
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.artifact import place_name
from omnishot.store.digests import is_hollow
from omnishot.store.manifest import FILE_NAME, FileEntry, Manifest, file_digest, read_manifest
from omnishot.store.order import CURRENT, read_order
from omnishot.vocabulary import KINDS

SECONDS = 60
"""What reading one artifact may take, hashing not counted."""

_EXTRA_BYTES = 2 << 30
_MOST_ENTRIES = 10_000
_MOST_ANSWER = 100_000
_TEXT, _TENSORS, _ARRAYS = 64_000_000, 1 << 32, 1 << 38
_FILES = {
    "images": {"images.h5": _ARRAYS},
    "pairs": {"pairs.h5": _ARRAYS},
    "models": {
        "weights.safetensors": _TENSORS, "config.yaml": _TEXT, "history.jsonl": _TEXT, "history.tfevents": _TEXT,
    },
    "evals": {"scores.h5": _ARRAYS, "summary.json": _TEXT},
    "galleries": {"gallery.h5": _ARRAYS, "gallery.json": _TEXT},
}  # fmt: skip
"""The files of each kind, and the bytes that each may have; those of a model's TensorBoard may be missing."""

_OPTIONAL = {"history.tfevents"}


@dataclass(frozen=True, slots=True)
class Guest:
    """What was found of something that may be an artifact.

    Attributes:
        name: Its reference, or its path in the folder where it has none.
        path: Where it is.
        problem: What is wrong with it, or an empty text where it is safe.
    """

    name: str
    path: Path
    problem: str = ""


def check_from_elsewhere(folder: Path, *, on_progress: OnProgress = silent) -> list[Guest]:
    """Look at one artifact, or at all in a folder that is laid out as a store.

    Args:
        folder: An artifact's folder, or one of such by kind, name and version.
        on_progress: Receives the number of artifacts done.

    Raises:
        NotFoundError: There is no such folder, or no artifact in it.
        DamagedFileError: A folder on the way holds more than can be looked at.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}", hint="Name the folder of an artifact, or of several.")
    is_one = os.path.lexists(folder / FILE_NAME)
    guests = [Guest(folder.name, folder)] if is_one else list(_guests_in(folder))
    if not guests:
        hint = "Name the folder that holds a manifest.yaml, or one of KIND/NAME/vN below it."
        raise NotFoundError(f"There are no artifacts in {folder}", hint=hint)
    found = []
    with _Reader() as reader:
        for number, guest in enumerate(guests):
            on_progress(Progress("Checking", number, len(guests), "artifacts"))
            found.append(_looked_at(guest, reader, is_placed=guest.path != folder))
    return found


def _guests_in(folder: Path) -> Iterator[Guest]:
    """Yield what lies at KIND/NAME/vN, and what is wrong on the way: what is no folder, or no note of the newest."""
    for kind in KINDS:
        for name in _entries(folder / kind):
            if name.name == CURRENT:
                if problem := _problem_of_note(name):
                    yield Guest(f"{kind}/{CURRENT}", name, problem)
                continue
            for version in _entries(name):
                yield Guest(place_name(version), version, "" if _is_folder(version) else "it is no folder")
            if not _is_folder(name):
                yield Guest(f"{kind}/{name.name}", name, "it is no folder, or a link to one")
        if os.path.lexists(folder / kind) and not _is_folder(folder / kind):
            yield Guest(kind, folder / kind, "it is no folder, or a link to one")


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _problem_of_note(path: Path) -> str:
    if not stat.S_ISREG(path.lstat().st_mode):
        return "it is no file, or a link to one"
    try:
        read_order(path.parent)
    except DamagedFileError as error:
        return brief(error)
    return ""


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder that is no link.

    Raises:
        DamagedFileError: It is more than anybody puts into one.
    """
    if not _is_folder(folder):
        return []
    with os.scandir(folder) as entries:
        found = sorted(folder / entry.name for entry in islice(entries, _MOST_ENTRIES + 1))
    if len(found) > _MOST_ENTRIES:
        raise DamagedFileError(f"{brief(folder)} holds more than {_MOST_ENTRIES:,} files and folders")
    return found


def _looked_at(guest: Guest, reader: "_Reader", *, is_placed: bool) -> Guest:
    if guest.problem:
        return guest
    try:
        _refuse_other_entries(guest.path)
        manifest = read_manifest(guest.path)
        if is_placed and str(manifest.reference) != guest.name:
            raise DamagedFileError(f"it holds {manifest.reference}, which belongs elsewhere")
        _refuse_other_files(guest.path, manifest)
        for name, entry in manifest.files.items():
            _refuse_other_content(guest.path / name, entry)
        problem = reader.problem_of(guest.path)
        return Guest(str(manifest.reference), guest.path, problem)
    except (OmnishotError, OSError) as error:
        return Guest(guest.name, guest.path, brief(error))


def _refuse_other_entries(folder: Path) -> None:
    for path in _entries(folder):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            what = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
            raise DamagedFileError(f"{brief(path.name)} is {what}")
    if (size := (folder / FILE_NAME).lstat().st_size) > _TEXT:
        raise DamagedFileError(f"{FILE_NAME} has {size:,} bytes")


def _refuse_other_files(folder: Path, manifest: Manifest) -> None:
    allowed, named = _FILES[manifest.kind], set(manifest.files)
    if strange := {path.name for path in _entries(folder)} - named - {FILE_NAME}:
        raise DamagedFileError(f"it holds {brief(min(strange))}, of which its manifest says nothing")
    if strange := named - allowed.keys():
        raise DamagedFileError(f"{manifest.kind} do not hold {brief(min(strange))}")
    if lacking := allowed.keys() - named - _OPTIONAL:
        raise DamagedFileError(f"it lacks {min(lacking)}")
    for name, entry in manifest.files.items():
        if entry.size > allowed[name]:
            raise DamagedFileError(f"{name} has {entry.size:,} bytes; {allowed[name]:,} is the limit")


def _refuse_other_content(path: Path, expected: FileEntry) -> None:
    if (size := path.lstat().st_size) != expected.size:
        raise DamagedFileError(f"{path.name} has {size:,} bytes, but its manifest says {expected.size:,}")
    if is_hollow(path):
        raise DamagedFileError(f"{path.name} claims {size:,} bytes, but is all but empty on its disk")
    if file_digest(path) != expected.sha256:
        raise DamagedFileError(f"{path.name} has another SHA-256 than its manifest says")


class _Reader:
    """A process that reads artifacts, and is replaced where one of them has ended it."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def problem_of(self, folder: Path) -> str:
        """Return what is wrong with what an artifact holds, or an empty text."""
        connection = self._connection or self._start()
        connection.send_bytes(os.fsencode(folder.absolute()))
        try:
            if connection.poll(SECONDS):
                return connection.recv_bytes(_MOST_ANSWER).decode()  # Text alone: who read a guest is not unpickled.
            problem = f"reading it takes longer than {SECONDS} seconds"
        except (EOFError, OSError, UnicodeError):
            problem = "reading it ends the process that reads it"
        self._end()
        return problem

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_read_for, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._connection.recv_bytes()  # It has imported what it needs.
        return self._connection

    def _end(self) -> None:
        if self._connection and self._process:
            self._connection.close()
            self._process.kill()
            self._process.join()
        self._connection = self._process = None


def _read_for(connection: Connection) -> None:
    """Read every artifact that is asked for, until nobody asks."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        limit = pages * resource.getpagesize() + _EXTRA_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send_bytes(b"ready")
    while True:
        try:
            folder = Path(os.fsdecode(connection.recv_bytes()))
        except EOFError:
            return
        try:
            read_everything(read_manifest(folder), folder)
            connection.send_bytes(b"")
        except OmnishotError as error:
            connection.send_bytes(brief(error).encode())
        except Exception as error:  # Whatever a reader does not expect is no reason to trust the file.
            connection.send_bytes(f"it cannot be read: {brief(error)}".encode())
