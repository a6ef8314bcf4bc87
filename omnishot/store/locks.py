"""Locks between processes that share a store, and who holds them: the system drops a lock when its holder dies."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from omnishot.errors import StoreBusyError, UnavailableError
from omnishot.store.atomic_write import make_folder, replaced

_SECONDS_BETWEEN_LOOKS = 1.0


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

    @contextlib.contextmanager
    def held(self, name: str, holder: Holder, *, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold a lock while the block runs.

        Args:
            name: Name of the lock.
            holder: What others are told while they wait, and what must not be removed meanwhile.
            wait_seconds: How long to wait, if not as long as usual.

        Raises:
            StoreBusyError: Another process did not release it in time.
            UnavailableError: The store cannot be written.
        """
        try:
            make_folder(self._folder.parent, self._folder.name)
            lock, note = self._lock(name), self._note(name)
            self._wait_for(lock, name, self._wait_seconds if wait_seconds is None else wait_seconds)
        except OSError as error:
            raise self._cannot_be_written(error) from None
        try:
            try:
                with replaced(note) as aside:
                    aside.write(json.dumps(asdict(holder)).encode())
            except OSError as error:
                raise self._cannot_be_written(error) from None
            yield
        finally:
            with contextlib.suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()

    @contextlib.contextmanager
    def held_if_free(self, name: str) -> Iterator[bool]:
        """Hold a lock while the block runs, if nobody else holds it; gives whether it is held."""
        lock = self._lock(name)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
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

    def _lock(self, name: str) -> FileLock:
        return FileLock(self._folder / f"{name}.lock")

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.holder"

    def _cannot_be_written(self, error: OSError) -> UnavailableError:
        return UnavailableError(f"The store {self._folder.parent} cannot be written: {error}")

    def _wait_for(self, lock: FileLock, name: str, seconds: float) -> None:
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
                raise StoreBusyError(
                    f"The store is busy: waited {seconds:g} seconds for {holder or 'another process'}",
                    hint="Wait longer with --wait-for-lock SECONDS, or stop that process; its lock ends with it.",
                )
            if holder and holder != told:  # One that was killed may be followed by another.
                self._tell(f"Waiting for {holder}")
                told = holder


def _read(note: Path) -> Holder | None:
    try:
        values = json.loads(note.read_text("utf-8"))
        return Holder(int(values["pid"]), str(values["command"]), tuple(map(str, values["parents"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
