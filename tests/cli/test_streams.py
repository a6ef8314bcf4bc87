"""stdout, stderr and stdin that are closed, full, left by their reader, or speak no UTF-8."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omnishot.wording import visible
from tests.tiny import SMALL

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
ENVIRONMENT = {**os.environ, "OMNISHOT_OFFLINE": "1"}


def shell(line: str, *arguments: str | bytes | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which `omnishot` is the command line and "$@" are the arguments."""
    start = f'omnishot() {{ {shlex.quote(sys.executable)} -m omnishot "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", start + line, "bash", *arguments],
        capture_output=True,
        env={**ENVIRONMENT, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"), [(["ls", "--store", "none"], 0), (["show", "nothing"], 4), (["evall"], 2)]
)
def test_without_stderr_nothing_goes_to_stdout_instead(tmp_path: Path, arguments: list[str], code: int) -> None:
    done = shell('omnishot "$@" 2>&-', *arguments, OMNISHOT_STORE=str(tmp_path))
    assert (done.returncode, done.stdout) == (code, b"")


def test_without_any_stream_a_stage_still_does_its_work(picture_folder: Path, tmp_path: Path) -> None:
    done = shell('omnishot "$@" <&- >&- 2>&-', "prepare", "--source", picture_folder, *SMALL, "--store", tmp_path)
    assert done.returncode == 0
    assert list(tmp_path.glob("pairs/*/v1/pairs.h5"))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_is_opened_in_the_place_of_a_closed_stream(tmp_path: Path, closed: str) -> None:
    program = (
        "import sys\nfrom omnishot.cli.streams import open_streams\nopen_streams()\n"
        "file = open(sys.argv[1], 'w')\nfile.write(str(file.fileno()))\n"
        "print('x', file=sys.stdout)\nprint('x', file=sys.stderr)\nsys.stdin.fileno()\n"
    )
    command = shlex.join([sys.executable, "-c", program, str(tmp_path / "number")])
    done = shell(f"{command} {closed}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "number").read_text() == "3"


@pytest.mark.parametrize("arguments", [["presets"], ["ls", "--store", GOLDEN]])
def test_a_closed_stdout_is_no_error(arguments: list[str | Path]) -> None:
    done = shell('omnishot "$@" >&-', *arguments)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["presets"],
        ["ls", "--store", GOLDEN],
        ["report", "--format", "tsv", "--store", GOLDEN],
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:2])),
)
def test_a_reader_that_has_gone_ends_a_command_with_141_and_no_word(arguments: list[str | Path]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "omnishot", *map(str, arguments)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_first_line_of_a_listing_can_be_had() -> None:
    done = shell('omnishot ls --store "$1" | head -1; echo "${PIPESTATUS[0]}"', GOLDEN)
    first, code = done.stdout.decode().splitlines()
    assert first == f"5 artifacts in {GOLDEN}"
    assert code in {"0", "141"}
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", [["ls", "--store", GOLDEN], ["presets"], ["--version"]], ids=lambda a: a[0])
def test_a_result_that_finds_no_room_is_an_error_of_the_environment(
    tmp_path: Path, arguments: list[str | Path]
) -> None:
    # A limit on the size of files stands in for a full disk: both come back as an error of the write call.
    done = shell('ulimit -f 0; file="$1"; shift; omnishot "$@" > "$file"', tmp_path / "result", *arguments)
    assert done.returncode == 6, done.stderr
    assert done.stderr.decode().splitlines() == [
        "omnishot: stdout cannot be written: File too large",
        "Make room there, or send it elsewhere.",
    ]


def test_a_stage_goes_on_when_nobody_reads_its_messages(picture_folder: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["prepare", "--source", picture_folder, *SMALL, "--store", tmp_path]
    command = [sys.executable, "-m", "omnishot", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, check=False)
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"pairs/scripts-60:v1\n")


def test_ctrl_c_keeps_the_checkpoint_though_it_also_ended_the_reader(
    omnishot: Any, picture_folder: Path, tmp_path: Path
) -> None:
    """`omnishot train 2>&1 | tee log`: the terminal sends the signal to both."""
    assert omnishot("prepare", "--source", picture_folder, *SMALL, "--store", tmp_path).code == 0
    settings = ["epochs=100000", "max_minutes=1", "objective.classes_per_batch=10", "objective.batches_per_epoch=1"]
    program = (  # That progress is told at once, not after five seconds.
        "import omnishot.cli, omnishot.cli.console\n"
        "omnishot.cli.console._SECONDS_BETWEEN_LINES = 0\n"
        "omnishot.cli.main()\n"
    )
    train = ["train", "--preset", "quick", "--device", "cpu", "--store", str(tmp_path)]
    train += [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-c", program, *train]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # Ignored where tests run in the background.
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Training"):
                break
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=600) == 130
    assert len(list((tmp_path / ".unfinished").iterdir())) == 1


@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        ({"LC_ALL": "C"}, "utf-8"),
        ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
        ({"PYTHONIOENCODING": "ascii:strict", "FORCE_COLOR": "1"}, "ascii"),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
    ],
    ids=lambda value: " ".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else None,
)
def test_what_a_locale_cannot_show_is_written_out(tmp_path: Path, environment: dict[str, str], encoding: str) -> None:
    store = shutil.copytree(GOLDEN, tmp_path / "±10 µm ✓")
    for command in (["ls"], ["show", "models/golden"], ["--help"]):
        done = shell('omnishot "$@"', *command, OMNISHOT_STORE=str(store), **environment)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode(encoding)
    failed = shell('omnishot "$@"', "show", "é", OMNISHOT_STORE=str(store), **environment)
    assert failed.returncode == 2
    assert b"Traceback" not in failed.stderr


def test_a_store_whose_name_is_no_utf_8_works(picture_folder: Path, tmp_path: Path) -> None:
    store = os.fsencode(tmp_path / "store") + b"\xff"
    made = shell('omnishot "$@"', "prepare", "--source", picture_folder, *SMALL, "--store", store)
    assert (made.returncode, made.stdout) == (0, b"pairs/scripts-60:v1\n"), made.stderr
    listed = shell('omnishot "$@"', "ls", "--json", "--store", store)
    assert [row["artifact"] for row in json.loads(listed.stdout)] == ["images/scripts:v1", "pairs/scripts-60:v1"]
    assert listed.stderr == b""
    empty = shell('omnishot "$@"', "ls", "--store", store + b"\xe9")
    assert rb"store\xff\xe9;" in empty.stderr


def test_a_picture_whose_name_is_no_utf_8_is_named(picture_folder: Path, tmp_path: Path) -> None:
    source = shutil.copytree(picture_folder, tmp_path / "scripts")
    some = next(source.rglob("*.png"))
    some.rename(Path(os.fsdecode(os.fsencode(some.parent) + b"/\xff.png")))
    done = shell('omnishot "$@"', "prepare", "--source", source, *SMALL, "--store", tmp_path / "artifacts")
    assert (done.returncode, done.stdout) == (4, b"")
    assert rb"\udcff.png has a name with line breaks, control characters or letters that are not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_home_is_needed(picture_folder: Path, tmp_path: Path) -> None:
    environment = {"HOME": "/dev/null/nowhere", "XDG_CACHE_HOME": ""}
    for command in (["ls"], ["report"]):
        done = shell('omnishot "$@"', *command, OMNISHOT_STORE=str(GOLDEN), **environment)
        assert (done.returncode, done.stderr) == (0, b"")
    where = {**environment, "OMNISHOT_STORE": str(tmp_path)}
    made = shell('omnishot "$@"', "prepare", "--source", picture_folder, *SMALL, **where)
    assert made.returncode == 0, made.stderr
    for cache in ({}, {"XDG_CACHE_HOME": "/dev/null/cache"}):
        missing = shell('unset OMNISHOT_DATA; omnishot "$@"', "prepare", "--source", "omniglot", **{**where, **cache})
        assert missing.returncode == 6
        assert f"not in {cache.get('XDG_CACHE_HOME', '/dev/null/nowhere')}" in missing.stderr.decode()
        assert b"Traceback" not in missing.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred\x7f", r"\x9b31mred\x7f"),
        ("over\rwritten\b\a", r"over\rwritten\x08\x07"),
        ("abc\u202egpj", r"abc\u202egpj"),
        ("\u2066a\u2069\u2028", r"\u2066a\u2069\u2028"),
        ("byte \udcff, half \ud83d", r"byte \xff, half \ud83d"),
        ("two\nlines\tand é ± 漢字", "two\nlines\tand é ± 漢字"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_names_cannot_begin_a_line() -> None:
    assert visible("a\nomnishot: all is well\t", one_line=True) == r"a\nomnishot: all is well\t"


def test_a_terminal_that_is_full_and_does_not_wait_costs_messages_but_no_run(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "reader, writer = os.pipe()\n"
        "os.set_blocking(writer, False)\n"
        "os.dup2(writer, 2)\n"
        "from omnishot.cli.streams import open_streams, say\n"
        "open_streams()\n"
        "for _ in range(3000):\n"
        "    say('x' * 100)\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_a_result_waits_for_a_reader_that_is_slow(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "os.set_blocking(1, False)\n"
        "from omnishot.cli.streams import open_streams\n"
        "open_streams()\n"
        "print('x' * 1_000_000)\n"
    )
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} | (sleep 0.5; wc -c)"
    assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.strip() == "1000001"
