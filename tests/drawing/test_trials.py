"""A trial's picture says the outcome in words and shapes, wherever its classes stand."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from omnishot.drawing.picture import BAD, GOOD, Picture
from omnishot.drawing.trials import ShownTrial, ranked_trials, trial_grid
from omnishot.evaluation.oneshot import correct_trials


def a_trial(*scores: float, group: str = "Greek", k_shot: int = 1) -> ShownTrial:
    pixels = np.zeros((105, 105), dtype=np.uint8)
    pixels[20:80, 50] = 255
    support = np.stack([np.roll(pixels, 5 * shift, axis=1) for shift in range(len(scores))])
    return ShownTrial(pixels, support, np.array(scores, dtype=np.float32), 7, group, k_shot)


def grid(trial: ShownTrial, order: NDArray[np.integer] | None = None) -> Picture:
    order = np.arange(len(trial.support)) if order is None else order
    return trial_grid(trial, order=order, about="models/quick:v1, protocol lake, test images of omniglot")


def texts_of(picture: Picture) -> list[str]:
    (axes,) = picture.figure.axes
    return [text.get_text() for text in axes.texts]


def marked(picture: Picture) -> dict[str, tuple[float, float]]:
    """Return the upper left corners of the thick frames by their colour and line."""
    frames = [frame for frame in picture.figure.axes[0].findobj(Rectangle) if isinstance(frame, Rectangle)]
    names = {GOOD.drawn: "good", BAD.drawn: "bad"}
    return {
        f"{names[to_hex(frame.get_edgecolor())]} {frame.get_linestyle()}": frame.get_xy()
        for frame in frames
        if frame.get_linewidth() > 1.5
    }


def test_a_success_marks_one_class_that_is_both_predicted_and_right() -> None:
    picture = grid(a_trial(2.0, -1.0, 1.5, -3.0))
    assert texts_of(picture).count("✓ success") == 2  # Beside the query, and under the class.
    assert not {"predicted", "ground truth"} & set(texts_of(picture))
    assert list(marked(picture)) == ["good -"]
    assert "success, as the ground truth (image 1) scores 2.00 and the best wrong class 1.50 (image 3)" in picture.alt


def test_a_mistake_marks_what_was_predicted_and_what_was_right_by_word_line_and_colour() -> None:
    picture = grid(a_trial(1.0, 4.0, 0.0, 2.0))
    assert {"✗ mistake", "predicted", "ground truth", "margin \N{MINUS SIGN}3.00"} <= set(texts_of(picture))
    assert set(marked(picture)) == {"good -", "bad --"}
    assert "the ground truth (image 1) scores 1.00 and the predicted class 4.00 (image 2)" in picture.alt


def test_the_order_moves_scores_and_marks_together() -> None:
    trial, order = a_trial(1.0, 4.0, 0.0, 2.0), np.array([3, 2, 1, 0])
    before, after = marked(grid(trial)), marked(grid(trial, order))
    assert after["bad --"][1] > before["bad --"][1]  # From the first row to the second.
    assert after["good -"][1] > before["good -"][1]
    shown = [text for text in texts_of(grid(trial, order)) if text in {"1.00", "4.00", "0.00", "2.00"}]
    assert shown == ["2.00", "0.00", "4.00", "1.00"]
    assert "the ground truth (image 4) scores 1.00" in grid(trial, order).alt


@pytest.mark.parametrize("scores", [(1.0, 1.0, 0.0), (float("nan"), 1.0, 0.0), (1.0, 0.0, float("nan"))])
def test_a_tie_is_a_mistake_and_so_is_a_score_that_is_not_a_number(scores: tuple[float, ...]) -> None:
    trial = a_trial(*scores)
    assert not correct_trials(trial.scores[None], 3)[0]
    assert trial.predicted != 0
    assert {"✗ mistake", "predicted", "ground truth"} <= set(texts_of(grid(trial)))


@pytest.mark.parametrize(("n_way", "columns"), [(2, 2), (4, 2), (9, 3), (16, 4), (20, 5), (25, 5)])
def test_classes_stand_in_a_near_square_inside_the_sheet(n_way: int, columns: int) -> None:
    picture = grid(a_trial(*np.linspace(1, -1, n_way)))
    axes = picture.figure.axes[0]
    tiles = [image.get_extent() for image in axes.images[1:]]
    assert len(tiles) == n_way
    assert len({round(left, 3) for left, *_ in tiles}) == columns
    width, height = picture.figure.get_size_inches()
    assert all(0 < left < right < width and 0 < top < bottom < height for left, right, bottom, top in tiles)
    assert max(text.get_position()[1] for text in axes.texts) < height - 0.1


def test_a_small_margin_keeps_a_digit_that_tells_it_from_nothing() -> None:
    assert "margin +0.0031" in texts_of(grid(a_trial(0.0031, 0.0)))


def test_names_are_no_mathematics_and_keep_nothing_that_is_not_printable() -> None:
    trial = a_trial(0.0, 1.0, group="$\\frac$\u202e<script>日本")
    picture = ranked_trials([trial, trial], kind="worst mistakes", about="m", of="of 2 in 9 trials")
    assert any("<script>" in text for text in texts_of(picture))
    assert "\u202e" not in picture.alt + "".join(texts_of(picture))
    assert "&lt;script&gt;" in picture.svg()
    assert "<script>" not in picture.svg()


def test_ranked_trials_say_every_pair_of_scores() -> None:
    mistakes = [a_trial(0.0, 3.0), a_trial(1.0, 2.0), a_trial(1.5, 2.0)]
    picture = ranked_trials(mistakes, kind="worst mistakes", about="models/quick:v1", of="of 3 in 9 trials")
    assert picture.title == "3 worst mistakes: models/quick:v1"
    assert picture.alt.startswith("The 3 worst mistakes of 3 in 9 trials")
    assert "Greek: ground truth 0.00, the predicted class 3.00; Greek: ground truth 1.00" in picture.alt
    assert {"predicted", "ground truth", "query"} <= set(texts_of(picture))


def words_overlap(picture: Picture) -> list[tuple[str, str]]:
    """Return the lines of a picture that touch each other or leave it."""
    picture.figure.draw_without_rendering()
    lines = [(text.get_text(), text.get_window_extent()) for text in picture.figure.axes[0].texts]
    sheet = picture.figure.bbox
    outside = [
        (name, "") for name, box in lines if not (sheet.x0 <= box.x0 < box.x1 <= sheet.x1 and sheet.y0 <= box.y0)
    ]
    return outside + [(a[0], b[0]) for a, b in combinations(lines, 2) if a[1].overlaps(b[1])]


@pytest.mark.parametrize("n_way", [2, 4, 9, 16, 20, 25])
def test_no_words_touch_even_where_two_marked_classes_are_neighbours(n_way: int) -> None:
    scores = [-118.88, -18.88, *[-188.88] * (n_way - 2)]
    for order in (np.arange(n_way), np.arange(n_way)[::-1]):
        assert words_overlap(grid(a_trial(*scores, k_shot=5), order)) == []


def test_no_words_touch_in_a_list_of_trials_with_long_names() -> None:
    trials = [a_trial(-118.88, -18.88, group="Blackfoot_(Canadian_Aboriginal_Syllabics)")] * 8
    picture = ranked_trials(trials, kind="worst mistakes", about="m", of="of 9")
    assert words_overlap(picture) == []
