"""Charts of where a network errs draw what they are given, say it in words, and draw names as they are."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch

from omnishot.drawing.picture import BAD, GOOD, Picture
from omnishot.drawing.reliability import (
    MOST_CHARACTERS,
    alphabets_chart,
    confusion_chart,
    roc_chart,
    similarity_chart,
)
from omnishot.evaluation.breakdown import GroupAccuracy, Roc

HOSTILE = "$\\f{<b>&日"
THRESHOLD = 0.5


def points(line: Line2D) -> list[tuple[float, float]]:
    return [(round(x, 9), round(y, 9)) for x, y in np.asarray(line.get_xydata(), dtype=float).tolist()]


def by_label(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    return {str(line.get_label()): points(line) for line in axes.lines}


def cells(picture: Picture) -> dict[tuple[str, str], int]:
    """What a reader finds in a confusion, by the label of the row and that of the column."""
    (axes,) = picture.figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("shown", "taken for")
    rows, columns = ([tick.get_text() for tick in ticks] for ticks in (axes.get_yticklabels(), axes.get_xticklabels()))
    places = [(text.get_position(), int(text.get_text())) for text in axes.texts]
    return {(rows[int(row)], columns[int(column)]): n for (column, row), n in places}


def test_names_from_elsewhere_are_drawn_as_they_are() -> None:
    pictures = [
        alphabets_chart("a", "A", [GroupAccuracy(0, 8, 4, (0.4, 0.6))], [HOSTILE]),
        confusion_chart("c", "C", {(HOSTILE, "b"): 1, ("b", "b"): 2}),
    ]
    for picture in pictures:
        assert HOSTILE in picture.alt
        assert "<b>" not in picture.svg()
        assert "&lt;b&gt;" in picture.svg()


def test_alphabets_are_drawn_with_their_intervals_and_figures() -> None:
    found = [GroupAccuracy(1, 40, 20, (0.25, 0.7)), GroupAccuracy(0, 1600, 1400, (0.8, 0.9))]
    (axes,) = alphabets_chart("a", "A", found, ["Latin", "Cretan_A"]).figure.axes
    assert [points(line) for line in axes.lines] == [
        [(25, 0), (70, 0)],
        [(50, 0)],
        [(80, 1), (90, 1)],
        [(87.5, 1)],
    ]
    said = [(text.get_text(), round(text.get_position()[1])) for text in axes.texts]
    assert said == [("Cretan A", 0), ("50.0 % of 40", 0), ("Latin", 1), ("87.5 % of 1,600", 1)]
    bottom, top = axes.get_ylim()
    assert top < 0 < 1 < bottom  # The first stands on top.


def test_of_many_alphabets_the_worst_are_shown_and_the_rest_counted() -> None:
    found = [GroupAccuracy(i, 100, i, (0.0, 1.0)) for i in range(100)]
    picture = alphabets_chart("a", "A", found, [f"A{i}" for i in range(100)])
    assert "A29" in picture.svg()
    assert "A30" not in picture.svg()
    assert "The other 70 are more accurate." in picture.alt


def test_a_confusion_shows_characters_that_were_mistaken() -> None:
    counts = {("a", "b"): 3, ("a", "a"): 1, ("c", "c"): 9, ("b", "b"): 2}
    picture = confusion_chart("c", "C", counts)
    assert "3 mistakes, of which the most frequent: a for b, 3 times" in picture.alt
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["a", "b"]


def test_a_confusion_has_what_was_shown_in_rows_and_what_it_was_taken_for_in_columns() -> None:
    counts = {("a", "b"): 3, ("b", "a"): 1, ("a", "a"): 7, ("b", "b"): 2, ("c", "a"): 4}
    picture = confusion_chart("c", "C", counts)
    assert cells(picture) == counts
    (axes,) = picture.figure.axes
    colours = {
        (cell.get_x() + 0.5, cell.get_y() + 0.5): to_hex(cell.get_facecolor())
        for cell in axes.patches
        if isinstance(cell, Rectangle)
    }
    places = [text.get_position() for text in axes.texts]
    assert colours == {(x, y): (GOOD if x == y else BAD).drawn for x, y in places}


def test_a_confusion_of_many_characters_says_how_many_it_leaves_out() -> None:
    counts = {(f"{i:02}", f"{i + 1:02}"): 40 - i for i in range(0, 40, 2)}
    picture = confusion_chart("c", "Mistakes", counts)
    assert len(picture.figure.axes[0].get_yticklabels()) == MOST_CHARACTERS
    assert picture.title == "Mistakes; 14 of 40 mistaken classes"
    assert "Classes without a mistake are left out, and 26 more with the fewest." in picture.alt
    assert confusion_chart("c", "Mistakes", {("a", "b"): 1}).title == "Mistakes"


def test_long_characters_of_a_confusion_are_told_apart() -> None:
    names = [f"character-with-{i}-a-long-name" for i in range(3)]
    picture = confusion_chart("c", "C", {(names[i], names[(i + 1) % 3]): i + 1 for i in range(3)})
    assert len(cells(picture)) == 3


def test_similarity_draws_the_shares_of_same_and_of_different_pairs() -> None:
    rng = np.random.default_rng(0)
    same = np.arange(600) < 200
    scores = (rng.normal(size=600) + 3 * same).astype(np.float32)
    (axes,) = similarity_chart("s", "S", scores, same, THRESHOLD).figure.axes
    steps = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    assert [str(patch.get_label()) for patch in steps if patch.get_label()] == [
        "different (400 pairs)",
        "same (200 pairs)",
    ]
    for patch, chosen in zip(steps, (~same, ~same, same, same), strict=True):  # Each filled, then outlined.
        shares, edges, _ = patch.get_data()
        inside = np.clip(scores[chosen].astype(float), edges[0], edges[-1])
        for i, (low, high) in enumerate(pairwise(edges)):
            n = sum(low <= score < high or (score == high == edges[-1]) for score in inside.tolist())
            assert shares[i] == pytest.approx(100 * n / len(inside))
    (threshold,) = axes.lines
    assert points(threshold) == [(THRESHOLD, 0), (THRESHOLD, 1)]


LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize(
    "scores",
    [[0.0, 0.0, 0.0, 0.0], [-1e30, 1e30, 5.0, 0.0], [-LARGEST, LARGEST, LARGEST, -LARGEST]],
    ids=["all alike", "far apart", "as far as it goes"],
)
def test_scores_of_any_size_are_drawn(scores: list[float]) -> None:
    same = np.array([True, False, True, False])
    picture = similarity_chart("s", "S", np.array(scores, np.float32), same, THRESHOLD)
    assert "same (2 pairs)" in picture.svg()


def test_the_operating_curve_has_false_acceptance_across_and_true_acceptance_up() -> None:
    curve = Roc(np.array([0.0, 0.05, 0.2, 1.0]), np.array([0.0, 0.7, 0.95, 1.0]))
    (axes,) = roc_chart("r", "R", curve, (0.02, 0.6), accuracy=0.9, equal_error_rate=0.1).figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("different pairs called the same", "same pairs called the same")
    assert points(axes.lines[0]) == [(0, 0), (5, 70), (20, 95), (100, 100)]
    drawn = by_label(axes)
    assert drawn["equal error rate 10.0 %"] == [(10, 90)]
    assert drawn["chosen threshold, accuracy 90.0 %"] == [(2, 60)]


def test_the_curve_of_a_perfect_network_can_be_seen() -> None:
    curve = Roc(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    picture = roc_chart("r", "R", curve, (0.0, 1.0), accuracy=1.0, equal_error_rate=0.0)
    assert "accuracy of 100.0 %. The equal error rate is 0.0 %." in picture.alt
    assert picture.figure.axes[0].get_xlim()[1] == pytest.approx(10)
