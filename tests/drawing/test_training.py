"""The chart of training draws every measure of every model in its place, and says in words what came of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from omnishot.drawing.training import MOST_MODELS, Training, training_chart
from omnishot.training.history import EpochRecord


def points(line: Line2D) -> list[tuple[float, float]]:
    return [(round(x, 9), round(y, 9)) for x, y in np.asarray(line.get_xydata(), dtype=float).tolist()]


def trained(
    model: str,
    loss: Sequence[float],
    batches: Sequence[float | None],
    validation: Sequence[float | None],
    rate: Sequence[float],
    *said: Any,
) -> Training:
    """A training whose history has these columns."""
    rows = enumerate(zip(loss, batches, validation, rate, strict=True), start=1)
    history = [
        EpochRecord(epoch=epoch, loss=a, training_accuracy=b, validation_accuracy=c, learning_rate=d)
        for epoch, (a, b, c, d) in rows
    ]
    return Training(model, history, *said)


def by_label(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    return {str(line.get_label()): points(line) for line in axes.lines}


def test_what_was_not_measured_leaves_a_gap_and_one_epoch_is_seen() -> None:
    training = trained("m", (0.5,), (None,), (None,), (0.1,), None, "constant", "nothing")
    picture = training_chart("t", "T", [training])
    assert "not measured" in picture.svg()
    assert "validation accuracy" not in picture.alt
    assert picture.figure.axes[0].lines[0].get_marker() == "o"


def test_a_training_draws_every_measure_in_its_place() -> None:
    training = trained("m", (2.0, 0.5, 0.4), (0.3, 0.6, 0.7), (0.25, None, 0.5), (0.1, 0.05, 0.01), 2, "cosine", "?")
    loss, accuracy, rate = training_chart("t", "T", [training]).figure.axes
    assert [axes.get_ylabel() for axes in (loss, accuracy, rate)] == ["loss", "accuracy", "learning rate"]
    assert points(loss.lines[0]) == [(1, 2.0), (2, 0.5), (3, 0.4)]
    assert points(rate.lines[0]) == [(1, 0.1), (2, 0.05), (3, 0.01)]
    drawn = by_label(accuracy)
    assert drawn["on the batches"] == [(1, 30), (2, 60), (3, 70)]
    assert drawn["validation"] == [(1, 25), (3, 50)]
    for axes in (loss, accuracy, rate):
        assert points(axes.lines[-1]) == [(2, 0), (2, 1)]  # The epoch that was kept, from bottom to top.


def test_a_training_says_what_it_reached_and_which_epoch_was_kept() -> None:
    training = trained("m", (2.0, 0.5), (0.3, 0.6), (0.25, None), (0.1, 0.05), 1, "cosine", "320 trials")
    alt = training_chart("t", "T", [training]).alt
    assert (
        "from 2 to 0.5, validation accuracy (320 trials) from 25.0 % to 25.0 %, at best 25.0 % after epoch 1; the "
        in alt
    )
    assert "; the weights of epoch 1 were kept (dotted line). Learning rate: cosine, 0.1 to 0.05." in alt


ONE = trained("models/one:v1", (2.0, 1.0), (None, None), (0.5, 0.75), (0.1, 0.01), None, "cosine", "20 trials")
TWO = trained("models/two:v1", (3.0,), (None,), (None,), (0.1,), None, "constant", "nothing")


def test_curves_of_models_have_a_line_each_and_no_panel_for_what_was_not_measured() -> None:
    picture = training_chart("t", "T", [ONE, TWO])
    assert [len(axes.lines) for axes in picture.figure.axes] == [2, 2, 2]
    assert "models/one:v1: over 2 epochs the loss goes from 2 to 1, validation accuracy (20 trials)" in picture.alt
    assert "from 50.0 % to 75.0 %, at best 75.0 % after epoch 2. Learning rate: cosine, 0.1 to 0.01." in picture.alt
    assert "models/two:v1: over 1 epoch the loss goes from 3 to 3. Learning rate: constant" in picture.alt
    assert len(training_chart("t", "T", [TWO]).figure.axes) == 2


@pytest.mark.parametrize("n_models", [2, MOST_MODELS])
def test_models_are_told_apart_and_each_has_its_accuracies_and_the_epoch_that_was_kept(n_models: int) -> None:
    given = [
        trained(f"models/m{i}:v1", (2.0, 1.0), (0.1 * i, None), (0.5, 0.75), (0.1, 0.01), 1 + i % 2, "cosine", "?")
        for i in range(n_models)
    ]
    loss, accuracy, _ = training_chart("t", "T", given).figure.axes
    lines = [line for line in loss.lines if line.get_linestyle() != ":"]
    assert len({(line.get_linestyle(), line.get_color()) for line in lines}) == n_models
    legend = [text.get_text() for text in loss.figure.legends[0].get_texts()]
    assert legend == [*(one.model for one in given), "accuracy at validation", "accuracy on the batches"]
    for i, line in enumerate(lines):
        batches, validation, kept = accuracy.lines[3 * i : 3 * i + 3]
        assert points(batches) == [(1, round(10.0 * i, 9))]
        assert points(validation) == [(1, 50), (2, 75)]
        assert batches.get_linewidth() < validation.get_linewidth()
        assert points(kept) == [(given[i].best_epoch, 0), (given[i].best_epoch, 1)]
        assert {one.get_color() for one in (batches, validation, kept)} == {line.get_color()}
