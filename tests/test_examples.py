"""The example scripts are well-formed, and name presets and commands that exist."""

import re
import subprocess
from pathlib import Path

import pytest

from omnishot.cli.app import app
from omnishot.presets import preset_names

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.rglob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_well_formed_and_names_what_exists(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    text = script.read_text("utf-8")
    commands = {command.name for command in app.registered_commands}
    assert set(re.findall(r"^[^#`]*?\bomnishot (\w+) ", text, re.MULTILINE)) <= commands
    assert set(re.findall(r"--preset ([\w-]+)", text)) <= set(preset_names())
    for path in re.findall(r"\bexamples/[\w./-]+\.\w+", text):
        assert (EXAMPLES.parent / path).is_file(), path


def test_an_unknown_option_is_refused() -> None:
    for script in ("koch2015/tables.sh", "koch2015/worth.sh", "writeups/within.sh"):
        done = subprocess.run(["bash", EXAMPLES / script, "--bugdet", "1"], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "unknown option --bugdet" in done.stderr
