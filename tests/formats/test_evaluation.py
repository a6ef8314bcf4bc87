"""A summary is read whole or refused, so that no table meets a value it does not expect."""

import json
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import DamagedFileError
from omnishot.formats.evaluation import Comparison, EvaluationSummary, TrainedOn, read_summary, write_evaluation

SUMMARY = Path(__file__).parents[1] / "golden/v1/evals/golden-lake/v1/summary.json"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"accuracy": float("nan")}, "results.0.accuracy"),
        ({"accuracy": 1.01}, "results.0.accuracy"),
        ({"accuracy": "0.5"}, "results.0.accuracy"),
        ({"ci95": [0.1, 0.2, 0.3]}, "results.0.ci95"),
        ({"ci95": [0.9, 0.2]}, "right, from"),
        ({"ways": 10**400}, "results.0.ways"),
        ({"ways": None}, "does not fit protocol"),
        ({"trials": 2}, "3 of 2 right"),
        ({"accuracy": 1.0}, "has accuracy 1.0, not 3 / 4"),
        ({"correct": 4, "accuracy": 1.0}, "has accuracy 1.0 outside its interval"),
        ({"model": "\x1b[31m"}, "results.0.model"),
        ({"model": "--profile=~/.bashrc"}, "results.0.model"),
        ({"model": "koch"}, "results.0.model"),
        ({"protocol": "unknown"}, "results.0.protocol"),
        ({"on": "everything"}, "results.0.on"),
        ({"model": ["deep"]}, "results.0.model"),
        ({"threshold": float("inf")}, "results.0.threshold"),
    ],
    ids=str,
)
def test_a_wrong_result_is_named(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    summary = json.loads(SUMMARY.read_text("utf-8"))
    summary["results"][0] |= values
    (tmp_path / "summary.json").write_text(json.dumps(summary), "utf-8")
    with pytest.raises(DamagedFileError) as caught:
        read_summary(tmp_path / "summary.json")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, "{", '{"results": []}', '"\\ud800"'], ids=lambda text: text[:9]
)
def test_what_is_no_summary_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text, "utf-8")
    with pytest.raises(DamagedFileError, match="not an evaluation's summary"):
        read_summary(tmp_path / "summary.json")


def test_half_of_what_a_model_was_trained_on_is_refused(tmp_path: Path) -> None:
    summary = json.loads(SUMMARY.read_text("utf-8"))
    del summary["models"]["models/golden:v1"]["split"]
    (tmp_path / "summary.json").write_text(json.dumps(summary), "utf-8")
    with pytest.raises(DamagedFileError, match="it lacks split"):
        read_summary(tmp_path / "summary.json")


def test_a_reference_in_a_summary_is_one_as_commands_are_made_of_it(tmp_path: Path) -> None:
    summary = json.loads(SUMMARY.read_text("utf-8"))
    summary["models"]["models/golden:v1"]["pairs"] = "--profile=~/.bashrc"
    (tmp_path / "summary.json").write_text(json.dumps(summary), "utf-8")
    with pytest.raises(DamagedFileError, match=r"models.models/golden:v1.pairs"):
        read_summary(tmp_path / "summary.json")


def test_a_summary_is_written_as_it_was_read_byte_for_byte(tmp_path: Path) -> None:
    write_evaluation(tmp_path, read_summary(SUMMARY), {})
    assert (tmp_path / "summary.json").read_bytes() == SUMMARY.read_bytes()


def test_what_is_not_known_of_a_training_is_left_out_and_comparisons_come_back(tmp_path: Path) -> None:
    known = read_summary(SUMMARY)
    said = TrainedOn(pairs=None, seed=3, twin="conv4", objective="classes")
    pair = Comparison(model="models/b:v1", against="models/golden:v1", ways=None, difference=-0.25, ci95=(-0.5, 0.0))
    summary = EvaluationSummary(
        **{**dict(known), "models": {**known.models, "models/b:v1": said}, "comparisons": (pair,)}
    )
    write_evaluation(tmp_path, summary, {})
    written = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert written["models"]["models/b:v1"] == {"pairs": None, "seed": 3, "twin": "conv4", "objective": "classes"}
    assert list(written["comparisons"][0]) == ["model", "against", "ways", "difference", "ci95"]
    again = read_summary(tmp_path / "summary.json")
    assert again == summary
    assert [again.models[name].describes_pairs for name in ("models/golden:v1", "models/b:v1")] == [True, False]
