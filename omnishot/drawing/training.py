"""The chart of training: loss, accuracy and learning rate by epoch, of one model or of several beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from omnishot.drawing.labels import in_percent, told_apart
from omnishot.drawing.picture import FAINT, FIRST, FOURTH, INK, PHONE, SECOND, SERIES, Colour, Picture, draw
from omnishot.errors import brief
from omnishot.wording import counted, percent

_LOOKS = tuple(product(("-", "--"), SERIES))
MOST_MODELS = len(_LOOKS)
"""More models cannot be told apart in one chart."""

_SHORTEST_LABEL, _LONGEST_LABEL = 40, 60
_THICK, _THIN = 1.6, 0.7


@dataclass(frozen=True, slots=True)
class Training:
    """A training, epoch by epoch; what was not measured in an epoch is None.

    Attributes:
        model: Reference of what was trained.
        epoch: Counted from 1.
        loss: Mean over the batches.
        training_accuracy: Share of right answers on the batches, in [0, 1].
        validation_accuracy: In [0, 1].
        learning_rate: Of the last step.
        best_epoch: The one whose weights were kept, or None.
        schedule: What the learning rate does, in a few words.
        validation: How validation accuracy was measured, in a few words.
    """

    model: str
    epoch: tuple[int, ...]
    loss: tuple[float, ...]
    training_accuracy: tuple[float | None, ...]
    validation_accuracy: tuple[float | None, ...]
    learning_rate: tuple[float, ...]
    best_epoch: int | None
    schedule: str
    validation: str


@dataclass(frozen=True, slots=True)
class _Look:
    """How the lines of a model are drawn: in one colour each where there is one model, else all in the model's own."""

    dashes: str
    loss: Colour
    batches: Colour
    validation: Colour
    rate: Colour
    kept: Colour


def training_chart(name: str, title: str, trainings: Sequence[Training]) -> Picture:
    """Draw one to `MOST_MODELS` trainings, one panel per quantity; without accuracies there is no panel for them.

    Args:
        name: Names the picture.
        title: What it shows.
        trainings: At least one, each of at least one epoch.
    """
    looks = [_Look(dashes, colour, colour, colour, colour, colour) for dashes, colour in _LOOKS]
    if len(trainings) == 1:
        looks = [_Look("-", loss=SECOND, batches=SECOND, validation=FIRST, rate=FOURTH, kept=FAINT)]
    has_accuracy = any(_known(one, values) for one in trainings for values in _accuracies(one))

    def onto(figure: Figure) -> None:
        heights = {"loss": 3, "accuracy": 4, "learning rate": 2}
        if not has_accuracy:
            del heights["accuracy"]
        panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=list(heights.values()))
        axes = dict(zip(heights, panels, strict=True))
        for label, panel in axes.items():
            panel.set_ylabel(label)
        for training, look in zip(trainings, looks, strict=False):
            _draw_one(axes, training, look, is_alone=len(trainings) == 1)
        _label(figure, axes, trainings)

    height = 4.9 if has_accuracy else 3.4
    height += 0.2 * (len(trainings) + 1) if len(trainings) > 1 else 0
    said = " ".join(_in_words(training, is_alone=len(trainings) == 1) for training in trainings)
    return draw(name, title, said, onto, width=PHONE, height=height)


def _accuracies(training: Training) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    return training.training_accuracy, training.validation_accuracy


def _known(training: Training, values: Sequence[float | None]) -> list[tuple[int, float]]:
    """Return the epochs in which something was measured, with its values."""
    return [(epoch, value) for epoch, value in zip(training.epoch, values, strict=True) if value is not None]


def _draw_one(axes: dict[str, Axes], training: Training, look: _Look, *, is_alone: bool) -> None:
    every = list(zip(training.epoch, training.loss, strict=True))
    _line(axes["loss"], every, look.loss, look.dashes, brief(training.model))
    every = list(zip(training.epoch, training.learning_rate, strict=True))
    _line(axes["learning rate"], every, look.rate, look.dashes)
    if "accuracy" in axes:
        batches, validation = (
            [(epoch, 100 * value) for epoch, value in _known(training, values)] for values in _accuracies(training)
        )
        if batches:
            width = _THICK if is_alone else _THIN
            _line(axes["accuracy"], batches, look.batches, look.dashes, "on the batches", width=width)
        if validation or not is_alone:
            _line(axes["accuracy"], validation, look.validation, look.dashes, "validation")
    if training.best_epoch is not None:
        for panel in axes.values():
            panel.axvline(training.best_epoch, color=look.kept.drawn, linewidth=0.9, linestyle=":")


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
    over = f"over {counted(len(training.epoch), 'epoch')} the loss goes"
    said = over.capitalize() if is_alone else f"{brief(training.model)}: {over}"
    said += f" from {training.loss[0]:.3g} to {training.loss[-1]:.3g}"
    if known := _known(training, training.validation_accuracy):
        first, last = percent(known[0][1]), percent(known[-1][1])
        best, epoch = max((value, epoch) for epoch, value in known)  # Of equals the later, which was kept.
        said += f", validation accuracy ({training.validation}) from {first} to {last}"
        said += f", at best {percent(best)} after epoch {epoch}"
    if training.best_epoch is not None:
        said += f"; the weights of epoch {training.best_epoch} were kept (dotted line)"
    first_rate, last_rate = training.learning_rate[0], training.learning_rate[-1]
    return f"{said}. Learning rate: {training.schedule}, {first_rate:.2g} to {last_rate:.2g}."
