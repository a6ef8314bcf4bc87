"""One self-contained page: results, tables, pictures, what is missing, and the commands that make it all again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from omnishot.drawing.picture import PHONE, Picture
from omnishot.reporting.tables import Table
from omnishot.wording import percent

_PHONE_INCHES = 5.5
_WIDE_COLUMNS = 6
_SHORT = 24
_LONG = 40


@dataclass(frozen=True, slots=True)
class Headline:
    """A result that stands out.

    Attributes:
        label: What was measured.
        value: Accuracy in [0, 1].
        ci95: Its interval.
        notes: What has to be said beside it, a line each.
    """

    label: str
    value: float
    ci95: tuple[float, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command line.

    Attributes:
        what: What it makes, or what is missing without it.
        line: How it is typed.
        is_damage: Whether it is missing because something in the store is damaged.
    """

    what: str
    line: str
    is_damage: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        text: Paragraphs.
        tables: Shown after the pictures.
        shown: Pictures, and what is missing, each with the command that makes it.
        commands: Command lines that belong to the section.
        headlines: Results that stand out.
    """

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    shown: Sequence[Picture | Command] = ()
    commands: tuple[Command, ...] = ()
    headlines: tuple[Headline, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What there is to see."""
        return tuple(part for part in self.shown if isinstance(part, Picture))

    @property
    def missing(self) -> tuple[Command, ...]:
        """What is not there."""
        return tuple(part for part in self.shown if isinstance(part, Command))


def as_html(title: str, subtitle: str, sections: Sequence[Section], *, unrounded: str = "") -> str:
    """Return the page, which fetches nothing and needs no script.

    `unrounded` is the command that prints the same results with all their digits, or an empty text.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent,
        "svg": _inline,
        "anchor": _anchor,
        "breakable": _breakable,
        "classes": _classes,
        "width": _width,
        "words": _words,
    }
    environment.globals |= {"wide_columns": _WIDE_COLUMNS}
    source = (resources.files("omnishot") / "reporting" / "page" / "page.html.j2").read_text("utf-8")
    template = environment.from_string(source)
    return template.render(title=title, subtitle=subtitle, sections=sections, unrounded=unrounded)


def _anchor(text: str) -> str:
    """Return a heading as it can stand in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"


def _inline(picture: Picture) -> Markup:
    """Return the picture as an element that is read aloud as its alternative text."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", picture.svg(), flags=re.DOTALL)
    # matplotlib calls parts of every picture alike; on a page an id may come once.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    opening, closed, rest = svg.partition(">")
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    alt = Markup(' role="img" aria-label="{}"').format(picture.alt)
    return Markup(opening) + alt + Markup(closed) + Markup("<title>{}</title>").format(picture.title) + Markup(rest)


def _breakable(cell: str) -> Markup:
    """Return a cell in which long references may break where they can be read on."""
    return Markup(re.sub(r"([/_])(?=\w)", r"\1<wbr>", str(escape(cell))))


def _words(command: str) -> Markup:
    """Return command lines that break between words, not after the hyphens of an option."""
    word = Markup('<span class="word">{}</span>')
    lines = (Markup(" ").join(map(word.format, line.split(" "))) for line in command.split("\n"))
    return Markup("\n").join(lines)


def _classes(table: Table) -> list[str]:
    """Return how each column is set: `number` to the right, `short` in one line, `long` with room for sentences."""
    numeric = table.numeric
    cells = enumerate(zip(*table.rows, strict=True))
    return ["number" if place in numeric else _class(column) for place, column in cells] or [""] * len(table.columns)


def _class(cells: Sequence[str]) -> str:
    longest = max(map(len, cells), default=0)
    return "short" if longest <= _SHORT else "long" if longest > _LONG else "middle"


def _width(picture: Picture) -> str:
    """Return how a picture is set: `whole` over all columns, `dense` so that it scrolls where a phone is too narrow."""
    inches = float(picture.figure.get_figwidth())
    return "whole" if inches > _PHONE_INCHES else "dense" if inches > PHONE else ""
