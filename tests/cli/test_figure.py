"""omnishot figure, as a user types it."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


def test_a_figure_is_written_and_its_path_printed(omnishot: Any, tmp_path: Path) -> None:
    out = tmp_path / "x.svg"
    drawn = omnishot("figure", "trials", "golden-lake", "--ways", "3", "--out", out, "--store", GOLDEN)
    assert (drawn.code, drawn.out) == (0, f"{out}\n"), drawn.err
    assert out.read_text().startswith("<?xml")
    assert "3-way trial 1: models/golden:v1, protocol lake, test images of golden" in drawn.err


def test_json_has_path_title_words_and_artifacts(omnishot: Any, tmp_path: Path) -> None:
    out = tmp_path / "x.PDF"
    drawn = omnishot("figure", "filters", "golden", "--json", "-q", "--out", out, "--store", GOLDEN)
    values = json.loads(drawn.out)
    assert out.read_bytes().startswith(b"%PDF")
    assert values["path"] == str(out)
    assert values["title"] == "First-layer filters of models/golden:v1"
    assert "32 filters" in values["alt"]
    assert values["artifacts"] == ["models/golden:v1"]
    assert drawn.err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["trials", "golden-lake", "--out", "x.gif"], 2, ".svg, .pdf, .png"),
        (["trials", "golden-lake", "--trial", "1", "--show", "mistakes", "--out", "x.svg"], 2, "--trial 1"),
        (["activations", "--out", "/nowhere/x.svg"], 4, "There is no folder /nowhere for x.svg"),
        (["embedding"], 2, "--out"),
    ],
    ids=["format", "both", "place", "no place"],
)
def test_failures_have_their_exit_code_and_one_sentence(
    omnishot: Any, arguments: list[str], code: int, said: str
) -> None:
    failed = omnishot("figure", *arguments, "--store", GOLDEN)
    assert failed.code == code
    assert said in failed.err
    assert failed.out == ""
    assert "Traceback" not in failed.err
