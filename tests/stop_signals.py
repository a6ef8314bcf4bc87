"""Signals that come exactly when a test wants them to."""

from omnishot.training.stop_signal import StopSignal

SIGTERM = 15


class SignalAfter(StopSignal):
    """Comes when it is asked for after a number of steps; a training asks once before its first step and after each."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    @property
    def number(self) -> int | None:
        """Return SIGTERM once enough steps are taken."""
        self._left -= 1
        return SIGTERM if self._left < 0 else None
