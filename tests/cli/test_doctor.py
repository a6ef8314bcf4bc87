"""doctor says what is there."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


def test_doctor_tells_what_the_machine_offers(omnishot: Any, tmp_path: Path) -> None:
    (tmp_path / "omniglot").mkdir()
    (tmp_path / "omniglot" / "all_runs.zip").touch()
    outcome = omnishot("doctor", "--device", "cpu", "--json", "--store", GOLDEN, OMNISHOT_DATA=str(tmp_path))
    assert outcome.code == 0, outcome.err
    facts = json.loads(outcome.out)
    assert set(facts) == {"versions", "device", "memory", "store", "data", "code"}
    assert facts["device"]["name"] == "cpu"
    assert facts["device"]["matmul_flops"] > 1e8
    assert facts["store"]["artifacts"] == 5
    assert facts["data"]["found"] == ["all_runs"]
    assert facts["data"]["missing"] == ["images_background", "images_evaluation"]


def test_doctor_speaks_plainly_and_makes_nothing(omnishot: Any, tmp_path: Path) -> None:
    outcome = omnishot("doctor", "--device", "cpu", "--store", tmp_path / "none", OMNISHOT_DATA=str(tmp_path))
    assert outcome.code == 0
    assert "GFLOP/s" in outcome.out
    assert "none: 0 artifacts, 0.0 MB" in outcome.out
    assert "no Omniglot" in outcome.out
    assert list(tmp_path.iterdir()) == []


def test_doctor_without_cuda(omnishot: Any, tmp_path: Path) -> None:
    assert omnishot("doctor", "--device", "cuda", "--store", tmp_path, CUDA_VISIBLE_DEVICES="").code == 6
