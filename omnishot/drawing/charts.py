"""Charts of figures: accuracy by the number of ways, and the course of a training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from omnishot.drawing.picture import FAINT, FIRST, FOURTH, INK, SECOND, SERIES, THIRD, Colour, Picture, draw
from omnishot.wording import percent

PHONE = 4.2
"""Inches; a picture of this width fills a phone's screen with text that can be read."""

_LONGEST = 26
_LONGEST_LINE = 48
_DASHES = {"test": "-", "train": "--", "validation": "-."}
_MARKERS = "os^DvPX<>ph"
"""Of models; no divisor in common with the number of colours, so that many models pass before a look comes again."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy by the number of ways.

    Attributes:
        name: What the legend says.
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


@dataclass(frozen=True, slots=True)
class Course:
    """A training, epoch by epoch; what was not measured in an epoch is None.

    Attributes:
        epoch: Counted from 1.
        loss: Mean over the batches.
        training_accuracy: Share of right answers on the batches, in [0, 1].
        validation_accuracy: In [0, 1].
        learning_rate: Of the last step.
        best_epoch: The one whose weights were kept, or None.
        schedule: What the learning rate does, in a few words.
        validation: How validation accuracy was measured, in a few words.
    """

    epoch: tuple[int, ...]
    loss: tuple[float, ...]
    training_accuracy: tuple[float | None, ...]
    validation_accuracy: tuple[float | None, ...]
    learning_rate: tuple[float, ...]
    best_epoch: int | None
    schedule: str
    validation: str


def shortened(name: str, most: int = _LONGEST) -> str:
    """Return a name that fits a chart: its middle gives way."""
    head = (most - 1) * 2 // 3
    return name if len(name) <= most else f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def told_apart(names: Sequence[str], most: int, limit: int) -> list[str]:
    """Return names that fit a chart: shortened as far as different ones stay different.

    Args:
        names: Any.
        most: Letters of the shortest.
        limit: Letters beyond which even names that look alike are shortened.
    """
    for length in range(most, limit):
        labels = [shortened(name, length) for name in names]
        if len(set(labels)) == len(set(names)):
            return labels
    return [shortened(name, limit) for name in names]


def in_percent(axis: Axis) -> None:
    """Label an axis whose values are percents, at whole ones."""
    axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))


def sweep_chart(name: str, title: str, curves: Sequence[Curve]) -> Picture:
    """Draw accuracy by the number of ways, with 95 % intervals as bands.

    Args:
        name: Names the picture.
        title: What it shows.
        curves: Models and baselines.
    """
    labels = told_apart([curve.name for curve in curves], _LONGEST, 4 * _LONGEST_LINE)
    columns = 2 if all(len(label) <= _LONGEST for label in labels) else 1
    labels = [_wrapped(label) for label in labels]

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, label, look in zip(curves, labels, _looks(curves), strict=True):
            colour = look.colour.drawn
            values = [100 * value for value in curve.accuracy]
            low, high = ([100 * ends[side] for ends in curve.ci95] for side in (0, 1))
            axes.fill_between(curve.ways, low, high, color=colour, alpha=0.16, linewidth=0)
            (line,) = axes.plot(curve.ways, values, color=colour, label=label, linewidth=1.6, markersize=3.6)
            line.set(linestyle=look.dashes, marker=look.marker)
        axes.set(xlabel="ways: characters to choose from", ylabel="accuracy", ylim=(0, 102))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        in_percent(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=columns, fontsize=8.5, columnspacing=1.2, handlelength=3)

    rows = -(-sum(label.count("\n") + 1 for label in labels) // columns)
    return draw(name, title, _sweep_in_words(curves), onto, width=PHONE, height=2.9 + 0.2 * rows)


def _wrapped(label: str) -> str:
    return "\n".join(label[start : start + _LONGEST_LINE] for start in range(0, len(label), _LONGEST_LINE))


@dataclass(frozen=True, slots=True)
class _Look:
    colour: Colour
    dashes: str
    marker: str


_BASELINES = {
    "nearest-neighbour": _Look(THIRD, "--", "x"),
    "random": _Look(FOURTH, ":", "+"),
    "hausdorff": _Look(INK, "-.", "*"),
}


def _looks(curves: Sequence[Curve]) -> list[_Look]:
    """Return the look of each curve; dashes and markers alone tell any two apart.

    Dashes are the part's. Of one model, every part has a colour and a marker; of several, every model has.
    """
    parts = {"test": (FIRST, "o"), "train": (SECOND, "s"), "validation": (FAINT, "^")}
    models = list(dict.fromkeys(curve.method for curve in curves if curve.method not in _BASELINES))
    looks = []
    for curve in curves:
        if curve.method in _BASELINES:
            look = _BASELINES[curve.method]
            looks.append(look if len(models) < 2 else replace(look, colour=FAINT))
            continue
        model = models.index(curve.method)
        colour, marker = SERIES[model % len(SERIES)], _MARKERS[model % len(_MARKERS)]
        if len(models) < 2:
            colour, marker = parts.get(curve.on, (FAINT, "D"))  # A summary from elsewhere may name any part.
        looks.append(_Look(colour, _DASHES.get(curve.on, ":"), marker))
    return looks


def _sweep_in_words(curves: Sequence[Curve]) -> str:
    said = []
    for curve in curves:
        first, last = (f"{percent(curve.accuracy[end])} at {curve.ways[end]}" for end in (0, -1))
        said.append(f"{curve.name} goes from {first} to {last} ways")
    return f"Accuracy by the number of ways, with 95 % intervals as bands: {'; '.join(said)}."


def course_chart(name: str, title: str, course: Course) -> Picture:
    """Draw loss, accuracy and learning rate of a training, one above the other.

    Args:
        name: Names the picture.
        title: What it shows.
        course: At least one epoch.
    """

    def onto(figure: Figure) -> None:
        loss, accuracy, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 4, 2))
        _line(loss, course.epoch, course.loss, SECOND)
        loss.set_ylabel("loss")
        _accuracies(accuracy, course)
        _line(rate, course.epoch, course.learning_rate, FOURTH)
        rate.set(ylabel="learning rate", xlabel="epoch")
        rate.set_ylim(bottom=0)
        rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        loss.yaxis.set_major_locator(MaxNLocator(4))
        rate.yaxis.set_major_locator(MaxNLocator(3))
        for axes in (loss, accuracy, rate):
            if course.best_epoch is not None:
                axes.axvline(course.best_epoch, color=FAINT.drawn, linewidth=0.9, linestyle=":")
        figure.align_ylabels()

    return draw(name, title, _course_in_words(course), onto, width=PHONE, height=4.9)


def _line(axes: Axes, epochs: Sequence[int], values: Sequence[float], colour: Colour, label: str = "") -> None:
    # A single epoch has no line, so its point has to be seen.
    marker = "o" if len(epochs) < 3 else ""
    axes.plot(epochs, values, color=colour.drawn, linewidth=1.6, marker=marker, markersize=4, label=label)


def _accuracies(axes: Axes, course: Course) -> None:
    series = [(course.training_accuracy, SECOND, "on the batches"), (course.validation_accuracy, FIRST, "validation")]
    for values, colour, label in series:
        known = [(e, 100 * value) for e, value in zip(course.epoch, values, strict=True) if value is not None]
        if known:
            epochs, shares = zip(*known, strict=True)
            _line(axes, epochs, shares, colour, label)
    axes.set_ylabel("accuracy")
    in_percent(axes.yaxis)
    if axes.lines:
        axes.legend(loc="lower right", fontsize=8.5, handlelength=1.4)
    else:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color=FAINT.drawn)


def _course_in_words(course: Course) -> str:
    epochs = f"{len(course.epoch)} epoch{'s' if len(course.epoch) != 1 else ''}"
    said = f"Over {epochs} the loss goes from {course.loss[0]:.3g} to {course.loss[-1]:.3g}"
    known = [value for value in course.validation_accuracy if value is not None]
    if known:
        said += f", validation accuracy ({course.validation}) from {percent(known[0])} to {percent(known[-1])}"
    if course.best_epoch is not None:
        said += f"; the weights of epoch {course.best_epoch} were kept (dotted line)"
    return f"{said}. Learning rate: {course.schedule}, {course.learning_rate[0]:.2g} to {course.learning_rate[-1]:.2g}."
