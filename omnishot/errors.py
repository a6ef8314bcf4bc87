"""Every failure omnishot expects, and the exit code each one ends the program with.

OmnishotError
├── UsageError                 2   what was asked for cannot be done
│   ├── SettingsError              an option or a settings file is wrong
│   ├── SamplingError              the data holds too few images, classes or alphabets
│   └── TrainingError              the settings make the training diverge
├── QualityGateError           3   a result is below the threshold the user set
├── InputError                 4   something to read is missing or damaged
│   ├── NotFoundError              no such artifact, file or checkpoint
│   └── DamagedFileError           it exists but does not hold what it should
├── StoreBusyError             5   another process works on the same artifact
├── UnavailableError           6   this machine lacks a device, a network, disk space, a package
└── StoppedError       130 or 143   Ctrl-C or SIGTERM, after the checkpoint was written
"""

import re
import signal

_LONGEST = 200
_OUT_OF_MEMORY = (
    "DefaultCPUAllocator",
    "not enough memory",
    "std::bad_alloc",
    "emory allocation failed",
    "nable to allocate memory",
    "annot allocate memory",
)
_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_one_line(text: str) -> bool:
    """Tell whether a text from elsewhere may be printed and stored: no control characters, no broken letters."""
    return not _NO_LINE.search(text)


def brief(what: object) -> str:
    """Return a text or an exception's message from elsewhere as it may stand in a message.

    It is on one line, at most 200 characters long, and holds nothing that controls a terminal.
    """
    text = str(what) or type(what).__name__
    shown = text[: 2 * _LONGEST].encode("utf-8", "backslashreplace").decode()
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in shown).split())
    return words if len(text) <= 2 * _LONGEST and len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def is_short_of_memory(error: BaseException) -> bool:
    """Tell whether an error is one of the ways in which Python, torch and HDF5 say that memory is used up."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = str(error)
    is_native = isinstance(error, RuntimeError | OSError | ValueError | KeyError)
    return is_native and any(words in said for words in _OUT_OF_MEMORY)


class OmnishotError(Exception):
    """A failure that is explained in one sentence with the numbers, then the next thing to try.

    Attributes:
        hint: What the user can do about it, or an empty string.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(OmnishotError):
    """What was asked for cannot be done, whatever the state of the machine."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown, of the wrong type or out of range."""


class SamplingError(UsageError):
    """There are too few images, classes or alphabets for the pairs or episodes asked for."""


class TrainingError(UsageError):
    """The settings make the training diverge."""


class QualityGateError(OmnishotError):
    """A result is below the threshold that `--fail-under` demands."""

    exit_code = 3


class InputError(OmnishotError):
    """Something that has to be read is missing or damaged."""

    exit_code = 4


class NotFoundError(InputError):
    """There is no such artifact, file or checkpoint."""


class DamagedFileError(InputError):
    """A file exists but does not hold what it should."""


class StoreBusyError(OmnishotError):
    """Another process is making the same artifact and did not finish in time."""

    exit_code = 5


class UnavailableError(OmnishotError):
    """This machine lacks something: a device, a network, disk space, data, a package."""

    exit_code = 6


class StoppedError(OmnishotError):
    """The user or the system asked the run to stop; what can be resumed has been written."""

    def __init__(self, message: str, *, signal_number: int = signal.SIGINT, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number
