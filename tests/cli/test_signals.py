"""Ctrl-C and SIGTERM, at any moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
SAID = {
    signal.SIGINT: "omnishot: stopped by Ctrl-C\n",
    signal.SIGTERM: "omnishot: stopped by SIGTERM\n",
}


def start(arguments: Sequence[str | Path], *, interrupts: object = signal.SIG_DFL) -> subprocess.Popen[str]:
    """Start Python with SIGINT as a terminal leaves it, whatever the tests were started with."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pipesize=4096,  # So that a process with much to tell is not far ahead of who reads.
        env={**os.environ, "OMNISHOT_OFFLINE": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, interrupts),  # type: ignore[arg-type]
    )


def interrupt_at_import(process: subprocess.Popen[str], module: str, number: signal.Signals) -> tuple[str, str]:
    """Send a signal as soon as `-X importtime` tells of a module, and return stdout and what else is on stderr."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.rstrip().endswith(f" {module}"):
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=600)
    return out, "".join(line for line in err.splitlines(keepends=True) if not line.startswith("import time:"))


@pytest.mark.parametrize(
    ("command", "module", "number"),
    [
        ("presets", "typer", signal.SIGTERM),
        ("presets", "typer", signal.SIGINT),
        ("ls", "pydantic_core", signal.SIGINT),
        ("report", "yaml", signal.SIGTERM),
        ("prepare", "h5py", signal.SIGINT),
        ("eval", "numpy", signal.SIGINT),
    ],
)
@pytest.mark.slow
def test_a_signal_during_imports_is_told_in_one_sentence(
    tmp_path: Path, command: str, module: str, number: signal.Signals
) -> None:
    store = tmp_path if command == "prepare" else GOLDEN
    process = start(["-X", "importtime", "-m", "omnishot", command, "--store", store])
    assert interrupt_at_import(process, module, number) == ("", SAID[number])
    assert process.returncode == 128 + number


@BOTH
@pytest.mark.slow
def test_a_signal_during_work_leaves_nothing_half_made(
    picture_folder: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    prepare: list[str | Path] = ["prepare", "--source", picture_folder, "--pairs", "20k", "--materialize"]
    process = start(["-m", "omnishot", *prepare, "--no-progress", "--store", tmp_path])
    while not list(tmp_path.glob(".staging/*/pairs.h5")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.communicate(timeout=600) == ("", SAID[number])
    assert process.returncode == code
    assert not list(tmp_path.glob(".staging/*"))
    assert not list(tmp_path.glob("pairs/*/v*"))


def test_a_second_signal_stops_at_once() -> None:
    program = (
        "import time\n"
        "from omnishot.cli.signals import Stopped, stop_on_signals\n"
        "stop_on_signals()\n"
        "try:\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "finally:\n    print('cleaning up', flush=True)\n    time.sleep(60)\n"
    )
    process = start(["-c", program])
    assert process.stdout is not None
    for expected in ("ready\n", "cleaning up\n"):
        assert process.stdout.readline() == expected
        process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=600) == ("", "")
    assert process.returncode == -signal.SIGINT


@BOTH
def test_a_signal_that_a_finalizer_swallows_comes_again(number: signal.Signals, code: int) -> None:
    program = (
        "import time\n"
        "from omnishot.cli.signals import stop_on_signals\n"
        "stop_on_signals()\n"
        "class Slow:\n    def __del__(self):\n        print('ready', flush=True)\n        time.sleep(60)\n"
        "Slow()\n"
        "time.sleep(60)\n"
    )
    process = start(["-c", program])
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=600) == ("", "")
    assert process.returncode == code


@BOTH
def test_a_training_notes_the_first_signal_and_the_second_ends_it(number: signal.Signals, code: int) -> None:
    program = (
        "import signal\n"
        "from omnishot.cli.signals import stop_on_signals, watch_signals\n"
        "stop_on_signals()\n"
        "outside = signal.getsignal(signal.SIGTERM)\n"
        "with watch_signals() as stop:\n"
        "    assert stop.number is None\n"
        "assert signal.getsignal(signal.SIGTERM) is outside\n"
        "with watch_signals() as stop:\n"
        f"    signal.raise_signal({int(number)})\n"
        f"    assert stop.number == {int(number)}\n"
        "    print('noted')\n"
        f"    signal.raise_signal({int(number)})\n"
        "    print('not reached')\n"
    )
    process = start(["-c", program])
    assert process.communicate(timeout=60) == ("noted\n", "")
    assert process.returncode == code


@BOTH
def test_what_a_library_makes_of_a_signal_is_no_bug(number: signal.Signals, code: int) -> None:
    program = (
        "import signal, omnishot.cli.app\n"
        "def app(*arguments, **named):\n"
        f"    try:\n        signal.raise_signal({int(number)})\n"
        "    except BaseException:\n        raise ImportError('half imported')\n"
        "omnishot.cli.app.app = app\n"
        "omnishot.cli.main()\n"
    )
    process = start(["-c", program])
    assert process.communicate(timeout=600) == ("", SAID[number])
    assert process.returncode == code


def test_ctrl_c_does_not_reach_a_command_in_the_background() -> None:
    arguments = ["-X", "importtime", "-m", "omnishot", "presets"]
    process = start(arguments, interrupts=signal.SIG_IGN)  # As a script's shell starts what ends in &.
    out, err = interrupt_at_import(process, "typer", signal.SIGINT)
    assert process.returncode == 0
    assert "koch" in out
    assert err == ""
