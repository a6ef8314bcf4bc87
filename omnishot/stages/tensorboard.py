"""Curves of a training for TensorBoard: an event file that grows beside the model, and is part of it in the end."""

import contextlib
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from omnishot.errors import UnavailableError
from omnishot.training.loop import Position

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
            hint="Install it: pip install 'omnishot[tensorboard]'.",
        )


@contextlib.contextmanager
def logged(folder: Path | None, position: Position) -> Iterator[Callable[[], None]]:
    """Write the epochs of a training to an event file, those before an interruption again.

    Args:
        folder: Where the file grows, so that TensorBoard can follow; None writes nothing.
        position: Of the training; its history has the epochs.

    Yields:
        What has to be called after each step.
    """
    if folder is None:
        yield lambda: None
        return
    from torch.utils.tensorboard import SummaryWriter  # Deferred: it is an extra, and takes a second.

    writer, started, n_written = SummaryWriter(str(folder)), time.time() - position.seconds, 0

    def write() -> None:
        nonlocal n_written
        for row in position.history[n_written:]:
            _write(writer, row, started)
        if n_written < len(position.history):
            n_written = len(position.history)
            writer.flush()

    try:
        write()
        yield write
        write()
    finally:
        writer.close()
    (grown,) = folder.glob("events.out.tfevents.*")  # Named after the host and the process, which nobody asked for.
    grown.rename(folder / EVENTS)


def _write(writer: "SummaryWriter", row: dict[str, float | None], started: float) -> None:
    for name, key in _CURVES.items():
        if (value := row.get(key)) is not None:
            at = started + (row["seconds"] or 0.0)
            writer.add_scalar(name, value, int(row["epoch"] or 0), walltime=at)
