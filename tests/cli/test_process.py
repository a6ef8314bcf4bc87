"""Threads and memory are chosen before torch is there, and what the user chose stays."""

import os
import subprocess
import sys

import pytest

import omnishot.cli.process
from omnishot.cli.process import choose_threads

NAMES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # So that it is as before in the end.
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("share", "bound", "threads"), [(2, 8, "2"), (8, 8, None)])
def test_a_containers_share_decides_the_threads(
    monkeypatch: pytest.MonkeyPatch, share: int, bound: int, threads: str | None
) -> None:
    monkeypatch.setattr(omnishot.cli.process, "cores", lambda: share)
    monkeypatch.setattr(omnishot.cli.process, "bound_cores", lambda: bound)
    choose_threads()
    assert os.environ.get("OMP_NUM_THREADS") == threads
    assert os.environ["GOMP_SPINCOUNT"] == "1000"


def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setattr(omnishot.cli.process, "cores", lambda: 0)
    choose_threads()
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.slow
def test_freed_memory_is_kept_for_the_next_step() -> None:
    program = (
        "import resource, sys\n"
        "from omnishot.cli.process import keep_freed_memory\n"
        "if sys.argv[1] == 'kept': keep_freed_memory()\n"
        "for _ in range(10): bytearray(50_000_000)[::4096] = b'1' * 12208\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    )
    faults = [
        int(subprocess.run([sys.executable, "-c", program, how], capture_output=True, check=True).stdout)
        for how in ("kept", "given back")
    ]
    if faults[1] < 60_000:
        pytest.skip("this C library keeps its memory anyway, or has larger pages")
    assert faults[0] < faults[1] / 2
