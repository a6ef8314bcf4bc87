"""The chart of training: loss, accuracy and learning rate by epoch, of one model or of several beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from omnishot.drawing.labels import in_percent, told_apart
from omnishot.drawing.picture import FAINT, FIRST, FOURTH, INK, PHONE, SECOND, SERIES, Colour, Picture, draw
from omnishot.errors import brief
from omnishot.training.history import TrainingHistory
from omnishot.wording import counted, percent

Measure = Literal["loss", "training_accuracy", "validation_accuracy", "learning_rate"]

_STYLES = tuple(product(("-", "--"), SERIES))
MOST_MODELS = len(_STYLES)
"""More models cannot be told apart in one chart."""

_SHORTEST_LABEL, _LONGEST_LABEL = 40, 60
_THICK, _THIN = 1.6, 0.7


@dataclass(frozen=True, slots=True)
class Training:
    """What is drawn of a training.

    Attributes:
        model: Reference of what was trained.
        history: At least one epoch.
        best_epoch: The one whose weights were kept, or None.
        schedule: What the learning rate does, in a few words.
        validation: How validation accuracy was measured, in a few words.
    """

    model: str
    history: TrainingHistory
    best_epoch: int | None
    schedule: str
    validation: str

    def measured(self, measure: Measure) -> list[tuple[int, float]]:
        """Return the epochs in which something was measured, with its values."""
        values = ((record.epoch, getattr(record, measure)) for record in self.history)
        return [(epoch, value) for epoch, value in values if value is not None]


@dataclass(frozen=True, slots=True)
class _Style:
    """How the lines of a model are drawn: in one colour each where there is one model, else all in the model's own."""

    dashes: str
    batches: Colour
    validation: Colour
    rate: Colour
    kept: Colour


def training_chart(name: str, title: str, trainings: Sequence[Training]) -> Picture:
    """Draw one to `MOST_MODELS` trainings, one panel per quantity; without accuracies there is no panel for them."""
    styles = [_Style(dashes, colour, colour, colour, colour) for dashes, colour in _STYLES]
    if len(trainings) == 1:
        styles = [_Style("-", batches=SECOND, validation=FIRST, rate=FOURTH, kept=FAINT)]
    has_accuracy = any(one.measured("training_accuracy") or one.measured("validation_accuracy") for one in trainings)

    def onto(figure: Figure) -> None:
        heights = {"loss": 3, "accuracy": 4, "learning rate": 2}
        if not has_accuracy:
            del heights["accuracy"]
        panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=list(heights.values()))
        axes = dict(zip(heights, panels, strict=True))
        for label, panel in axes.items():
            panel.set_ylabel(label)
        for training, style in zip(trainings, styles, strict=False):
            _draw_one(axes, training, style, is_alone=len(trainings) == 1)
        _label(figure, axes, trainings)

    height = 4.9 if has_accuracy else 3.4
    height += 0.2 * (len(trainings) + 1) if len(trainings) > 1 else 0
    said = " ".join(_in_words(training, is_alone=len(trainings) == 1) for training in trainings)
    return draw(name, title, said, onto, width=PHONE, height=height)


def _draw_one(axes: dict[str, Axes], training: Training, style: _Style, *, is_alone: bool) -> None:
    _line(axes["loss"], training.measured("loss"), style.batches, style.dashes, brief(training.model))
    _line(axes["learning rate"], training.measured("learning_rate"), style.rate, style.dashes)
    if "accuracy" in axes:
        batches = [(epoch, 100 * share) for epoch, share in training.measured("training_accuracy")]
        validation = [(epoch, 100 * share) for epoch, share in training.measured("validation_accuracy")]
        if batches:
            width = _THICK if is_alone else _THIN
            _line(axes["accuracy"], batches, style.batches, style.dashes, "on the batches", width=width)
        if validation or not is_alone:
            _line(axes["accuracy"], validation, style.validation, style.dashes, "validation")
    if training.best_epoch is not None:
        for panel in axes.values():
            panel.axvline(training.best_epoch, color=style.kept.drawn, linewidth=0.9, linestyle=":")


def _line(
    axes: Axes, points: list[tuple[int, float]], colour: Colour, dashes: str, label: str = "", *, width: float = _THICK
) -> None:
    marker = "o" if len(points) < 3 else ""  # A single epoch has no line, so its point has to be seen.
    epochs, values = [epoch for epoch, _ in points], [value for _, value in points]
    axes.plot(
        epochs, values, dashes, color=colour.drawn, label=label, linewidth=width, marker=marker, markersize=2.5 * width
    )


def _label(figure: Figure, axes: dict[str, Axes], trainings: Sequence[Training]) -> None:
    """Say what the axes are, and which line is which."""
    loss, rate = axes["loss"], axes["learning rate"]
    loss.yaxis.set_major_locator(MaxNLocator(4))
    rate.yaxis.set_major_locator(MaxNLocator(3))
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    rate.set_ylim(bottom=0)
    rate.set_xlabel("epoch" if "accuracy" in axes else "epoch (accuracy: not measured)")
    if len(trainings) > 1:
        lines, names = loss.get_legend_handles_labels()
        labels = told_apart(names, _SHORTEST_LABEL, _LONGEST_LABEL)
        if "accuracy" in axes:
            lines += [Line2D([], [], color=INK.drawn, linewidth=width) for width in (_THICK, _THIN)]
            labels += ["accuracy at validation", "accuracy on the batches"]
        figure.legend(lines, labels, loc="outside lower center", fontsize=8.5)
    if accuracy := axes.get("accuracy"):
        in_percent(accuracy.yaxis)
        if len(trainings) == 1:
            accuracy.legend(loc="lower right", fontsize=8.5, handlelength=1.4)
    figure.align_ylabels()


def _in_words(training: Training, *, is_alone: bool) -> str:
    first, last = training.history[0], training.history[-1]
    over = f"over {counted(len(training.history), 'epoch')} the loss goes"
    said = over.capitalize() if is_alone else f"{brief(training.model)}: {over}"
    said += f" from {first.loss:.3g} to {last.loss:.3g}"
    if known := training.measured("validation_accuracy"):
        best, epoch = max((value, epoch) for epoch, value in known)  # Of equals the later, which was kept.
        said += f", validation accuracy ({training.validation}) from {percent(known[0][1])} to {percent(known[-1][1])}"
        said += f", at best {percent(best)} after epoch {epoch}"
    if training.best_epoch is not None:
        said += f"; the weights of epoch {training.best_epoch} were kept (dotted line)"
    return f"{said}. Learning rate: {training.schedule}, {first.learning_rate:.2g} to {last.learning_rate:.2g}."
