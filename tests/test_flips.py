"""A short run of the flips, and that each byte of a file has a class."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"
sys.path.append(str(BENCH))

from byte_classes import byte_classes  # noqa: E402
from opened import opened_below  # noqa: E402

GOLDEN = Path(__file__).parent / "golden" / "v2"


@pytest.mark.slow
def test_a_flipped_bit_changes_nothing_without_a_word() -> None:
    only = [part for name in ("report --json", "check", "ls", "show", "diff") for part in ("--only", name)]
    command = [sys.executable, str(BENCH / "flips.py"), "--runs", "60", "--json", *only]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["findings"] == []
    assert sum(row["runs"] for row in found["rows"]) == 60
    assert any(row.get("refused") for row in found["rows"])


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.*")), ids=lambda path: str(path.relative_to(GOLDEN)))
def test_each_byte_is_of_one_class(path: Path) -> None:
    places = sorted((part.start, part.stop) for parts in byte_classes(path).values() for part in parts)
    assert (places[0][0], places[-1][1]) == (0, path.stat().st_size)
    assert all(end == start for (_, end), (start, _) in pairwise(places))


def test_the_parts_of_a_file_are_told_apart() -> None:
    scores = byte_classes(GOLDEN / "evals/golden-lake/v1/scores.h5")
    assert {"superblock", "headers", "data trials/query"} <= set(scores)
    assert {"header", "header length", "tensor twin.conv1.weight"} <= set(
        byte_classes(GOLDEN / "models/golden/v1/weights.safetensors")
    )
    assert {"recipe", "parents", "digest"} <= set(byte_classes(GOLDEN / "models/golden/v1/manifest.yaml"))


def test_files_that_are_opened_are_known(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("folder/read", "folder/unread"):
        (tmp_path / name).write_text("text")
    with opened_below(tmp_path) as files:
        (tmp_path / "folder/read").read_text()
        list((tmp_path / "folder").iterdir())
    assert files == {"folder/read"}
