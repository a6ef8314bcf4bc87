"""The curve of a sweep, as values: what a chart draws and a table has in a column."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy by the number of ways.

    Attributes:
        name: What the legend, or the heading of a column, says.
        method: Reference of a model, or name of a baseline.
        on: Part of the split.
        ways: Ascending.
        accuracy: In [0, 1], one for each of `ways`.
        ci95: 95 % intervals, one for each of `ways`.
    """

    name: str
    method: str
    on: str
    ways: tuple[int, ...]
    accuracy: tuple[float, ...]
    ci95: tuple[tuple[float, float], ...]
