"""One process at a time, and the others know for whom they wait."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from omnishot.errors import StoreBusyError, UnavailableError
from omnishot.store.locks import Holder, Locks

ME = Holder(os.getpid(), "omnishot test", ("pairs/x:v1",))


def locks(folder: Path, told: list[str] | None = None, *, wait_seconds: float = 600) -> Locks:
    return Locks(folder, wait_seconds=wait_seconds, tell=(told if told is not None else []).append)


def test_a_waiting_process_is_told_for_whom(tmp_path: Path) -> None:
    told: list[str] = []
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with locks(tmp_path).held("a", ME):
            held.set()
            assert go.wait(600)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(600)
    waiter = threading.Thread(target=lambda: locks(tmp_path, told).held("a", ME).__enter__())
    waiter.start()
    deadline = time.monotonic() + 600
    while not told and time.monotonic() < deadline:
        time.sleep(0.05)
    go.set()
    holder.join()
    waiter.join()
    assert told == [f"Waiting for process {os.getpid()} (omnishot test)"]


def test_waiting_ends_and_names_the_holder(tmp_path: Path) -> None:
    with (
        locks(tmp_path).held("a", ME),
        pytest.raises(StoreBusyError, match=rf"waited 0\.2 seconds for process {os.getpid()} \(omnishot test\)"),
        locks(tmp_path, wait_seconds=0.2).held("a", ME),
    ):
        pass


def test_other_locks_are_free(tmp_path: Path) -> None:
    with locks(tmp_path).held("a", ME), locks(tmp_path, wait_seconds=0).held("b", ME):
        assert {holder.command for holder in locks(tmp_path).holders()} == {"omnishot test"}
    assert locks(tmp_path).holders() == []


def test_a_lock_ends_with_its_holder_however_that_ends(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from omnishot.store.locks import Holder, Locks\n"
        "with Locks(Path(sys.argv[1]), wait_seconds=0, tell=print).held('a', Holder(os.getpid(), 'x')):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert (tmp_path / "a.holder").exists()
    assert locks(tmp_path).holders() == []
    with locks(tmp_path, wait_seconds=0).held("a", ME):
        assert locks(tmp_path).holders() == [ME]


@pytest.mark.parametrize("note", [b"", b"\xff", b"[]", b'{"pid": "x"}', b"[" * 100_000])
def test_a_damaged_note_is_passed_over(tmp_path: Path, note: bytes) -> None:
    with locks(tmp_path).held("a", ME):
        (tmp_path / "a.holder").write_bytes(note)
        assert locks(tmp_path).holders() == []
        with pytest.raises(StoreBusyError, match="another process"), locks(tmp_path, wait_seconds=0).held("a", ME):
            pass


def test_a_free_lock_is_held_for_the_block_and_one_that_is_not_is_left(tmp_path: Path) -> None:
    with locks(tmp_path).held("a", ME), locks(tmp_path).held_if_free("a") as is_held:
        assert not is_held
    with (
        locks(tmp_path).held_if_free("a") as is_held,
        pytest.raises(StoreBusyError),
        locks(tmp_path, wait_seconds=0).held("a", ME),
    ):
        assert is_held


REFUSALS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EACCES)


@pytest.fixture(params=REFUSALS, ids=errno.errorcode.get)
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A file system that refuses every lock."""

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr("fcntl.flock", refuse)
    return int(request.param)


def test_where_there_are_no_locks_files_keep_processes_apart_and_that_is_said_once(
    tmp_path: Path, without_locks: int
) -> None:
    told: list[str] = []
    mine = locks(tmp_path, told)
    with mine.held("a", ME), mine.held("b", ME):
        assert [holder.pid for holder in locks(tmp_path).holders()] == [os.getpid()] * 2
        with locks(tmp_path).held_if_free("a") as is_held:
            assert not is_held
        with (
            pytest.raises(StoreBusyError, match="waited 0 seconds") as busy,
            locks(tmp_path, wait_seconds=0).held("a", ME),
        ):
            pass
    assert busy.value.hint.endswith(f"remove {tmp_path / 'a.softlock'}.")
    assert told == [
        f"The file system of {tmp_path.parent} has no locks ({os.strerror(without_locks)}): files keep the processes "
        "of this machine apart, but not for certain those of others"
    ]
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_locks_the_next_process_takes_that_of_a_killed_one(
    tmp_path: Path, without_locks: int
) -> None:
    program = (
        "import fcntl, os, signal, sys\nfrom pathlib import Path\n"
        "from omnishot.store.locks import Holder, Locks\n"
        "def refuse(*_): raise OSError(int(sys.argv[2]), 'refused')\n"
        "fcntl.flock = refuse\n"
        "with Locks(Path(sys.argv[1]), wait_seconds=0, tell=str).held('a', Holder(os.getpid(), 'x')):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path, str(without_locks)], check=False)
    assert (tmp_path / "a.softlock").exists()
    with locks(tmp_path, wait_seconds=10).held("a", ME):
        assert locks(tmp_path).holders() == [ME]


def test_a_store_that_has_locks_uses_them_and_says_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    with locks(tmp_path, told).held("a", ME):
        assert {path.name for path in tmp_path.iterdir()} == {"a.lock", "a.holder"}
    assert told == []


def test_notes_of_killed_processes_are_swept_and_those_of_others_stay(tmp_path: Path) -> None:
    with locks(tmp_path).held("a", ME):
        (tmp_path / "b.holder").write_text(json.dumps({"pid": 1, "command": "x", "parents": []}))
        locks(tmp_path).sweep()
        assert {path.name for path in tmp_path.glob("*.holder")} == {"a.holder"}


def test_a_full_disk_costs_the_note_of_who_frees_it_and_stops_who_needs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("omnishot.store.locks.replaced", fail)
    with locks(tmp_path).held("versions", Holder(os.getpid(), "omnishot gc")):
        pass
    with pytest.raises(UnavailableError, match="No space left on device"), locks(tmp_path).held("a", ME):
        pass


def test_a_store_that_was_copied_without_its_locks_is_asked_whether_it_has_any(
    tmp_path: Path, without_locks: int
) -> None:
    told: list[str] = []
    copied = locks(tmp_path / "store" / ".locks", told)
    with copied.held_if_free("a") as is_free:
        assert is_free
    with copied.held("a", ME):
        assert locks(tmp_path / "store" / ".locks").holders() == [ME]
    assert os.strerror(without_locks) in told[0]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_who_waits_reads_no_note_that_has_no_end(tmp_path: Path, make: Callable[[Path], None]) -> None:
    with locks(tmp_path).held("a", ME):
        (tmp_path / "a.holder").unlink()
        make(tmp_path / "a.holder")
        assert locks(tmp_path).holders() == []
        with pytest.raises(StoreBusyError, match="for another process"), locks(tmp_path, wait_seconds=0).held("a", ME):
            pass
