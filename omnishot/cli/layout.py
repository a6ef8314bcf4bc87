"""How a table fits a terminal: what is said first stays, headings are folded, curves are drawn where there is room."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from omnishot.drawing.blocks import Ink, on_scale

if TYPE_CHECKING:
    from omnishot.reporting.tables import Table

_PADDING = 3  # A space on both sides of a cell, and a line.
_NARROWEST = 12
_RESULTS = {"accuracy", "points"}
_SCALE = range(21, 52)


@dataclass(frozen=True, slots=True)
class Layout:
    """What of a table is shown.

    Attributes:
        columns: Numbers of the columns that are shown.
        headings: Their headings, with line breaks.
        left_out: Headings of the others.
        first_width: What the first column has to be folded to, or None.
        scale: Width of the column in which curves are drawn, or 0.
    """

    columns: tuple[int, ...]
    headings: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    first_width: int | None = None
    scale: int = 0


def lay_out(table: "Table", width: int) -> Layout:
    """Choose what of a table fits side by side: its first column, the accuracy, then as many as there is room for."""
    natural = _needed(table, table.columns)
    spare = width - 1 - sum(natural)
    if spare >= 0:
        scale = min(spare - _PADDING, _SCALE.stop - 1) if table.shares else 0
        columns = tuple(range(len(table.columns)))
        return Layout(columns, table.columns, scale=scale if scale in _SCALE else 0)
    folded = [_folded(column) for column in table.columns]
    needed = _needed(table, folded)
    chosen, first_width = _chosen(table, needed, width)
    spare = width - 1 - sum(needed[number] for number in chosen)
    for number in chosen:
        more = natural[number] - needed[number]
        if more <= spare and first_width is None:
            folded[number], spare = table.columns[number], spare - more
    left_out = tuple(column for number, column in enumerate(table.columns) if number not in chosen)
    return Layout(tuple(chosen), tuple(folded[number] for number in chosen), left_out, first_width)


def _chosen(table: "Table", needed: Sequence[int], width: int) -> tuple[list[int], int | None]:
    """Return the columns that fit, and the width of the first where it has to be folded."""
    first, *others = sorted(range(len(needed)), key=lambda number: (number > 0, table.columns[number] not in _RESULTS))
    left = width - 1 - needed[first]
    if not others or left >= needed[others[0]]:
        chosen = [first]
        for number in others:
            left -= needed[number]
            if left < 0:
                break
            chosen.append(number)
        return sorted(chosen), None if width > needed[first] else max(width - 1 - _PADDING, 1)
    room = width - 1 - needed[others[0]] - _PADDING  # A name without its result says nothing: its lines are folded.
    return ([first, others[0]], room) if room >= _NARROWEST else ([first], max(width - 1 - _PADDING, 1))


def _folded(heading: str) -> str:
    """Return a heading on as many lines as make it narrow."""
    longest = max(map(len, textwrap.wrap(heading, 1, break_long_words=False)), default=1)
    return "\n".join(textwrap.wrap(heading, longest))


def scale_heading(width: int) -> str:
    """Return the heading of a column in which curves are drawn."""
    return "0 %" + "100 %".rjust(width - 3)


def legend(names: Sequence[str], ink: Ink) -> str:
    """Return a line that says whose mark is which."""
    return "   ".join(f"{on_scale([None] * i + [0.0], 1, ink)} {name}" for i, name in enumerate(names))


def _needed(table: "Table", headings: Sequence[str]) -> list[int]:
    """Return how wide each column has to be, with its line."""
    cells = zip(*table.rows, strict=True) if table.rows else [()] * len(headings)
    return [
        _PADDING + max(map(cell_len, [*heading.split("\n"), *column]))
        for heading, column in zip(headings, cells, strict=True)
    ]
