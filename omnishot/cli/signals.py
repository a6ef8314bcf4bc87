"""What Ctrl-C and SIGTERM do, whenever they come: the first one discards what is incomplete, the second kills.

While a network is trained, the first one stops it in order instead, and the second one discards what is incomplete.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from omnishot.training.stop_signal import StopSignal

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_SECONDS_TO_TRY_AGAIN = 0.05


class Stopped(SystemExit):
    """A signal asked the program to end; no error, so that no `except Exception` on the way up holds it.

    Attributes:
        sentence: What happened.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.sentence = "stopped by Ctrl-C" if number == signal.SIGINT else "stopped by SIGTERM"


# The number and not the exception, whose traceback would keep alive what it has to clean up.
_received: list[int] = []


def stop_on_signals() -> None:
    """Have the first signal raise `Stopped` wherever the program is, and the next one kill it."""
    for number in _NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # The parent process has chosen to ignore it.
            signal.signal(number, _stop)
    sys.unraisablehook = _raise_again


@contextlib.contextmanager
def watch_signals() -> Iterator[StopSignal]:
    """Have the first signal only noted within the block, so that a training can save its state and end itself."""
    stop = StopSignal()
    outside = {number: signal.getsignal(number) for number in _NUMBERS}
    outside = {number: handler for number, handler in outside.items() if handler is not signal.SIG_IGN}

    def note(number: int, frame: FrameType | None) -> None:
        stop.receive(number)
        signal.signal(number, outside[signal.Signals(number)])  # A second one does what it does outside.

    for number in outside:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in outside.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Let nothing change the outcome any more, once there is one."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def received() -> Stopped | None:
    """Return how the program was asked to end, also where somebody's bare `except` has swallowed it."""
    return Stopped(_received[0]) if _received else None


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for other in _NUMBERS:
        signal.signal(other, signal.SIG_DFL)
    _received.append(number)
    raise Stopped(number)


def _raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Repeat what was raised in a finalizer or a callback of the import system, from where nothing comes up."""
    if not isinstance(unraisable.exc_value, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS_TO_TRY_AGAIN)


def _alarm(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(_received[0])
