"""How training went: loss, validation accuracy and learning rate by epoch."""

from dataclasses import dataclass
from itertools import product

from matplotlib.figure import Figure

from omnishot.drawing.picture import SERIES, Picture, draw
from omnishot.errors import brief

_STYLES = tuple(product(("-", "--", ":", "-."), SERIES))
MOST_CURVES = len(_STYLES) // 2
"""More models cannot be told apart in one picture."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, with one value per epoch in each list.

    Attributes:
        model: Its reference.
        loss: Mean over the epoch.
        validation_accuracy: In [0, 1]; None where nothing was validated.
        learning_rate: At the epoch's end.
    """

    model: str
    loss: list[float]
    validation_accuracy: list[float | None]
    learning_rate: list[float]


def training_curves(runs: list[Run]) -> Picture:
    """Draw one to `MOST_CURVES` training runs, one panel per quantity."""
    panels = ["loss", "validation accuracy", "learning rate"]
    has_validation = any(value is not None for run in runs for value in run.validation_accuracy)
    if not has_validation:
        panels.remove("validation accuracy")

    def onto(figure: Figure) -> None:
        all_axes = figure.subplots(len(panels), 1, sharex=True)
        for axes, panel in zip(all_axes, panels, strict=True):
            axes.set_ylabel(panel + (", %" if panel == "validation accuracy" else ""))
            for run, (line, colour) in zip(runs, _STYLES, strict=False):
                values = _values(run, panel)
                axes.plot(
                    range(1, len(values) + 1), values, line, color=colour.drawn, label=brief(run.model),
                    linewidth=1.6, marker="o" if len(values) < 3 else "", markersize=3,
                )  # fmt: skip
            axes.margins(x=0.02)
        all_axes[-1].set_ylim(bottom=0)
        all_axes[-1].set_xlabel("epoch")
        figure.align_ylabels()
        for text in all_axes[0].legend(loc="upper right").get_texts():
            text.set_parse_math(False)

    named = ", ".join(brief(run.model) for run in runs)
    said = " ".join(_said(run) for run in runs)
    return draw("training-curves", f"Training of {named}", said, onto, width=5, height=1.6 * len(panels) + 0.4)


def _values(run: Run, panel: str) -> list[float]:
    if panel == "validation accuracy":
        return [float("nan") if value is None else 100 * value for value in run.validation_accuracy]
    return run.loss if panel == "loss" else run.learning_rate


def _said(run: Run) -> str:
    text = f"{brief(run.model)}: {len(run.loss)} epochs, loss from {run.loss[0]:.3g} to {run.loss[-1]:.3g}"
    measured = [(value, epoch) for epoch, value in enumerate(run.validation_accuracy, 1) if value is not None]
    if measured:
        best, epoch = max(measured)  # Of equals the later, which was kept.
        text += f", validation accuracy at best {best:.1%} after epoch {epoch}"
    return f"{text}; learning rate {run.learning_rate[0]:.2g} to {run.learning_rate[-1]:.2g}."
