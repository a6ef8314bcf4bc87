"""The example scripts are well-formed, and name presets and commands that exist."""

import re
import subprocess
import sys
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


@pytest.mark.slow
def test_letters_that_are_drawn_again_otherwise_are_recognised(tmp_path: Path) -> None:
    script = EXAMPLES / "recognise.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr == ""
    answers = re.findall(r"^another (\w): (\w) ", done.stdout, re.MULTILINE)
    assert len(answers) == 10
    assert sum(shown == named for shown, named in answers) >= 9
    assert not list(tmp_path.iterdir())


def test_images_of_ones_own_are_named_or_the_reason_is_said(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.png").write_text("hello")
    arguments = [EXAMPLES / "recognise.py", tmp_path / "examples", tmp_path / "query.png"]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a.png is text" in done.stderr
    assert "Traceback" not in done.stderr
