"""How a run learns that it has been asked to stop; `cli/signals.py` watches, `stages/train.py` keeps the state."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class StopSignal:
    """The signal that asked a run to stop, whichever of its processes it was sent to."""

    def __init__(self) -> None:
        self._number: int | None = None

    @property
    def number(self) -> int | None:
        """Number of the first signal that came, or None."""
        return self._number

    def receive(self, number: int) -> None:
        """Take note of a signal."""
        self._number = self._number or number


WatchSignals = Callable[[], AbstractContextManager[StopSignal]]
"""Gives a block the signal that comes while it runs."""


def unwatched() -> AbstractContextManager[StopSignal]:
    """Watch for nothing: the signal never comes."""
    return nullcontext(StopSignal())
