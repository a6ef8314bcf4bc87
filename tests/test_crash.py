"""The store survives kills, full disks and crowds; `tests/bench/crash.py` does the same on real data, for longer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omnishot.formats.gallery import read_gallery
from omnishot.store.store import Store
from tests.tiny import TRAIN

pytestmark = pytest.mark.slow

CRASH = Path(__file__).parent / "bench" / "crash.py"

CROWD = """
import gc, os, sys
import omnishot.cli.app, omnishot.recognition.enrollment, omnishot.stages.evaluate, omnishot.stages.train, torch._dynamo

gc.collect()
gc.freeze()  # A collection in a forked process would copy what it looks at.

def run(*arguments):
    pid = os.fork()
    if pid == 0:
        sys.argv = ["omnishot", *arguments, "--store", sys.argv[1], "--quiet"]
        try:
            omnishot.cli.main()
        except SystemExit as ended:  # Python would take a second to empty its modules.
            sys.stdout.flush()
            os._exit(ended.code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

source, *quick = sys.argv[2:]
workers = []
for i in range(8):
    pid = os.fork()
    if pid == 0:
        seed = str(i % 2)
        pairs = ["--source", source, "--pairs", "20", "--affine", "0", "--seed", seed, "--name", f"p{seed}"]
        codes = [run("prepare", *pairs), run("train", f"p{seed}", *quick, "--name", f"m{seed}")]
        codes.append(run("eval", f"m{seed}", "--ways", "2", "--trials", "20"))
        codes.append(run("train", "p0", *quick, "--name", "forced", "--force") if i < 2 else 0)
        codes.append(run("enroll", "staff", f"n{i}={source}/A0/c{i % 5}/0.png", "--model", "m0:v1"))
        os._exit(any(codes))
    workers.append(pid)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
sys.exit(f"exit codes {codes}" if any(codes) else 0)
"""


def crash(source: Path, *arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, str(CRASH), "--small", "--json", "--source", str(source), *arguments]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
    }  # A checkpoint a step is more work for the disk than for cores.
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    return outcomes


def assert_survived(outcomes: list[dict[str, Any]]) -> None:
    for outcome in outcomes:
        assert (outcome["failures"], outcome["damaged"], outcome["leftovers"]) == ([], 0, 0), outcome
        assert outcome["kills"] == outcome["next_runs"] == outcome["succeeded"] == outcome["identical"], outcome


def test_runs_killed_at_random_leave_nothing_damaged_and_the_next_run_gives_the_same(picture_folder: Path) -> None:
    outcomes = crash(picture_folder, "--kills", "12")
    assert [outcome["kills"] for outcome in outcomes] == [2] * 6
    assert_survived(outcomes)


def test_runs_killed_right_before_a_change_of_the_store(picture_folder: Path) -> None:
    outcomes = crash(picture_folder, "--at", "operations", "--kills", "48")
    assert [outcome["kills"] for outcome in outcomes] == [8] * 6
    assert_survived(outcomes)


def test_runs_on_a_full_disk_say_so_and_leave_nothing(picture_folder: Path) -> None:
    outcomes = crash(picture_folder, "--at", "full-disk", "--kills", "12")
    assert sum(outcome["kills"] for outcome in outcomes) > 5
    assert_survived(outcomes)


def test_eight_processes_share_a_store(picture_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CROWD, str(tmp_path / "artifacts"), str(picture_folder), *TRAIN]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    store = Store(tmp_path / "artifacts")
    damaged: dict[Path, Any] = {}
    artifacts = store.artifacts(damaged=damaged)
    assert not damaged
    assert all(artifact.is_sound() for artifact in artifacts)
    # Each recipe once, whoever asked for it, but what was forced; an evaluation is of a model, not of a recipe.
    names = [str(artifact.reference) for artifact in artifacts]
    assert sorted(name for name in names if name.startswith(("images", "pairs"))) == [
        "images/scripts:v1",
        "pairs/p0:v1",
        "pairs/p1:v1",
    ]
    assert sorted(name for name in names if name.startswith("models")) == [
        "models/forced:v1",
        "models/forced:v2",
        "models/m0:v1",
        "models/m1:v1",
    ]
    assert len(names) == len(set(names))
    assert sorted(read_gallery(store.find("staff")).classes) == [f"n{i}" for i in range(8)]
    assert not [*tmp_path.glob("artifacts/.staging/*"), *tmp_path.glob("artifacts/.unfinished/*")]
