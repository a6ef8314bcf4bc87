"""Locks between processes that share a store, and who holds them: the system drops a lock when its holder dies.

Where the file system has no locks, a file that names its holder is the lock, which the next one takes from a dead one.
"""

import contextlib
import errno
import fcntl
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from omnishot.errors import DamagedFileError, StoreBusyError, UnavailableError
from omnishot.store.atomic_write import make_folder, replaced
from omnishot.store.text_file import read_text

_SECONDS_BETWEEN_LOOKS = 1.0
_MOST_BYTES = 1_000_000
"""Larger notes of a holder are not read."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EACCES, errno.EPERM}
"""With what file systems answer that have no locks: NFS without its lock daemon, Lustre without `-o flock`, others."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: Process number.
        command: What the process is doing.
        parents: References of the artifacts it works on, which should stay until it is done.
    """

    pid: int
    command: str
    parents: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `process 4711 (omnishot train)`."""
        return f"process {self.pid} ({self.command})"


class Locks:
    """The locks of one store, each a file in a folder with a note of its holder beside it."""

    def __init__(self, folder: Path, *, wait_seconds: float, tell: Callable[[str], None]) -> None:
        """Name the folder; it is made when the first lock is taken.

        Args:
            folder: Where the lock files are.
            wait_seconds: How long to wait for another process.
            tell: Receives a sentence that says which process this one waits for.
        """
        self._folder, self._wait_seconds, self._tell = folder, wait_seconds, tell
        self._has_told = False
        self._refused: OSError | None = None
        self._is_probed = False

    @contextlib.contextmanager
    def held(self, name: str, holder: Holder, *, at_least: float = 0) -> Iterator[None]:
        """Hold a lock while the block runs.

        Args:
            name: Name of the lock.
            holder: What others are told while they wait, and what must not be removed meanwhile.
            at_least: Seconds to wait for it even where that is longer than asked for.

        Raises:
            StoreBusyError: Another process did not release it in time.
            UnavailableError: The store cannot be written.
        """
        try:
            make_folder(self._folder.parent, self._folder.name)
            if self._refusal and not self._has_told:
                self._has_told = True
                self._tell(
                    f"The file system of {self._folder.parent} has no locks ({self._refusal.strerror}): files keep the "
                    "processes of this machine apart, but not for certain those of others"
                )
            lock, note = self._lock(name), self._note(name)
            self._wait_for(lock, name, max(self._wait_seconds, at_least))
        except OSError as error:
            raise self._cannot_be_written(error) from None
        try:
            try:
                with replaced(note) as aside:
                    aside.write(json.dumps(asdict(holder)).encode())
            except OSError as error:
                if holder.parents:  # Else it is for those who wait alone; gc frees a disk that is full.
                    raise self._cannot_be_written(error) from None
            yield
        finally:
            with contextlib.suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()

    @contextlib.contextmanager
    def held_if_free(self, name: str) -> Iterator[bool]:
        """Hold a lock while the block runs, if nobody else holds it; gives whether it is held."""
        try:
            make_folder(self._folder.parent, self._folder.name)
            lock = self._lock(name)
            lock.acquire(blocking=False)
        except (Timeout, OSError, UnavailableError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def holders(self) -> list[Holder]:
        """Return who holds a lock now."""
        found = []
        for note in self._folder.glob("*.holder"):
            with self.held_if_free(note.stem) as is_free:
                holder = None if is_free else _read(note)
            if holder:
                found.append(holder)
        return found

    def sweep(self) -> None:
        """Remove the notes of processes that were killed."""
        for note in self._folder.glob("*.holder"):
            with self.held_if_free(note.stem) as is_free, contextlib.suppress(OSError):
                if is_free:
                    note.unlink(missing_ok=True)

    def _lock(self, name: str) -> BaseFileLock:
        if self._refusal:
            return SoftFileLock(self._folder / f"{name}.softlock")
        return FileLock(self._folder / f"{name}.lock")

    @property
    def _refusal(self) -> OSError | None:
        """How the file system refuses a lock that nobody else can hold, or None where it gives one."""
        if not self._is_probed:  # Where it cannot be asked yet, that is no answer.
            with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=self._folder) as probe:
                self._refused, self._is_probed = _refusal_of(probe), True
        return self._refused

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.holder"

    def _cannot_be_written(self, error: OSError) -> UnavailableError:
        hint = "Use a store in a folder that can be written, on a local disk if need be: --store FOLDER."
        return UnavailableError(f"The store {self._folder.parent} cannot be written: {error}", hint=hint)

    def _wait_for(self, lock: BaseFileLock, name: str, seconds: float) -> None:
        # At least one look: others hold a lock for moments only to see that it is free.
        deadline = time.monotonic() + max(seconds, _SECONDS_BETWEEN_LOOKS)
        told: Holder | None = None
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                lock.acquire(timeout=min(left, _SECONDS_BETWEEN_LOOKS))
                return
            except Timeout:
                holder = _read(self._note(name))
            if time.monotonic() >= deadline:
                hint = "Wait longer with --wait-for-lock SECONDS, or stop that process; its lock ends with it."
                if self._refusal:
                    hint += f" Where it ended on another machine, remove {lock.lock_file}."
                raise StoreBusyError(
                    f"The store is busy: waited {seconds:g} seconds for {holder or 'another process'}", hint=hint
                )
            if holder and holder != told:  # One that was killed may be followed by another.
                self._tell(f"Waiting for {holder}")
                told = holder


def _refusal_of(probe: IO[bytes]) -> OSError | None:
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error if error.errno in _NO_LOCKS else None
    return None


def _read(note: Path) -> Holder | None:
    try:
        if note.is_symlink():
            return None
        values = json.loads(read_text(note, most_bytes=_MOST_BYTES))
        return Holder(int(values["pid"]), str(values["command"]), tuple(map(str, values["parents"])))
    except (OSError, DamagedFileError, ValueError, KeyError, TypeError, RecursionError):
        return None
