"""The chart of a sweep draws what it is given, says it in words, and keeps many curves apart."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from omnishot.drawing.labels import shortened
from omnishot.drawing.sweep import sweep_chart
from omnishot.drawing.sweep_curve import Curve

HOSTILE = "$\\f{<b>&日"


def points(line: Line2D) -> list[tuple[float, float]]:
    return [(round(x, 9), round(y, 9)) for x, y in np.asarray(line.get_xydata(), dtype=float).tolist()]


def by_label(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    return {str(line.get_label()): points(line) for line in axes.lines}


def curve(name: str, method: str, on: str = "test") -> Curve:
    return Curve(name, method, on, (1, 5, 20), (1.0, 0.9, 0.8), ((1.0, 1.0), (0.85, 0.95), (0.75, 0.85)))


def test_a_sweep_names_every_curve_and_where_it_ends() -> None:
    curves = [curve("quick on train", "models/quick:v1", "train"), curve("random", "random")]
    picture = sweep_chart("sweep", "Sweep", curves)
    assert "quick on train goes from 100.0 % at 1 to 80.0 % at 20 ways; random goes" in picture.alt
    assert "quick on train" in picture.svg()


def test_a_sweep_draws_accuracies_and_intervals_at_their_ways() -> None:
    given = {
        "m on test": Curve("m on test", "models/m:v1", "test", (1, 5), (0.9, 0.4), ((0.8, 0.95), (0.1, 0.5))),
        "random": Curve("random", "random", "test", (2, 3, 7), (0.5, 0.3, 0.1), ((0.4, 0.6), (0.2, 0.35), (0.0, 0.3))),
    }
    (axes,) = sweep_chart("sweep", "Sweep", list(given.values())).figure.axes
    drawn = by_label(axes)
    assert drawn == {
        "m on test": [(1, 90), (5, 40)],
        "random": [(2, 50), (3, 30), (7, 10)],
    }
    for one, band in zip(given.values(), axes.collections, strict=True):
        corners = {(round(x, 9), round(y, 9)) for x, y in np.asarray(band.get_paths()[0].vertices).tolist()}
        ends = {(way, round(100 * end, 9)) for way, both in zip(one.ways, one.ci95, strict=True) for end in both}
        assert ends <= corners
        assert {y for _, y in corners} == {y for _, y in ends}


PARTS = ("train", "validation", "test", "elsewhere")


@pytest.mark.parametrize("n_models", [1, 2, 5, 10])
def test_curves_of_a_sweep_are_told_apart_without_colours(n_models: int) -> None:
    curves = [curve(f"m{i} on {on}", f"models/m{i}:v1", on) for i in range(n_models) for on in PARTS]
    curves += [curve(name, name) for name in ("nearest-neighbour", "random", "hausdorff")]
    lines = sweep_chart("sweep", "Sweep", curves).figure.axes[0].lines
    looks = {(line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines)
    networks = lines[: len(PARTS) * n_models]
    colours = {line.get_color() for line in networks}
    assert len(colours) == (3 if n_models == 1 else min(4, n_models))


@pytest.mark.parametrize("middle", ["-affine{}", "-" * 70 + "affine{}"], ids=["long", "over two lines"])
def test_names_that_differ_in_their_middle_differ_in_the_legend(middle: str) -> None:
    names = [f"koch35-150k{middle.format(i)}-seed{j}:v1 on test" for i, j in ((0, 0), (8, 0), (8, 1))]
    figure = sweep_chart("sweep", "Sweep", [curve(name, f"models/{name}") for name in names]).figure
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(set(labels)) == 3
    width = figure.get_figwidth() * figure.dpi
    for text in figure.legends[0].get_texts():
        assert 0 <= text.get_window_extent().x0 < text.get_window_extent().x1 <= width


def test_a_name_from_elsewhere_is_drawn_as_it_is() -> None:
    picture = sweep_chart("s", "S", [curve(HOSTILE, "models/m:v1")])
    assert HOSTILE in picture.alt
    assert "<b>" not in picture.svg()
    assert "&lt;b&gt;" in picture.svg()


def test_long_names_give_way_in_the_middle() -> None:
    assert shortened("short") == "short"
    assert len(shortened("x" * 90 + "end")) == 26
    assert shortened("x" * 90 + "end").endswith("end")
