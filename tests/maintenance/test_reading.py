"""What an evaluation claims is counted again from its scores."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from omnishot.errors import DamagedFileError
from omnishot.maintenance.reading import read_everything
from omnishot.store.manifest import read_manifest

LAKE = Path(__file__).parents[1] / "golden/v1/evals/golden-lake/v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = shutil.copytree(LAKE, tmp_path / "v1")
    for path in (copied, *copied.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copied


def claim(folder: Path, **values: Any) -> None:
    """Let the first result say something else."""
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    summary["results"][0] |= values
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")


def read(folder: Path) -> None:
    read_everything(read_manifest(LAKE), folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"correct": 4, "accuracy": 1.0, "ci95": [0.5, 1.0]}, "4 of 4 right, but by scores.h5 models/golden:v1 has 3"),
        ({"correct": 300, "trials": 400}, "300 of 400 right, but by scores.h5 models/golden:v1 has 3 of 4"),
        ({"ways": 100}, "scores.h5 does not hold what result 1"),
    ],
    ids=str,
)
def test_an_accuracy_that_the_scores_do_not_give_is_refused(folder: Path, values: dict[str, Any], words: str) -> None:
    read(folder)
    claim(folder, **values)
    with pytest.raises(DamagedFileError, match=words):
        read(folder)


def test_an_accuracy_of_pairs_is_counted_again_at_its_threshold(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    of_pairs = {"protocol": "verification", "ways": None, "shots": None, "threshold": 0.5, "equal_error_rate": 0.25}
    summary["results"] = [summary["results"][0] | of_pairs]
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")
    (folder / "scores.h5").unlink()
    with h5py.File(folder / "scores.h5", "w") as file:
        file["pairs/left"], file["pairs/right"] = np.arange(4, dtype=np.int32), np.arange(4, 8, dtype=np.int32)
        file["pairs/same"] = np.array([True, True, False, False])
        file["models|golden:v1/scores"] = np.array([0.6, 0.4, 0.4, 0.2], dtype=np.float32)
    read(folder)
    for wrong in ({"threshold": 0.1}, {"threshold": None}, {"protocol": "lake", "ways": 2, "shots": 1}):
        claim(folder, **of_pairs | wrong)
        with pytest.raises(DamagedFileError):
            read(folder)
