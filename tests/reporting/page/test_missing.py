"""What is missing comes with the commands that make it, after those that make what they need."""

import shutil
from pathlib import Path

import pytest

from omnishot.config import EvalSettings
from omnishot.reporting.page.missing import nothing, to_measure, to_restore, to_train
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import choose_evaluations
from omnishot.store.store import Store

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
SETTINGS = EvalSettings(ways=(4,), baselines=("random",))


def subject_without(folder: Path, *kinds: str) -> Subject:
    store = Store(Path(shutil.copytree(GOLDEN, folder / "artifacts")))
    for kind in kinds:
        shutil.rmtree(store.root / kind)
    return Subject.of(store, choose_evaluations(store, []))


@pytest.mark.parametrize(
    ("kinds", "commands"),
    [
        ([], ["eval models/golden:v1"]),
        (["pairs"], ["prepare --source PATH", "eval models/golden:v1"]),
        (["models"], ["train pairs/golden-20-affine1:v1 --name golden", "eval models/golden:v1"]),
        (["pairs", "models"], ["prepare --source PATH", "train pairs/golden-20-affine1:v1", "eval models/golden:v1"]),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, list) else "",
)
def test_what_a_measurement_needs_is_made_first(tmp_path: Path, kinds: list[str], commands: list[str]) -> None:
    found = to_measure(subject_without(tmp_path, *kinds), "It was not measured", SETTINGS)
    assert found.what == "It was not measured. To measure it:"
    lines = found.line.split(" &&\n")
    assert len(lines) == len(commands)
    for line, command in zip(lines, commands, strict=True):
        assert line.startswith(f"omnishot {command} ")


def test_what_is_gone_is_made_again_by_its_kind(tmp_path: Path) -> None:
    subject = subject_without(tmp_path, "images", "pairs", "models")
    for reference, command in (
        ("models/golden:v1", "train"), ("pairs/golden-20-affine1:v1", "prepare"), ("images/golden:v1", "prepare"),
    ):  # fmt: skip
        found = to_restore(subject, reference, ", and more with it")
        assert found.what == f"{reference} is no longer in the store, and more with it. To make it again:"
        assert found.line.startswith(f"omnishot {command} ")


def test_without_a_network_one_is_trained_and_measured(tmp_path: Path) -> None:
    subject = subject_without(tmp_path)
    assert [line.split()[1] for line in to_train(subject, "None").line.split(" &&\n")] == ["train", "eval"]
    assert nothing("There is nothing").what == "There is nothing."
