"""Names and axes that fit a chart."""

from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, PercentFormatter

LONGEST = 26
"""Letters of a name that fits a legend of two columns."""


def shortened(name: str, most: int = LONGEST) -> str:
    """Return a name that fits a chart: its middle gives way."""
    head = (most - 1) * 2 // 3
    return name if len(name) <= most else f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def told_apart(names: Sequence[str], most: int, limit: int) -> list[str]:
    """Return names shortened to `most` letters, or to as many more, up to `limit`, as keep different ones different."""
    for length in range(most, limit):
        labels = [shortened(name, length) for name in names]
        if len(set(labels)) == len(set(names)):
            return labels
    return [shortened(name, limit) for name in names]


def in_percent(axis: Axis) -> None:
    """Label an axis whose values are percents, at whole ones."""
    axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))
