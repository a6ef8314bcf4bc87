"""The chart of a sweep: accuracy by the number of ways, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from omnishot.drawing.labels import LONGEST, in_percent, told_apart
from omnishot.drawing.picture import FAINT, FIRST, FOURTH, INK, PHONE, SECOND, SERIES, THIRD, Colour, Picture, draw
from omnishot.drawing.sweep_curve import Curve
from omnishot.wording import percent

_LONGEST_LINE = 48
_DASHES = {"test": "-", "train": "--", "validation": "-."}
_MARKERS = "os^DvPX<>ph"
"""Of models; no divisor in common with the number of colours, so that many models pass before a style comes again."""


def sweep_chart(name: str, title: str, curves: Sequence[Curve]) -> Picture:
    """Draw accuracy by the number of ways, with 95 % intervals as bands."""
    labels = told_apart([curve.name for curve in curves], LONGEST, 4 * _LONGEST_LINE)
    columns = 2 if all(len(label) <= LONGEST for label in labels) else 1
    labels = [_wrapped(label) for label in labels]

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, label, style in zip(curves, labels, _styles(curves), strict=True):
            colour = style.colour.drawn
            values = [100 * value for value in curve.accuracy]
            low, high = ([100 * ends[side] for ends in curve.ci95] for side in (0, 1))
            axes.fill_between(curve.ways, low, high, color=colour, alpha=0.16, linewidth=0)
            (line,) = axes.plot(curve.ways, values, color=colour, label=label, linewidth=1.6, markersize=3.6)
            line.set(linestyle=style.dashes, marker=style.marker)
        axes.set(xlabel="ways: classes to choose from", ylabel="accuracy", ylim=(0, 102))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        in_percent(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=columns, fontsize=8.5, columnspacing=1.2, handlelength=3)

    rows = -(-sum(label.count("\n") + 1 for label in labels) // columns)
    return draw(name, title, _sweep_in_words(curves), onto, width=PHONE, height=2.9 + 0.2 * rows)


def _wrapped(label: str) -> str:
    return "\n".join(label[start : start + _LONGEST_LINE] for start in range(0, len(label), _LONGEST_LINE))


@dataclass(frozen=True, slots=True)
class _Style:
    colour: Colour
    dashes: str
    marker: str


_BASELINES = {
    "nearest-neighbour": _Style(THIRD, "--", "x"),
    "random": _Style(FOURTH, ":", "+"),
    "hausdorff": _Style(INK, "-.", "*"),
}


def _styles(curves: Sequence[Curve]) -> list[_Style]:
    """Return the style of each curve; dashes and markers alone tell any two apart.

    Dashes are the part's. Of one model, every part has a colour and a marker; of several, every model has.
    """
    parts = {"test": (FIRST, "o"), "train": (SECOND, "s"), "validation": (FAINT, "^")}
    models = list(dict.fromkeys(curve.method for curve in curves if curve.method not in _BASELINES))
    styles = []
    for curve in curves:
        if curve.method in _BASELINES:
            style = _BASELINES[curve.method]
            styles.append(style if len(models) < 2 else replace(style, colour=FAINT))
            continue
        model = models.index(curve.method)
        colour, marker = SERIES[model % len(SERIES)], _MARKERS[model % len(_MARKERS)]
        if len(models) < 2:
            colour, marker = parts.get(curve.on, (FAINT, "D"))  # A summary from elsewhere may name any part.
        styles.append(_Style(colour, _DASHES.get(curve.on, ":"), marker))
    return styles


def _sweep_in_words(curves: Sequence[Curve]) -> str:
    said = []
    for curve in curves:
        first, last = (f"{percent(curve.accuracy[end])} at {curve.ways[end]}" for end in (0, -1))
        said.append(f"{curve.name} goes from {first} to {last} ways")
    return f"Accuracy by the number of ways, with 95 % intervals as bands: {'; '.join(said)}."
