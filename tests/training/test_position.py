"""A checkpoint holds a position as plain values, whatever types a run works with."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from omnishot.training.position import Position

KEPT: dict[str, Any] = {  # As the first checkpoints had it.
    "epoch": 1,
    "step": 2,
    "seconds": 3.5,
    "best_accuracy": 0.5,
    "best_epoch": 1,
    "planned_epochs": 3,
    "cut_short": False,
    "history": [
        {
            "epoch": 1,
            "steps": 6,
            "loss": 0.7,
            "training_accuracy": 0.5,
            "validation_accuracy": None,
            "learning_rate": 0.03,
            "pairs_per_second": 220.8,
            "seconds": 0.564,
        }
    ],
}


def test_a_position_comes_back_and_is_kept_again_as_it_was() -> None:
    position = Position.from_plain_values(KEPT)
    assert (position.step, position.history[0].loss) == (2, 0.7)
    kept = position.as_plain_values()
    assert kept == KEPT
    assert list(kept["history"][0]) == list(KEPT["history"][0])


def test_what_is_kept_does_not_move_with_the_run() -> None:
    position = Position.from_plain_values(KEPT)
    kept = position.as_plain_values()
    position.history.clear()
    assert kept == KEPT
    with pytest.raises(FrozenInstanceError):
        Position.from_plain_values(KEPT).history[0].loss = 0.0  # type: ignore[misc]


@pytest.mark.parametrize("change", [{"unknown": 1}, {"history": [{"epoch": 1}]}])
def test_another_versions_position_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Position.from_plain_values({**KEPT, **change})
