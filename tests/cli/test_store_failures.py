"""Stores that are busy, read-only, elsewhere or damaged: the right exit code, the next step, nothing lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omnishot.store.locks import Holder, Locks
from omnishot.store.store import Store

SMALL = ["--pairs", "20", "--affine", "0"]


@pytest.fixture(scope="module")
def prepared(omnishot: Any, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store") / "artifacts"
    assert omnishot("prepare", "--source", picture_folder, *SMALL, "--store", folder).code == 0
    return folder


@pytest.fixture
def store(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "artifacts"))


@pytest.fixture
def sealed(store: Path) -> Iterator[Path]:
    """A store in which nothing can be written."""
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield store
    for folder in folders:
        folder.chmod(0o755)


def without_privileges(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as somebody for whom the modes of files count, which they do not for root."""
    drop = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write anywhere, and there is no setpriv")
        drop = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
    command = [*drop, sys.executable, "-m", "omnishot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_busy_store_says_for_whom_it_waits_and_then_gives_up(
    omnishot: Any, store: Path, picture_folder: Path
) -> None:
    recipe = Store(store).newest("pairs").manifest.recipe
    with Locks(store / ".locks", wait_seconds=0, tell=print).held(recipe, Holder(4711, "omnishot prepare --pairs 20")):
        command = ["prepare", "--source", picture_folder, *SMALL, "--force", "--store", store]
        outcome = omnishot(*command, "--wait-for-lock", "2")
        assert outcome.code == 5
        assert outcome.out == ""
        assert outcome.err.splitlines() == [
            "Waiting for process 4711 (omnishot prepare --pairs 20)",
            "Read 100 pictures of 25 classes",
            "omnishot: The store is busy: waited 2 seconds for process 4711 (omnishot prepare --pairs 20)",
            "Wait longer with --wait-for-lock SECONDS, or stop that process; its lock ends with it.",
        ]
        # What is made already needs no lock.
        assert (
            omnishot("prepare", "--source", picture_folder, *SMALL, "--store", store, "--wait-for-lock", "0").code == 0
        )
    assert omnishot(*command, "--wait-for-lock", "0").out == "pairs/scripts-20:v2\n"


@pytest.mark.slow
def test_a_read_only_store_can_be_read_and_says_that_it_cannot_be_written(sealed: Path, picture_folder: Path) -> None:
    for command in (
        ["ls"],
        ["check", "--all"],
        ["show", "scripts-20"],
        ["prepare", "--source", picture_folder, *SMALL],
    ):
        outcome = without_privileges(*command, "--store", sealed)
        assert outcome.returncode == 0, outcome.stderr
        assert outcome.stdout != ""
    before = sorted(sealed.rglob("*"))
    for command in (
        ["prepare", "--source", picture_folder, *SMALL, "--seed", "1"],
        ["prepare", "--source", picture_folder, *SMALL, "--force"],
    ):
        outcome = without_privileges(*command, "--store", sealed)
        assert outcome.returncode == 6, outcome.stderr
        assert "Permission denied" in outcome.stderr
        assert "Traceback" not in outcome.stderr
        assert outcome.stdout == ""
    assert sorted(sealed.rglob("*")) == before


@pytest.mark.slow
def test_a_store_may_lie_on_another_file_system_than_temporary_files(
    omnishot: Any, picture_folder: Path, tmp_path: Path
) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm on a file system of its own")
    store = elsewhere / f"omnishot-{os.getpid()}"
    try:
        command = ["prepare", "--source", picture_folder, *SMALL, "--materialize", "--store", store]
        assert omnishot(*command, TMPDIR=str(tmp_path)).code == 0
        assert all(artifact.is_sound() for artifact in Store(store).artifacts())
        assert len(Store(store).artifacts()) == 2
    finally:
        shutil.rmtree(store, ignore_errors=True)


def test_a_manifest_cut_to_nothing_stops_who_needs_it_and_is_made_again(
    omnishot: Any, store: Path, picture_folder: Path
) -> None:
    manifest = store / "pairs" / "scripts-20" / "v1" / "manifest.yaml"
    manifest.chmod(0o644)
    manifest.write_bytes(b"")
    outcome = omnishot("train", "scripts-20", "--preset", "quick", "--store", store)
    assert outcome.code == 4
    assert str(manifest) in outcome.err
    again = omnishot("prepare", "--source", picture_folder, *SMALL, "--store", store)
    assert again.out == "pairs/scripts-20:v2\n"


@pytest.mark.parametrize("option", ["5x", "0", "-1", "s", "1.5m"])
def test_intervals_that_are_none_are_refused(omnishot: Any, store: Path, option: str) -> None:
    outcome = omnishot("train", f"--checkpoint-every={option}", "--store", store)
    assert outcome.code == 2
    assert "90s, 5m, or 500" in outcome.err
