"""Options that several commands share, and how their texts are read."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from omnishot.errors import UsageError

StoreOption = Annotated[Path, typer.Option("--store", envvar="OMNISHOT_STORE", help="Folder of artifacts.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result, and errors.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also print resolved settings and paths.")]
NoProgressOption = Annotated[bool, typer.Option("--no-progress", help="Show no progress.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Make a new version even if the same was made before.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Name of the artifact.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, such as max_minutes=3.")
]

DEFAULT_STORE = Path("artifacts")


def data_folder() -> Path:
    """Return where data sets lie: OMNISHOT_DATA, else the user's cache folder."""
    if folder := os.environ.get("OMNISHOT_DATA"):
        return Path(folder)
    from platformdirs import user_cache_path  # Deferred: only some commands need it.

    return user_cache_path("omnishot")


def is_offline() -> bool:
    """Tell whether OMNISHOT_OFFLINE forbids downloads."""
    return os.environ.get("OMNISHOT_OFFLINE", "") not in {"", "0"}


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
