"""A command in a fork is, from outside, what it is in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import Cli, Outcome, environment_with
from tests.fork_server import ForkServer
from tests.tiny import TRAIN

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden" / "v1"
LOOK_AROUND = """
import json, os, signal, sys, threading
with open("/proc/self/status") as file:
    status = dict(line.partition(":")[::2] for line in file)
print(json.dumps({
    "argv": sys.argv, "environment": dict(os.environ), "folder": os.getcwd(), "name": __name__, "path": sys.path,
    "descriptors": os.listdir("/proc/self/fd"), "input": os.readlink("/proc/self/fd/0"), "group": os.getpgid(0),
    "kinds": [os.readlink(f"/proc/self/fd/{n}").partition(":")[0] for n in (1, 2)],
    "handlers": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
    "blocked": status["SigBlk"], "ignored": status["SigIgn"], "caught": int(status["SigCgt"], 16) & 0x7FFFFFFF,
    "threads": threading.active_count(), "mask": status["Umask"],
    "streams": [(s.encoding, s.errors, s.isatty(), s.fileno()) for s in (sys.stdin, sys.stdout, sys.stderr)],
}, indent=1))
print("on stderr", file=sys.stderr)
"""
ENDINGS = {
    "code": ("import sys; sys.exit(3)", 3),
    "large code": ("import sys; sys.exit(256 + 7)", 7),
    "words": ("import sys; sys.exit('words')", 1),
    "nothing": ("print('x', end='')", 0),
    "error": ("import sys; sys.excepthook = lambda *error: print(error[1]); 1 / 0", 1),
    "signal": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
    "interrupt": ("import sys; sys.excepthook = lambda *error: None; raise KeyboardInterrupt", -2),
    "at exit": ("import atexit, sys; atexit.register(print, 'last'); sys.exit(4)", 4),
    "thread": ("import sys, threading\nthreading.Timer(0.2, print, ['late']).start()\nsys.exit(5)", 5),
    "at once": ("import os, sys; sys.stdout.write('lost'); os._exit(6)", 6),
}


def both(server: ForkServer, *arguments: str, **environment: str) -> tuple[Outcome, Outcome]:
    """Run Python in a process of its own and in a fork."""
    variables = environment_with(environment)
    assert server.can_run(variables)
    command = [sys.executable, *arguments]
    own = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    forked = server.run(arguments, variables, timeout=600)
    return (
        Outcome(own.returncode, own.stdout, own.stderr),
        Outcome(forked.returncode, forked.stdout, forked.stderr),
    )


def test_it_gets_what_a_process_gets(fork_server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "look_around.py"
    script.write_text(LOOK_AROUND)
    monkeypatch.chdir(tmp_path)
    own, forked = both(fork_server, str(script), "a b", "\udcff", "", COLUMNS="33", OMNISHOT_STORE="\udce9")
    assert (own.code, own.err) == (forked.code, forked.err) == (0, "on stderr\n")
    assert json.loads(forked.out) == json.loads(own.out)
    assert '"COLUMNS": "33"' in own.out


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_ends_as_a_process_ends(fork_server: ForkServer, tmp_path: Path, ending: str) -> None:
    program, code = ENDINGS[ending]
    (tmp_path / "program.py").write_text(program)
    own, forked = both(fork_server, str(tmp_path / "program.py"))
    assert forked == own
    assert own.code == code


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["evall"], ["ls"], ["show", "models/golden"], ["show", "nothing"], ["report"]],
    ids=" ".join,
)
def test_it_says_what_a_process_says(fork_server: ForkServer, arguments: list[str]) -> None:
    own, forked = both(fork_server, "-m", "omnishot", *arguments, OMNISHOT_STORE=str(GOLDEN), COLUMNS="100")
    assert forked == own


def test_it_makes_what_a_process_makes(omnishot: Cli, own_process: Cli, picture_folder: Path, tmp_path: Path) -> None:
    manifests = []
    for run, name in ((own_process, "own"), (omnishot, "forked")):
        store = tmp_path / name
        assert run("prepare", "--source", picture_folder, "--pairs", "20", "--affine", "1", "--store", store).code == 0
        trained = run("train", *TRAIN, "--store", store)
        assert trained.code == 0, trained.err
        manifests.append(yaml.safe_load((store / "models" / "quick" / "v1" / "manifest.yaml").read_text("utf-8")))
    own, forked = manifests
    assert forked["recipe"] == own["recipe"]
    assert forked["files"]["weights.safetensors"] == own["files"]["weights.safetensors"]
    assert forked["argv"][:-1] == own["argv"][:-1]
    assert forked["environment"] == own["environment"]


def test_what_is_read_at_import_needs_a_process_of_its_own(fork_server: ForkServer) -> None:
    for name in ("OMP_NUM_THREADS", "LC_ALL", "PYTHONIOENCODING", "FORCE_COLOR", "HOME", "TMPDIR"):
        assert not fork_server.can_run(environment_with({name: "1234"}))
    without_path = {name: value for name, value in os.environ.items() if name != "PATH"}
    assert not fork_server.can_run(without_path)


def test_one_that_does_not_end_is_killed_and_the_next_runs(fork_server: ForkServer, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("import time; time.sleep(1000)")
    with pytest.raises(subprocess.TimeoutExpired):
        fork_server.run([str(script)], dict(os.environ), timeout=0.2)
    script.write_text("print('x' * 1_000_000)")
    assert len(fork_server.run([str(script)], dict(os.environ), timeout=600).stdout) == 1_000_001
