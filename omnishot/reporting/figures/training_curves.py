"""How training went: loss, validation accuracy and learning rate by epoch."""

from dataclasses import dataclass
from itertools import product

from matplotlib.figure import Figure

from omnishot.errors import brief
from omnishot.reporting.drawing import SERIES, Picture, draw

_STYLES = tuple(product(("-", "--", ":", "-."), SERIES))
MOST_CURVES = len(_STYLES) // 2
"""More models cannot be told apart in one picture."""


@dataclass(frozen=True, slots=True)
class Curve:
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


def training_curves(curves: list[Curve]) -> Picture:
    """Draw one to `MOST_CURVES` training runs, one panel per quantity."""
    panels = ["loss", "validation accuracy", "learning rate"]
    has_validation = any(value is not None for curve in curves for value in curve.validation_accuracy)
    if not has_validation:
        panels.remove("validation accuracy")

    def onto(figure: Figure) -> None:
        all_axes = figure.subplots(len(panels), 1, sharex=True)
        for axes, panel in zip(all_axes, panels, strict=True):
            axes.set_ylabel(panel + (", %" if panel == "validation accuracy" else ""))
            for curve, (line, colour) in zip(curves, _STYLES, strict=False):
                values = _values(curve, panel)
                axes.plot(
                    range(1, len(values) + 1), values, line, color=colour.drawn, label=brief(curve.model),
                    linewidth=1.6, marker="o" if len(values) < 3 else "", markersize=3,
                )  # fmt: skip
            axes.margins(x=0.02)
        all_axes[-1].set_ylim(bottom=0)
        all_axes[-1].set_xlabel("epoch")
        figure.align_ylabels()
        for text in all_axes[0].legend(loc="upper right").get_texts():
            text.set_parse_math(False)

    named = ", ".join(brief(curve.model) for curve in curves)
    said = " ".join(_said(curve) for curve in curves)
    return draw("training-curves", f"Training of {named}", said, onto, width=5, height=1.6 * len(panels) + 0.4)


def _values(curve: Curve, panel: str) -> list[float]:
    if panel == "validation accuracy":
        return [float("nan") if value is None else 100 * value for value in curve.validation_accuracy]
    return curve.loss if panel == "loss" else curve.learning_rate


def _said(curve: Curve) -> str:
    text = f"{brief(curve.model)}: {len(curve.loss)} epochs, loss from {curve.loss[0]:.3g} to {curve.loss[-1]:.3g}"
    measured = [(value, epoch) for epoch, value in enumerate(curve.validation_accuracy, 1) if value is not None]
    if measured:
        best, epoch = max(measured, key=lambda pair: (pair[0], -pair[1]))
        text += f", validation accuracy at best {best:.1%} after epoch {epoch}"
    return f"{text}; learning rate {curve.learning_rate[0]:.2g} to {curve.learning_rate[-1]:.2g}."
