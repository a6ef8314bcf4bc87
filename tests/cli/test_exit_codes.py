"""The number of every exit code is a promise to scripts."""

import re
import signal
import subprocess
import sys
from typing import Any

from omnishot import errors


def descendants(parent: type[errors.OmnishotError]) -> list[type[errors.OmnishotError]]:
    return [parent, *(found for child in parent.__subclasses__() for found in descendants(child))]


def test_every_error_keeps_its_exit_code() -> None:
    assert {error.__name__: error.exit_code for error in descendants(errors.OmnishotError)} == {
        "OmnishotError": 1,
        "UsageError": 2,
        "SettingsError": 2,
        "SamplingError": 2,
        "TrainingError": 2,
        "QualityGateError": 3,
        "InputError": 4,
        "NotFoundError": 4,
        "DamagedFileError": 4,
        "StoreBusyError": 5,
        "UnavailableError": 6,
        "StoppedError": 1,  # Each instance has its own, as the signal decides.
    }
    assert errors.StoppedError("stopped").exit_code == 130
    assert errors.StoppedError("stopped", signal_number=signal.SIGTERM).exit_code == 143


def test_help_lists_every_exit_code(omnishot: Any) -> None:
    shown = " ".join(omnishot("--help", COLUMNS="200").out.split())
    listed = re.findall(r"[:,] (\d+) ", shown[shown.index("Exit codes:") :])
    assert listed == ["0", "1", "2", "3", "4", "5", "6", "130", "141", "143"]


def test_a_bug_shows_its_traceback_and_says_what_to_report() -> None:
    program = (
        "import sys, omnishot.cli, omnishot.presets\n"
        "omnishot.presets.preset_names = lambda: 1 / 0\n"
        "sys.argv = ['omnishot', 'presets', '--json', '--store', 'a b\\x1b']\n"
        "omnishot.cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Traceback")
    *_, reason, sentence, command = done.stderr.splitlines()
    assert reason == "ZeroDivisionError: division by zero"
    assert "this is a bug" in sentence
    assert re.search(r"omnishot \d+\.\d+", sentence)
    assert command == "omnishot presets --json --store 'a b\\x1b'"
