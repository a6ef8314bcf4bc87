"""Curves of a training for TensorBoard: an event file that grows beside the model, and is part of it in the end."""

import contextlib
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from omnishot.errors import UnavailableError
from omnishot.training.position import Position

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

EVENTS = "history.tfevents"
"""What the file is called; TensorBoard finds it by its ending."""

_CURVES = {
    "loss": "loss",
    "accuracy/training": "training_accuracy",
    "accuracy/validation": "validation_accuracy",
    "learning_rate": "learning_rate",
    "pairs_per_second": "pairs_per_second",
}


def require_tensorboard() -> None:
    """Look for the package before anything is trained.

    Raises:
        UnavailableError: It is not installed.
    """
    if find_spec("tensorboard") is None:
        raise UnavailableError(
            "log.tensorboard = true needs the package tensorboard",
            hint="pip install 'tensorboard>=2.17'; or in a clone of omnishot: pip install -e '.[tensorboard]'.",
        )


class EventFile:
    """Takes each epoch of a run once."""

    def __init__(self, writer: "SummaryWriter | None", position: Position) -> None:
        """Take TensorBoard's writer, or None to write nothing, and the position of the run."""
        self._writer, self._position = writer, position
        self._started, self._n_written = time.time() - position.seconds, 0

    def after_step(self) -> None:
        """Write the epochs that have ended since the last call."""
        history = self._position.history
        if self._writer is None or self._n_written == len(history):
            return
        for record in history[self._n_written :]:
            for name, attribute in _CURVES.items():
                if (value := getattr(record, attribute)) is not None:
                    walltime = self._started + (record.seconds or 0.0)
                    self._writer.add_scalar(name, value, record.epoch, walltime=walltime)
        self._n_written = len(history)
        self._writer.flush()


@contextlib.contextmanager
def logged(folder: Path | None, position: Position) -> Iterator[EventFile]:
    """Write the epochs of a training to an event file in a folder, if one is given; after an interruption all again."""
    if folder is None:
        yield EventFile(None, position)
        return
    from torch.utils.tensorboard import SummaryWriter  # Deferred: it is an extra, and takes a second.

    writer = SummaryWriter(str(folder))
    events = EventFile(writer, position)
    try:
        events.after_step()  # The epochs before the interruption.
        yield events
    finally:
        writer.close()
    (grown,) = folder.glob("events.out.tfevents.*")  # Named after the host and the process, which nobody asked for.
    grown.rename(folder / EVENTS)
