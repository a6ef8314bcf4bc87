"""A short crowd on one store, and that what verifies it finds what is not so."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forging import forge

BENCH = Path(__file__).parent / "bench"
sys.path.append(str(BENCH))

from verifying import verify  # noqa: E402

GOLDEN = Path(__file__).parent / "golden" / "v2"


@pytest.mark.slow
def test_a_crowd_with_kills_leaves_a_store_that_holds_what_it_says() -> None:
    command = [sys.executable, str(BENCH / "crowd.py"), "--minutes", "0.1", "--processes", "2", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    found = json.loads(done.stdout)
    assert (found["problems"], done.returncode) == ([], 0), done.stderr
    assert {record["outcome"] for record in found["records"]} <= {"done", "absent", "ended or stopped"}
    assert len(found["records"]) > 2
    assert found["artifacts"] >= 4  # One of each kind at least is made afterwards.


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, "utf-8")


def test_golden_artifacts_are_what_they_say() -> None:
    found = verify(GOLDEN)
    assert (found.problems, found.missing, len(found.contents)) == ([], set(), 5)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda store: write(store / "models/golden/v1/history.jsonl", "{}"), "history.jsonl is not what"),
        (lambda store: write(store / "models/golden/v1/more", ""), "it holds"),
        (lambda store: (store / "models/golden/v1/config.yaml").unlink(), "config.yaml"),
        (lambda store: write(store / "images/golden/v1/manifest.yaml", "format: 2\n"), "does not end with its digest"),
        (lambda store: forge(store / "pairs/golden-20-affine1/v1", lambda values: None, recipe="0" * 64), "recipe id"),
        (lambda store: (store / "models/golden").rename(store / "models/other"), "another's"),
        (lambda store: shutil.copytree(store / "models/golden/v1", store / "models/golden/v3"), "another's"),
        (lambda store: shutil.rmtree(store / "evals/golden-lake"), "the newest, which is not there"),
        (lambda store: write(store / "evals/.current", "evals/golden-lake:v1\n"), "does not end with its digest"),
        (lambda store: write(store / "evals/.current.new", ""), "left behind"),
    ],
)
def test_what_is_not_so_is_found(change: Callable[[Path], object], problem: str, tmp_path: Path) -> None:
    store = Path(shutil.copytree(GOLDEN, tmp_path / "store"))
    change(store)
    assert problem in "\n".join(verify(store).problems)


def test_a_parent_that_is_gone_is_missing_even_where_another_took_its_name(tmp_path: Path) -> None:
    store = Path(shutil.copytree(GOLDEN, tmp_path / "store"))

    def say_other_content(values: dict[str, list[dict[str, str]]]) -> None:
        values["parents"][0]["content"] = "0" * 64

    forge(store / "models/golden/v1", say_other_content)
    assert verify(store).missing == {("models/golden:v1", "pairs/golden-20-affine1:v1")}
