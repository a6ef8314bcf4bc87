"""The three standard streams: always open, no reason to crash, and nothing printed on them acts on a terminal."""

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

from omnishot.errors import OmnishotError, UnavailableError
from omnishot.wording import visible

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CLOSED_PIPE = 141


def say(text: str) -> None:
    """Print a text to stderr."""
    print(visible(text), file=sys.stderr, flush=True)  # noqa: T201


def say_error(error: OmnishotError) -> None:
    """Print to stderr what was noted before an error, what it is, and what to do."""
    notes = [visible(note, one_line=True) for note in getattr(error, "__notes__", ())]
    said = f"omnishot: {visible(str(error), one_line=True)}"
    say("\n".join([*notes, said, *([error.hint] if error.hint else [])]))


def is_screen(stream: TextIO) -> bool:
    """Tell whether a stream leads to a terminal whose cursor can be moved."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


def width_of(stream: TextIO, *, otherwise: int) -> int:
    """Return how many columns a stream has: COLUMNS or the size of its terminal, or `otherwise` if it is none."""
    if not stream.isatty():
        return otherwise
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked) > 0:
        return int(asked)
    return os.get_terminal_size(stream.fileno()).columns or 80


def open_streams() -> None:
    """Put streams that cannot crash the program in the place of Python's.

    A closed descriptor is opened on /dev/null. It would otherwise go to the next file that is opened, into which C
    libraries then write their warnings; and Python would have no stream, so that texts for stderr went to stdout.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # The lowest free number, which is this one.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _text(_Result(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Commentary(2, "w", closefd=False), sys.stderr)


def _text(raw: "_Output", replaced: TextIO | None) -> TextIO:
    """Wrap a descriptor so that a character it has no code for is written out instead of being an error."""
    encoding = replaced.encoding if replaced else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=True)


class _Output(io.FileIO):
    """A descriptor that fails at most once: what is written later, even as Python exits, is dropped."""

    _failed = False
    _waits = True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write bytes, or drop them."""
        size = memoryview(data).nbytes
        while not self._failed:
            try:
                written = super().write(data)
            except OSError as error:
                self._failed = True
                self._give_up(error)
                break
            if written is not None:
                return written
            if not self._waits:  # Whoever shares the terminal made it non-blocking, and it is full.
                break
            select.select([], [self], [])
        return size

    def _give_up(self, error: OSError) -> None:
        raise NotImplementedError


class _Result(_Output):
    """Standard output: a result that does not arrive ends the program."""

    def _give_up(self, error: OSError) -> None:
        # No OSError: stages take that for a failure of the store, Typer and rich for exit code 1.
        if isinstance(error, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise UnavailableError(
            f"stdout cannot be written: {error.strerror}", hint="Make room there, or send it elsewhere."
        ) from None


class _Commentary(_Output):
    """Standard error: hours of training are not thrown away because nobody reads its messages any more."""

    _waits = False

    def _give_up(self, error: OSError) -> None:
        pass
