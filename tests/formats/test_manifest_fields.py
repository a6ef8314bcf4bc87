"""What a manifest may say is read where it can be, and counts as not said where it cannot."""

from pathlib import Path
from typing import Any

import pytest

from omnishot.formats.manifest_fields import EvaluationFacts, TrainingFacts
from omnishot.store.manifest import Manifest, read_manifest

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


def manifest(kind: str, name: str, **changes: Any) -> Manifest:
    return read_manifest(GOLDEN / kind / name / "v1").model_copy(update=changes)


def test_what_is_known_of_a_training_is_what_the_manifest_says() -> None:
    facts = TrainingFacts.of(manifest("models", "golden"))
    assert (facts.settings.objective.kind, facts.settings.schedule.kind) == ("classes", "cosine")
    assert (facts.settings.epochs, facts.settings.validation_trials, facts.settings.validation_ways) == (40, 320, 20)


@pytest.mark.parametrize("value", [None, "many", -1, 2.5, [1], {"kind": 7}, True, float("nan")], ids=str)
def test_what_a_manifest_may_hold_instead_counts_as_not_said(value: Any) -> None:
    settings = dict.fromkeys(("objective", "epochs", "seed", "validation_trials"), value)
    summary = dict.fromkeys(("best_epoch", "epochs"), value)
    facts = TrainingFacts.of(manifest("models", "golden", settings=settings, summary=summary))
    assert facts.settings.objective.kind is None
    assert {facts.settings.epochs, facts.settings.seed, facts.settings.validation_trials} == {None}
    assert {facts.summary.best_epoch, facts.summary.epochs, facts.summary.parameters} == {None}
    asked = EvaluationFacts.of(manifest("evals", "golden-lake", settings={"on": 3, "protocol": value})).settings
    assert (asked.on, asked.protocol) == (None, value if isinstance(value, str) else None)
