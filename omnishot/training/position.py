"""How far a run has come."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from omnishot.training.history import EpochRecord, TrainingHistory


@dataclass(slots=True)
class Position:
    """Where a run stands; the trainer moves it.

    Attributes:
        epoch: Epochs finished.
        step: Steps taken in the epoch that is running.
        seconds: Training time so far, interruptions not counted.
        best_accuracy: Best validation accuracy so far, or -1 before the first.
        best_epoch: Epochs finished when it was reached.
        planned_epochs: Epochs the run will have, as far as its time allows; the schedule ends with them.
        cut_short: Whether the time limit ever took epochs from the plan; such a run does not repeat exactly.
        history: One record per finished epoch.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    planned_epochs: int = 0
    cut_short: bool = False
    history: TrainingHistory = field(default_factory=list)

    def as_plain_values(self) -> dict[str, Any]:
        """Return a copy that a checkpoint can hold: numbers, lists and dictionaries."""
        return asdict(self)

    @classmethod
    def from_plain_values(cls, values: Mapping[str, Any]) -> "Position":
        """Return what `as_plain_values` was made from.

        Raises:
            KeyError: The history is missing.
            TypeError: Another value is missing, or one is unknown.
        """
        return cls(**{**values, "history": [EpochRecord(**record) for record in values["history"]]})
