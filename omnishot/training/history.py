"""How a training went: one record per epoch."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, FiniteFloat

_Count = Annotated[int, Field(ge=0, le=2**53)]
_Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """What is known of one epoch; histories of older versions lack some of it.

    Attributes:
        epoch: Counted from 1.
        steps: Steps it took; fewer than those of an epoch where the time was over.
        loss: Mean over its batches.
        training_accuracy: Share of right answers on its batches, in [0, 1].
        validation_accuracy: In [0, 1]; None where nothing was validated.
        learning_rate: Of its last step.
        pairs_per_second: Speed of the run so far.
        seconds: Training time of the run so far.
    """

    epoch: _Count
    steps: _Count | None = None
    loss: FiniteFloat
    training_accuracy: _Share | None = None
    validation_accuracy: _Share | None = None
    learning_rate: FiniteFloat
    pairs_per_second: FiniteFloat | None = None
    seconds: FiniteFloat | None = None


TrainingHistory = list[EpochRecord]
"""The epochs of a run, in their order."""
