"""One process at a time, and the others know for whom they wait."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from omnishot.errors import StoreBusyError
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
