"""How every picture looks, and the formats it is written in; the only module that knows matplotlib's settings."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from omnishot.errors import UsageError

SUFFIXES = (".svg", ".pdf", ".png")
"""Formats a picture can be written in."""


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of pictures that follows the page's theme.

    Attributes:
        drawn: What matplotlib is given, `#rrggbb`: the light theme's value, and no other colour's.
        variable: The custom property of the page that replaces it.
    """

    drawn: str
    variable: str


INK = Colour("#1b1f24", "--ink")
FAINT = Colour("#6a737d", "--faint")
LINE = Colour("#d5d9de", "--line")
PAPER = Colour("#fffffe", "--paper")
FIRST = Colour("#0b66c3", "--first")
SECOND = Colour("#c4540a", "--second")
THIRD = Colour("#1a7f4b", "--third")
FOURTH = Colour("#8a4fb5", "--fourth")
GOOD = Colour("#18794e", "--good")
BAD = Colour("#c62a2f", "--bad")
SERIES = (FIRST, SECOND, THIRD, FOURTH)
"""Colours of series in the order in which they are told apart best; also by readers who see no red or green."""
_ALL = (INK, FAINT, LINE, PAPER, *SERIES, GOOD, BAD)

_STYLE: dict[Any, Any] = {  # Any: matplotlib types its names one by one.
    "svg.fonttype": "none",  # Text stays text: it can be searched, copied and read aloud.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT.drawn,
    "axes.labelcolor": INK.drawn,
    "axes.titlecolor": INK.drawn,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE.drawn,
    "grid.linewidth": 0.6,
    "text.color": INK.drawn,
    "xtick.color": FAINT.drawn,
    "ytick.color": FAINT.drawn,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing that can be put on a page or into a file.

    Attributes:
        name: Names it in a page and in a file name; lower case, no spaces.
        title: What it shows, in one line.
        alt: What it says, in words, for those who cannot see it.
        figure: The drawing.
    """

    name: str
    title: str
    alt: str
    figure: Figure

    def svg(self) -> str:
        """Return an `<svg>` element for a page, whose colours are the page's custom properties."""
        text = self._written("svg").decode("utf-8")
        text = text[text.index("<svg") :]
        for colour in _ALL:
            text = text.replace(colour.drawn, f"var({colour.variable}, {colour.drawn})")
        return text

    def write(self, path: Path) -> None:
        """Write a file of its own, in the light theme.

        Raises:
            UsageError: The name ends in none of `SUFFIXES`.
            OSError: The file cannot be written.
        """
        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"--out {path}: a picture is written as {', '.join(SUFFIXES)}", hint="Rename it.")
        path.write_bytes(self._written(path.suffix.lower().removeprefix(".")))

    def _written(self, file_format: str) -> bytes:
        buffer = io.BytesIO()
        facecolor = "none" if file_format == "svg" else PAPER.drawn
        # Neither the time nor chance: the same picture is the same bytes.
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[file_format]
        with mpl.rc_context({**_STYLE, "svg.hashsalt": self.name}):
            self.figure.savefig(buffer, format=file_format, dpi=200, facecolor=facecolor, metadata=metadata)
        return buffer.getvalue()


def draw(
    name: str, title: str, alt: str, onto: Callable[[Figure], None], *, width: float = 5.0, height: float = 3.2
) -> Picture:
    """Make a picture.

    Args:
        name: Names it; lower case, no spaces.
        title: What it shows, in one line.
        alt: What it says, in words.
        onto: Draws onto an empty figure.
        width: Inches; five fit a phone's screen with text that can still be read.
        height: Inches.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        onto(figure)
        # Laid out under the same settings, not when it is written.
        figure.draw_without_rendering()
    return Picture(name, title, alt, figure)
