"""Options that several commands share, and how their texts are read."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from omnishot.cli.console import Console
    from omnishot.store.store import Store

StoreOption = Annotated[Path, typer.Option("--store", envvar="OMNISHOT_STORE", help="Folder of artifacts.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result, and errors.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also print resolved settings and paths.")]
NoProgressOption = Annotated[bool, typer.Option("--no-progress", help="Show no progress.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Make a new version even if the same was made before.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Name of the artifact.")]
WaitOption = Annotated[
    float,
    typer.Option("--wait-for-lock", metavar="SECONDS", min=0, help="How long to wait for a process making the same."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, such as max_minutes=3.")
]

DEFAULT_STORE = Path("artifacts")
DEFAULT_WAIT = 3600.0


def data_folder() -> Path:
    """Return where data sets lie: OMNISHOT_DATA, else the user's cache folder."""
    if folder := os.environ.get("OMNISHOT_DATA"):
        return Path(folder)
    from platformdirs import user_cache_path  # Deferred: only some commands need it.

    return user_cache_path("omnishot")


def is_offline() -> bool:
    """Tell whether OMNISHOT_OFFLINE forbids downloads."""
    return os.environ.get("OMNISHOT_OFFLINE", "") not in {"", "0"}


def is_led() -> bool:
    """Tell whether torchrun started this process beside others, of which number 0 leads."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK", "0") != "0"


def open_store(console: "Console", folder: Path, *, wait_seconds: float = DEFAULT_WAIT) -> "Store":
    """Return the store in a folder, which tells the user on the console for whom it waits.

    Raises:
        UsageError: There can be no store, or torchrun started this process to be led by another.
    """
    if is_led():
        raise UsageError("torchrun is for `omnishot train` alone", hint="Run the other commands as one process.")
    from omnishot.store.store import Store  # Deferred: pydantic takes tenths of a second.

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--store {folder} is not a folder", hint="Name a folder; it is made if it is missing.")
    return Store(folder, argv=sys.argv, wait_seconds=wait_seconds, tell=console.note)


def parse_count(text: str, *, option: str) -> int:
    """Read a number such as 90000, 90k or 1.5M.

    Raises:
        UsageError: The text is no whole number of that form.
    """
    match = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?([kKmM]?)", text)
    if match:
        whole, fraction, unit = match.groups()
        exponent = {"": 0, "k": 3, "m": 6}[unit.lower()]
        digits = (fraction or "").rstrip("0")
        if len(digits) <= exponent:
            return int(whole + digits.ljust(exponent, "0"))
    raise UsageError(f"{option} {text!r} is not a number", hint=f"Write {option} 90000, 90k or 1.5M.")


def parse_interval(text: str, *, option: str) -> tuple[float | None, int | None]:
    """Read how often something happens: 90s or 5m in time, 500 in steps.

    Returns:
        Seconds and steps, one of which is None.

    Raises:
        UsageError: The text has another form, or is zero.
    """
    match = re.fullmatch(r"([0-9]{1,9})([sm]?)", text)
    if not match or not int(match[1]):
        raise UsageError(f"{option} {text!r} cannot be read", hint=f"Write {option} 90s, 5m, or 500 for steps.")
    number = int(match[1])
    return {"": (None, number), "s": (float(number), None), "m": (60.0 * number, None)}[match[2]]


def parse_ways(text: str) -> tuple[int, ...]:
    """Read numbers of classes such as 20, 1..20 or 1,5,20.

    Raises:
        UsageError: The text has another form, or a number is out of range.
    """
    ways: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,6})(?:\.\.([0-9]{1,6}))?\s*", part)
        if not match:
            raise UsageError(f"--ways {text!r} cannot be read", hint="Write --ways 20, 1..20 or 1,5,20.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 100_000:
            raise UsageError(
                f"--ways {text!r}: {part.strip()} is not within 1..100000", hint="Write --ways 20 or 1..20."
            )
        ways += range(first, last + 1)
    return tuple(sorted(set(ways)))


def check_folder_of(path: Path) -> None:
    """Look for the folder a file is to be written into, before the work that goes into it.

    Raises:
        NotFoundError: There is none.
    """
    if not path.absolute().parent.is_dir():
        raise NotFoundError(f"There is no folder {path.absolute().parent} for {path.name}", hint="Make it first.")
