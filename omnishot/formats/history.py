"""`history.jsonl`: how a training went, epoch by epoch."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from omnishot.errors import DamagedFileError
from omnishot.store.text_file import read_text
from omnishot.store.validation import Count, first_problem

_Share = Annotated[float, Field(ge=0, le=1)]


class Epoch(BaseModel):
    """One epoch of a training.

    Attributes:
        epoch: Counted from 1.
        loss: Mean over its batches.
        learning_rate: Of its last step.
        validation_accuracy: In [0, 1]; None where nothing was validated.
        training_accuracy: Share of right answers on its batches, in [0, 1]; None in old histories.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    epoch: Count
    loss: FiniteFloat
    learning_rate: FiniteFloat
    validation_accuracy: _Share | None = None
    training_accuracy: _Share | None = None


def read_history(path: Path) -> list[Epoch]:
    """Read a history.

    Raises:
        DamagedFileError: A line is not what an epoch should be.
    """
    epochs = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            epochs.append(Epoch.model_validate_json(line, strict=True))
        except ValidationError as error:
            raise DamagedFileError(f"{path} is no history: line {number}: {first_problem(error)}") from None
    return epochs
