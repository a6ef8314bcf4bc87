"""One-shot trials as one sees them: the query, what there was to choose from, and what was chosen."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from omnishot.drawing.labels import shortened
from omnishot.drawing.picture import BAD, FAINT, GOOD, INK, LINE, Colour, Picture, draw
from omnishot.drawing.sheet import WIDTH, decimal, sheet, tile, words
from omnishot.errors import brief

_EDGE = 0.1
_QUERY = 1.05
_LARGEST = 1.05


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """One trial with its pixels.

    Attributes:
        query: Shape (h, h), uint8, ink 255 on 0; or a photograph, shape (h, h, 1 or 3).
        support: One such image of each class, shape (n_way, ...); the first class is the right one.
        scores: Of each class, shape (n_way,).
        number: Of the trial in its evaluation, counted from 0.
        group: What the right class belongs to, such as its alphabet.
        k_shot: Support images that each class had.
    """

    query: NDArray[np.uint8]
    support: NDArray[np.uint8]
    scores: NDArray[np.float32]
    number: int
    group: str
    k_shot: int = 1

    @property
    def rival(self) -> int:
        """The wrong class with the best score; one whose score is not a number counts as better than all."""
        return int(self.scores[1:].argmax()) + 1

    @property
    def margin(self) -> float:
        """Score of the right class over that of its rival."""
        return float(self.scores[0]) - float(self.scores[self.rival])

    @property
    def is_right(self) -> bool:
        """Whether the right class has strictly the best score."""
        return self.margin > 0

    @property
    def predicted(self) -> int:
        """The class that was chosen: a tie is wrong."""
        return 0 if self.is_right else self.rival


def trial_grid(trial: ShownTrial, *, order: NDArray[np.integer], about: str) -> Picture:
    """Draw one trial with all its classes, class `order[i]` at place i, row by row; `order` has the shape (n_way,)."""
    n_way = len(trial.support)
    columns = math.ceil(math.sqrt(n_way))
    rows = -(-n_way // columns)
    left = _EDGE + _QUERY + 0.3
    room = WIDTH - left - _EDGE + 0.08
    pitch = min(room / columns, _LARGEST + 0.08)
    left += (room - columns * pitch) / 2
    side, row_height = pitch - 0.08, pitch - 0.08 + 0.33
    height = max(1.5 * _EDGE + rows * row_height, _EDGE + _QUERY + 1.22)

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        _query_column(axes, trial, n_way)
        for place, number in enumerate(order):
            x = left + place % columns * pitch
            y = _EDGE + 0.04 + place // columns * row_height
            _choice(axes, trial, int(number), x, y, side)

    return draw(
        f"trial-{n_way}-ways",
        f"{n_way}-way trial {trial.number}: {about}",
        _said_of_grid(trial, order),
        onto,
        width=WIDTH,
        height=height,
    )


def _query_column(axes: Axes, trial: ShownTrial, n_way: int) -> None:
    middle, y = _EDGE + _QUERY / 2, _EDGE + 0.04
    tile(axes, trial.query, _EDGE, y, _QUERY, colour=INK, thickness=1.2)
    words(axes, middle, y + _QUERY + 0.06, "query", size=9, bold=True)
    colour, outcome = (GOOD, "✓ success") if trial.is_right else (BAD, "✗ mistake")
    words(axes, middle, y + _QUERY + 0.25, outcome, colour=colour, size=9, bold=True)
    words(axes, middle, y + _QUERY + 0.45, f"margin {_signed(trial.margin)}", colour=FAINT, size=8)
    shots = f", {trial.k_shot} shots" if trial.k_shot > 1 else ""
    words(axes, middle, y + _QUERY + 0.61, f"{n_way} ways{shots}", colour=FAINT, size=8)
    words(axes, middle, y + _QUERY + 0.82, "a higher score:", colour=FAINT)
    words(axes, middle, y + _QUERY + 0.95, "more alike", colour=FAINT)


def _choice(axes: Axes, trial: ShownTrial, number: int, x: float, y: float, side: float) -> None:
    """Draw one class with its score, and what it was taken for."""
    colour, line, label = _role(trial, number)
    is_marked = bool(label)
    tile(axes, trial.support[number], x, y, side, colour=colour, line=line, thickness=2.2 if is_marked else 0.8)
    middle = x + side / 2
    words(axes, middle, y + side + 0.03, decimal(trial.scores[number]), size=8.5, bold=is_marked)
    if is_marked:
        words(axes, middle, y + side + 0.175, label, colour=colour, size=7, bold=True)


def _role(trial: ShownTrial, number: int) -> tuple[Colour, str, str]:
    if number == trial.predicted == 0:
        return GOOD, "-", "✓ success"
    if number == 0:
        return GOOD, "-", "ground truth"
    if number == trial.predicted:
        return BAD, "--", "predicted"
    return LINE, "-", ""


def _said_of_grid(trial: ShownTrial, order: NDArray[np.integer]) -> str:
    n_way = len(trial.support)
    place = {int(number): place for place, number in enumerate(order, start=1)}
    right = f"the ground truth (image {place[0]}) scores {decimal(trial.scores[0])}"
    rival = f"{decimal(trial.scores[trial.rival])} (image {place[trial.rival]})"
    support = "one support image" if trial.k_shot == 1 else f"the first of {trial.k_shot} support images"
    start = f"A query image of {brief(trial.group)} beside {support} of each of {n_way} classes, with their scores: "
    if trial.is_right:
        return start + f"success, as {right} and the best wrong class {rival}."
    return start + f"a mistake, as {right} and the predicted class {rival}."


def ranked_trials(trials: list[ShownTrial], *, kind: str, about: str, of: str) -> Picture:
    """Draw trials side by side, each as its query, the right class and the one that came nearest or took its place.

    There is at least one, all are right or all wrong: `kind` says which of them, `of` from how many they were chosen.
    """
    columns = 2 if len(trials) > 1 else 1
    rows = -(-len(trials) // columns)
    pitch, row_height, header = WIDTH / 2, 1.05, 0.28

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        for column in range(columns):
            _heads(axes, _EDGE + column * pitch, trials[0].is_right)
        for number, trial in enumerate(trials):
            _short_form(axes, trial, _EDGE + number % columns * pitch, header + number // columns * row_height)

    return draw(
        kind.replace(" ", "-"),
        f"{len(trials)} {kind}: {about}",
        _said_of_ranked(trials, kind, of),
        onto,
        width=WIDTH if columns == 2 else pitch,
        height=header + rows * row_height,
    )


_SMALL = 0.62
_STEP = _SMALL + 0.13


def _heads(axes: Axes, x: float, are_right: bool) -> None:
    second, third = ("✓ success", "runner-up") if are_right else ("predicted", "ground truth")
    colours = (INK, GOOD, FAINT) if are_right else (INK, BAD, GOOD)
    for number, (text, colour) in enumerate(zip(("query", second, third), colours, strict=True)):
        words(axes, x + _SMALL / 2 + number * _STEP, 0.08, text, colour=colour, bold=True)


def _short_form(axes: Axes, trial: ShownTrial, x: float, y: float) -> None:
    chosen, other = trial.predicted, trial.rival if trial.is_right else 0
    tile(axes, trial.query, x, y, _SMALL, colour=INK)
    for number, place in ((chosen, 1), (other, 2)):
        colour, line, label = _role(trial, number)
        at = x + place * _STEP
        tile(axes, trial.support[number], at, y, _SMALL, colour=colour, line=line, thickness=1.8 if label else 0.8)
        words(axes, at + _SMALL / 2, y + _SMALL + 0.045, decimal(trial.scores[number]), size=8.5, bold=bool(label))
    line = f"{shortened(brief(trial.group), 20)}, margin {_signed(trial.margin)}"
    words(axes, x, y + _SMALL + 0.2, line, colour=FAINT, align="left")


def _said_of_ranked(trials: list[ShownTrial], kind: str, of: str) -> str:
    other = "the runner-up" if trials[0].is_right else "the predicted class"
    each = "; ".join(
        f"{brief(trial.group)}: ground truth {decimal(trial.scores[0])}, {other} {decimal(trial.scores[trial.rival])}"
        for trial in trials
    )
    return f"The {len(trials)} {kind} {of}, each as a query image, the ground truth and {other}. {each}."


def _signed(margin: float) -> str:
    """Return a margin with as many digits as it takes to tell it from nothing."""
    small = math.isfinite(margin) and 0 < abs(margin) < 0.1
    return decimal(margin, min(9, 1 - math.floor(math.log10(abs(margin)))) if small else 2, signed=True)
