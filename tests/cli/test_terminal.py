"""What is shown on a real terminal, and how that differs from a pipe."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")
SETTINGS = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "TTY_COMPATIBLE", "GITHUB_ACTIONS"}
Environment = dict[str, str] | None
DARK = {name: value for name, value in os.environ.items() if name not in SETTINGS}


def on_terminal(
    *arguments: str | Path, columns: int = 80, code: int = 0, environment: Environment = None,
    program: tuple[str, ...] = ("-m", "omnishot"),
) -> str:  # fmt: skip
    """Run a command whose three streams are a terminal, and return all that is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**DARK, "OMNISHOT_OFFLINE": "1", "TERM": "xterm-256color", **(environment or {})},
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # What Linux answers once the other end is closed.
        pass
    os.close(ours)
    assert process.wait() == code, shown
    return shown.decode()


def piped(*arguments: str | Path, **environment: str) -> str:
    command = [sys.executable, "-m", "omnishot", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**DARK, **environment})
    return done.stdout


def table_lines(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if line[:1] in "┏┃┡│└+|"]


def test_no_color_means_no_colour() -> None:
    assert COLOUR.search(on_terminal("report", "--store", GOLDEN, columns=200))
    assert not COLOUR.search(on_terminal("report", "--store", GOLDEN, columns=200, environment={"NO_COLOR": "1"}))
    assert not COLOUR.search(on_terminal("evall", code=2, environment={"NO_COLOR": "1"}))


def test_a_dumb_terminal_gets_plain_lines_only(picture_folder: Path, tmp_path: Path) -> None:
    prepare: list[str | Path] = ["prepare", "--source", picture_folder, "--pairs", "20k", "--store", tmp_path]
    assert "\x1b[?25l" in on_terminal(*prepare)
    shown = on_terminal(*prepare, "--force", environment={"TERM": "dumb"})
    assert "\x1b" not in shown
    assert [line for line in shown.splitlines() if not re.match(r"Read|Split|Made|pairs/|.*%", line)] == []
    for arguments in (["report", "--store", GOLDEN], ["--help"]):
        assert "\x1b" not in on_terminal(*arguments, environment={"TERM": "dumb"})


@pytest.mark.parametrize(
    ("command", "columns", "environment"),
    [
        ("ls", 40, {}),
        ("report", 40, {}),
        ("report", 200, {"COLUMNS": "40"}),
        ("ls", 200, {"COLUMNS": "40", "TERM": "dumb"}),
    ],
)
def test_forty_columns_are_enough_and_what_they_leave_out_is_named(
    command: str, columns: int, environment: dict[str, str]
) -> None:
    shown = on_terminal(command, "--store", GOLDEN, columns=columns, environment=environment)
    lines = table_lines(shown)
    assert lines
    assert max(map(len, (re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines))) <= 40
    said = " ".join(shown.split())
    for column in {"ls": ["made (UTC)", "from"], "report": ["95 % interval", "trials"]}[command]:
        assert column in said[said.index("A wider terminal") :]


@pytest.mark.parametrize("environment", [{"COLUMNS": "40", "TERM": "dumb"}, {"FORCE_COLOR": "1"}])
def test_a_pipe_gets_every_column(environment: dict[str, str]) -> None:
    listed = piped("ls", "--store", GOLDEN, **environment)
    assert "models/golden:v1, pairs/golden-20-affine1:v1" in listed
    assert "A wider terminal" not in listed
    assert ("\x1b" in listed) == ("FORCE_COLOR" in environment)


def test_names_in_a_manifest_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    store = shutil.copytree(GOLDEN, tmp_path / "artifacts")
    path = store / "pairs" / "golden-20-affine1" / "v1" / "manifest.yaml"
    manifest: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    manifest["parents"][0]["reference"] = "images/\x1b]0;title\a[red]x\u202e\n:v1"
    path.chmod(0o644)
    path.write_text(yaml.safe_dump(manifest))
    written_out = r"images/\x1b]0;title\x07[red]x\u202e\n:v1"
    assert written_out in on_terminal("ls", "--store", store, columns=200)


def test_arguments_cannot_act_on_a_terminal() -> None:
    name = "\x1b[31m[bold]\u202e"
    assert r"\x1b[31m[bold]\u202e; `omnishot" in on_terminal("ls", "--store", name)
    shown = on_terminal("prepare", "--no-progress", "--source", f"{name}\nomnishot: done", code=4)
    assert "\x1b" not in shown
    assert not re.search("^omnishot: done", shown, re.MULTILINE)


def test_show_draws_pairs_on_a_terminal_in_comments_that_fit() -> None:
    for columns in (40, 200):
        shown = on_terminal("show", "pairs/golden-20-affine1", "--store", GOLDEN, columns=columns).splitlines()
        drawn = [line for line in shown if line.startswith("#")]
        words = " ".join(drawn)
        assert (words.count(" same"), words.count(" different")) == (2, 2)
        assert sum("▀" in line or "█" in line for line in drawn) >= 7
        assert max(map(len, drawn)) <= columns
        assert yaml.safe_load("\n".join(shown))["kind"] == "pairs"
    assert "▀" not in on_terminal("show", "pairs/golden-20-affine1", "--no-pictures", "--store", GOLDEN)


def test_show_in_a_pipe_is_yaml_without_pictures_unless_they_are_asked_for() -> None:
    plain = piped("show", "pairs/golden-20-affine1", "--store", GOLDEN)
    assert "#" not in plain
    asked = piped("show", "pairs/golden-20-affine1", "--pictures", "--store", GOLDEN, PYTHONIOENCODING="ascii")
    assert asked.startswith(plain)
    assert asked.isascii()
    assert yaml.safe_load(asked) == yaml.safe_load(plain)
    assert len(asked.splitlines()) > len(plain.splitlines()) + 20


def test_show_of_a_model_draws_its_loss_in_one_line(tmp_path: Path) -> None:
    shown = piped("show", "models/golden", "--pictures", "--store", GOLDEN)
    (line,) = [line for line in shown.splitlines() if line.startswith("# loss")]
    assert "▁" in line
    store = shutil.copytree(GOLDEN, tmp_path / "artifacts")
    history = store / "models" / "golden" / "v1" / "history.jsonl"
    history.chmod(0o644)
    history.write_text("")
    shown = on_terminal("show", "models/golden", "--store", store)
    assert "kind: models" in shown
    assert "history.jsonl is damaged" in shown


SWEEP = """
from omnishot.cli.console import Console
from omnishot.reporting.tables import Table
rows = (("1", "100.0 %"), ("2", "50.0 %"))
table = Table("Sweep", ("ways", "net on test"), rows, shares=((1.0,), (0.5,)))
Console(as_json=False, quiet=False, verbose=False, no_progress=False).tables([table])
"""


def test_curves_are_drawn_on_a_terminal_with_room_for_them_only() -> None:
    wide = on_terminal(columns=100, program=("-c", SWEEP))
    (line,) = [line for line in table_lines(wide) if "50.0 %" in line]
    assert line.split("│")[3].strip(" ").index("●") == 25
    assert "● net on test" in wide
    assert "●" not in on_terminal(columns=40, program=("-c", SWEEP))
    plain = on_terminal(columns=100, program=("-c", SWEEP), environment={"PYTHONIOENCODING": "ascii"})
    assert "* net on test" in plain
    done = subprocess.run([sys.executable, "-c", SWEEP], capture_output=True, text=True, check=True, env=DARK)
    assert "●" not in done.stdout
