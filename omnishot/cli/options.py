"""Options that several commands share, and how their texts are read; what every command has is in `session.py`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnishot.cli.completion import presets, references
from omnishot.errors import NotFoundError, UnavailableError, UsageError, brief
from omnishot.progress import OnProgress
from omnishot.vocabulary import BASELINES, Baseline, DeviceName, InkName
from omnishot.wording import did_you_mean

if TYPE_CHECKING:
    from omnishot.data.sources import Source
    from omnishot.recognition.images import NamedImage

_MOST_BYTES = 512_000_000
"""Of an image on stdin, as of one in a file."""


def reference_argument(help_text: str, *kinds: str, metavar: str | None = None) -> Any:
    """Return an argument that takes references to artifacts of some kinds, and completes them."""
    return typer.Argument(help=help_text, metavar=metavar, show_default=False, autocompletion=references(*kinds))


def reference_option(help_text: str, *kinds: str, is_eager: bool = False) -> Any:
    """Return an option that takes a reference to an artifact of some kinds, and completes it."""
    return typer.Option(help=help_text, show_default=False, is_eager=is_eager, autocompletion=references(*kinds))


ForceOption = Annotated[bool, typer.Option("--force", help="Make a new version even if the same was made before.")]
NameOption = Annotated[str | None, typer.Option(help="Name of the artifact.")]
DeviceOption = Annotated[DeviceName, typer.Option(help="Where the network runs.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, such as max_minutes=3.")
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        help="Settings that ship with omnishot. Default: auto, photos for photographs, else koch on CUDA and quick on "
        "a CPU.",
        autocompletion=presets,
    ),
]
ConfigOption = Annotated[Path | None, typer.Option(help="Settings file, instead of a preset.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Continue the interrupted training of the same settings.")]
InkOption = Annotated[
    InkName, typer.Option(help="One's own images: what is drawn is darker than its ground, or lighter.")
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="One's own images: leave out files that cannot be read, and count them.")
]
ColourOption = Annotated[
    bool, typer.Option("--colour", help="One's own images: keep them as photographs, in colour; 224 pixels a side.")
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(help="One's own images: keep them as photographs of this side, pixels; without --colour, in grey."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="A model, or one in the box. Default: the most accurate one in the box.",
        autocompletion=references("models"),
    ),
]
PairsArgument = Annotated[str | None, reference_argument("Pair dataset. Default: the newest.", "pairs")]


def chosen_source(
    name: str,
    ink: InkName,
    skip_bad: bool,
    on_progress: OnProgress,
    *,
    colour: bool = False,
    image_size: int | None = None,
) -> "str | Source":
    """Return a source's name, or the source where options say how it is read.

    Raises:
        SettingsError: An option is out of range, or for another source.
    """
    if ink == "auto" and not skip_bad and not colour and image_size is None:
        return name
    from omnishot.data.sources import open_source  # Deferred: numpy takes tenths of a second.
    from omnishot.data.sources.photos import photo_format

    photos = photo_format(colour=colour, side=image_size)
    return open_source(name, ink=ink, skip_bad=skip_bad, photos=photos, on_progress=on_progress)


def named_image(word: str) -> "NamedImage":
    """Return the image that a word names: a file, or for - what comes from stdin."""
    from omnishot.recognition.images import NamedImage  # Deferred: numpy takes tenths of a second.

    if word == "-":
        return NamedImage("stdin", sys.stdin.buffer.read(_MOST_BYTES))
    return NamedImage(brief(word), word)


def parse_share(text: str, *, option: str) -> float:
    """Read a share above 0 and below 1, such as 1% or 0.01.

    Raises:
        UsageError: The text has another form, or the share is out of range.
    """
    match = re.fullmatch(r"([0-9]{0,3}(?:\.[0-9]{1,9})?)\s*(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match and match[1] else 0.0
    if not 0 < share < 1:
        raise UsageError(f"{option} {text!r} is no share above 0 and below 1", hint=f"Write {option} 1% or 0.01.")
    return share


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
        if not (1 <= first <= 100_000 and 1 <= last <= 100_000):
            raise UsageError(
                f"--ways {text!r}: {part.strip()} is not within 1..100000", hint="Write --ways 20 or 1..20."
            )
        if first > last:
            raise UsageError(f"--ways {text!r}: {first} is more than {last}", hint=f"Write --ways {last}..{first}.")
        ways += range(first, last + 1)
    return tuple(sorted(set(ways)))


def parse_baselines(text: str) -> tuple[Baseline, ...]:
    """Read names of baselines, separated by commas, or `none`.

    Raises:
        UsageError: A name is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]
    for name in names:
        if name not in BASELINES:
            raise UsageError(
                f"--baselines: unknown baseline '{name}'{did_you_mean(name, BASELINES)}",
                hint=f"Baselines: {', '.join(BASELINES)}, or none.",
            )
    return tuple(name for name in BASELINES if name in names)


def check_folder_of(path: Path) -> None:
    """Check that a file can be written where it is to be, before the work that goes into it.

    Raises:
        NotFoundError: There is no folder for it.
        UsageError: It is a folder itself.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder, but a file is to be written", hint="Name a file in it.")
    if not path.absolute().parent.is_dir():
        raise NotFoundError(f"There is no folder {path.absolute().parent} for {path.name}", hint="Make it first.")


def write_out(path: Path, content: bytes) -> None:
    """Write the file of `--out`; what was there stays until all of the new one is on the disk.

    Raises:
        UnavailableError: The disk is full or the folder cannot be written.
    """
    from omnishot.store.atomic_write import write_for_user

    try:
        write_for_user(path, content)
    except OSError as error:
        raise UnavailableError(f"--out {path} cannot be written: {error}", hint="Nothing was written.") from None
