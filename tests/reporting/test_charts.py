"""Charts say in words what they show, and draw names as they are, whoever chose them."""

import numpy as np
import pytest

from omnishot.reporting.charts import Course, Curve, course_chart, shortened, sweep_chart
from omnishot.reporting.reliability_charts import (
    Decision,
    Share,
    alphabets_chart,
    confusion_chart,
    roc_chart,
    similarity_chart,
)

HOSTILE = "$\\f{<b>&日"
DECISION = Decision(threshold=0.5, accuracy=0.9, equal_error_rate=0.1)


def curve(name: str, method: str, on: str = "test") -> Curve:
    return Curve(name, method, on, (1, 5, 20), (1.0, 0.9, 0.8), ((1.0, 1.0), (0.85, 0.95), (0.75, 0.85)))


def test_a_sweep_names_every_curve_and_where_it_ends() -> None:
    curves = [curve("quick on train", "models/quick:v1", "train"), curve("random", "random")]
    picture = sweep_chart("sweep", "Sweep", curves)
    assert "quick on train goes from 100.0 % at 1 to 80.0 % at 20 ways; random goes" in picture.alt
    assert "quick on train" in picture.svg()


def test_curves_of_a_sweep_are_told_apart_without_colours() -> None:
    names = ("nearest-neighbour", "random", "hausdorff")
    several = [curve(f"m{i} on {on}", f"models/m{i}:v1", on) for i in range(2) for on in ("train", "test")]
    for curves in ([curve("m", "models/m:v1"), *(curve(name, name) for name in names)], several):
        lines = sweep_chart("sweep", "Sweep", curves).figure.axes[0].lines
        looks = [(line.get_color(), line.get_linestyle()) for line in lines]
        assert len(set(looks)) == len(looks)


def test_what_was_not_measured_leaves_a_gap_and_one_epoch_is_seen() -> None:
    course = Course((1,), (0.5,), (None,), (None,), (0.1,), None, "constant", "nothing")
    picture = course_chart("course", "Course", course)
    assert "not measured" in picture.svg()
    assert "validation accuracy" not in picture.alt
    assert picture.figure.axes[0].lines[0].get_marker() == "o"


def test_a_training_says_what_it_reached_and_which_epoch_was_kept() -> None:
    course = Course((1, 2), (2.0, 0.5), (0.3, 0.6), (0.25, None), (0.1, 0.05), 1, "cosine", "320 trials")
    alt = course_chart("course", "Course", course).alt
    assert "from 2 to 0.5, validation accuracy (320 trials) from 25.0 % to 25.0 %; the weights of epoch 1" in alt


def test_names_from_elsewhere_are_drawn_as_they_are() -> None:
    pictures = [
        alphabets_chart("a", "A", [Share(HOSTILE, 0.5, (0.4, 0.6), 9)]),
        confusion_chart("c", "C", {(HOSTILE, "b"): 1, ("b", "b"): 2}),
        sweep_chart("s", "S", [curve(HOSTILE, "models/m:v1")]),
    ]
    for picture in pictures:
        assert HOSTILE in picture.alt
        assert "<b>" not in picture.svg()
        assert "&lt;b&gt;" in picture.svg()


def test_of_many_alphabets_the_worst_are_shown_and_the_rest_counted() -> None:
    shares = [Share(f"A{i}", i / 100, (0.0, 1.0), 40) for i in range(100)]
    picture = alphabets_chart("a", "A", shares)
    assert "A29" in picture.svg()
    assert "A30" not in picture.svg()
    assert "The other 70 are more accurate." in picture.alt


def test_a_confusion_shows_characters_that_were_mistaken() -> None:
    counts = {("a", "b"): 3, ("a", "a"): 1, ("c", "c"): 9, ("b", "b"): 2}
    picture = confusion_chart("c", "C", counts)
    assert "3 mistakes, of which the most frequent: a for b, 3 times" in picture.alt
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize("scores", [[0.0, 0.0, 0.0, 0.0], [-1e30, 1e30, 5.0, 0.0]], ids=["all alike", "far apart"])
def test_scores_of_any_size_are_drawn(scores: list[float]) -> None:
    same = np.array([True, False, True, False])
    picture = similarity_chart("s", "S", np.array(scores, np.float32), same, DECISION)
    assert "same (2 pairs)" in picture.svg()


def test_the_curve_of_a_perfect_network_can_be_seen() -> None:
    rates = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    picture = roc_chart("r", "R", rates, (0.0, 1.0), Decision(0.5, 1.0, 0.0))
    assert "accuracy of 100.0 %. The equal error rate is 0.0 %." in picture.alt
    assert picture.figure.axes[0].get_xlim()[1] == pytest.approx(10)


def test_long_names_give_way_in_the_middle() -> None:
    assert shortened("short") == "short"
    assert len(shortened("x" * 90 + "end")) == 26
    assert shortened("x" * 90 + "end").endswith("end")
