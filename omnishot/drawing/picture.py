"""How every picture looks, and the formats it is written in; the only module that knows matplotlib's settings."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.image import AxesImage
from matplotlib.text import Text
from numpy.typing import NDArray

from omnishot.errors import UsageError

SUFFIXES = (".svg", ".pdf", ".png")
"""Formats a picture can be written in."""

PHONE = 4.2
"""Inches; a picture of this width fills a phone's screen with text that can be read."""


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of pictures that follows the page's theme.

    Attributes:
        drawn: What matplotlib is given, `#rrggbb`: the value in files, near the light theme's, and no other colour's.
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

_FONT = "DejaVu Sans"

_STYLE: dict[Any, Any] = {  # Any: matplotlib types its names one by one.
    "svg.fonttype": "none",  # Text stays text: it can be searched, copied and read aloud.
    "font.family": "sans-serif",
    "font.sans-serif": [_FONT],
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
    "text.parse_math": False,  # Names from elsewhere are no formulas.
    "xtick.color": FAINT.drawn,
    "ytick.color": FAINT.drawn,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}

_TINT = re.compile(r'id="tint(--[a-z]+)-(smooth|sharp)-\d+"')
_SMOOTH = re.compile(r'(id="tint--[a-z]+-smooth-[^>]*?) style="image-rendering:crisp-edges;image-rendering:pixelated"')


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
        text = self._tinted(text[text.index("<svg") :])
        for colour in _ALL:
            text = text.replace(colour.drawn, f"var({colour.variable}, {colour.drawn})")
        return text

    def _tinted(self, text: str) -> str:
        """Let images made by `tint` take their colour from a filter, which knows the page's theme, not from pixels."""
        used = {variable for variable, _ in _TINT.findall(text)}
        text = _TINT.sub(rf'filter="url(#{self.name}\1)"', text)
        filters = [
            f'<filter id="{self.name}{colour.variable}" color-interpolation-filters="sRGB">'
            f'<feFlood style="flood-color: {colour.drawn}"/><feComposite operator="in" in2="SourceGraphic"/></filter>'
            for colour in _ALL
            if colour.variable in used
        ]
        return text.replace("</svg>", "".join(filters) + "</svg>")

    def letters_lacking(self) -> str:
        """Return the letters of its texts that the font lacks; files other than SVG have boxes in their places."""
        font = get_font(findfont(_FONT))
        letters = {letter for text in self.figure.findobj(Text) for letter in text.get_text() if letter.isprintable()}
        return "".join(letter for letter in sorted(letters) if not font.get_char_index(ord(letter)))

    def as_file(self, path: Path) -> bytes:
        """Return a file of its own, as its name ends, in the light theme, with its title and what it says in words.

        Raises:
            UsageError: The name ends in none of `SUFFIXES`.
        """
        check_suffix(path)
        file_format = path.suffix.lower().removeprefix(".")
        words = "Subject" if file_format == "pdf" else "Description"
        return self._written(file_format, {"Title": self.title, words: self.alt})

    def _written(self, file_format: str, described: dict[str, Any] | None = None) -> bytes:
        buffer = io.BytesIO()
        facecolor = "none" if file_format == "svg" else PAPER.drawn
        # Neither the time nor chance: the same picture is the same bytes.
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[file_format] | (described or {})
        for image in self.figure.findobj(AxesImage):
            if "-smooth-" in (image.get_gid() or ""):
                # Where pixels are drawn here, they are blended here; SVG and PDF hold the image as it is.
                image.set_interpolation("hanning" if file_format == "png" else "none")
        with _styled({"svg.hashsalt": self.name}):
            self.figure.savefig(buffer, format=file_format, dpi=200, facecolor=facecolor, metadata=metadata)
        if file_format == "svg":
            return _SMOOTH.sub(r"\1", buffer.getvalue().decode("utf-8")).encode("utf-8")
        return buffer.getvalue()


def check_suffix(path: Path) -> None:
    """Refuse a file name that says no format.

    Raises:
        UsageError: The name ends in none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {path}: a picture is written as {', '.join(SUFFIXES)}", hint="Rename it.")


_DEFAULTS = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}


@contextmanager
def _styled(more: dict[Any, Any]) -> Iterator[None]:
    # Not on top of the user's own matplotlibrc, which could put images into files of their own.
    with mpl.rc_context({**_DEFAULTS, **_STYLE, **more}), warnings.catch_warnings():
        # Names may hold letters that the font lacks, see `letters_lacking`; in SVG the reader's own fonts have them.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


def tint(
    axes: Axes,
    amount: NDArray[np.floating],
    colour: Colour,
    extent: tuple[float, float, float, float],
    *,
    smooth: bool = False,
) -> None:
    """Draw an image in one colour that follows the page's theme.

    `amount` is how much of it each pixel has, in [0, 1], shape (height, width); 0 shows what lies below. `extent` is
    the left, right, bottom and top edge, in the axes' units. With `smooth`, pixels that are enlarged or reduced are
    blended, as fits drawings; else they stay squares.
    """
    pixels = np.empty((*amount.shape, 4), dtype=np.uint8)
    pixels[..., :3] = np.round(255 * np.array(to_rgb(colour.drawn)))
    pixels[..., 3] = np.round(255 * np.clip(amount, 0, 1))
    image = axes.imshow(pixels, extent=extent, interpolation="none", aspect="auto", clip_on=False)
    image.set_gid(f"tint{colour.variable}-{'smooth' if smooth else 'sharp'}-{len(axes.images)}")


def photograph(axes: Axes, pixels: NDArray[np.uint8], extent: tuple[float, float, float, float]) -> None:
    """Draw an image of shape (height, width, 3) in its own colours, whatever the theme; `extent` is as for `tint`."""
    axes.imshow(pixels, extent=extent, interpolation="none", aspect="auto", clip_on=False)


def draw(
    name: str, title: str, alt: str, onto: Callable[[Figure], None], *, width: float = 5.0, height: float = 3.2
) -> Picture:
    """Return what `onto` draws onto an empty figure as a `Picture` with this name, title and alternative text.

    Sizes are in inches; five across fit a phone's screen with text that can still be read.
    """
    with _styled({}):
        figure = Figure(figsize=(width, height), layout="constrained")
        onto(figure)
        # Laid out under the same settings, not when it is written.
        figure.draw_without_rendering()
    return Picture(name, title, alt, figure)
