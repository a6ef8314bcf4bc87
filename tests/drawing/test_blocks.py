"""Pictures made of characters say what they should, and fit."""

import numpy as np
import pytest
from rich.cells import cell_len

from omnishot.drawing.blocks import ASCII, BLOCKS, fitted, half_blocks, ink_for, on_scale, sparkline


def test_a_sparkline_rises_and_falls_with_its_values() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20) == "▁▂▃▄▅▆▇█"
    assert sparkline([7, 0], 20) == "█▁"
    assert sparkline([3, 3, 3], 20) == "▁▁▁"
    assert sparkline([], 20) == ""


def test_a_long_curve_is_averaged_to_the_width_without_losing_a_value() -> None:
    assert sparkline([0, 0, 7, 7, 14, 14], 3) == "▁▅█"
    assert len(sparkline(range(1000), 60)) == 60
    assert sparkline([1, 2], 0) == "▁"


def test_marks_stand_at_their_shares_and_the_first_lies_above() -> None:
    assert on_scale([1.0, 0.0, 0.5], 5) == "○·+·●"
    assert on_scale([0.5, 0.5, None], 3) == "·●·"
    assert on_scale([0.5], 3, ASCII) == ".*."


def test_half_blocks_show_two_pixels_above_each_other() -> None:
    image = np.zeros((4, 4), dtype=np.uint8)
    image[0, 0] = image[3, 1] = image[0, 2] = image[1, 2] = 255
    assert half_blocks(image, 4) == ["▀ █ ", " ▄  "]
    assert half_blocks(image, 4, ASCII) == ["' # ", " .  "]


def test_a_thin_stroke_does_not_vanish_and_an_empty_image_is_empty() -> None:
    image = np.zeros((105, 105), dtype=np.uint8)
    assert set("".join(half_blocks(image, 16))) == {" "}
    image[:, 50:53] = 255
    assert all(line.strip() for line in half_blocks(image, 16))


@pytest.mark.parametrize("text", ["short", "Mkhedruli_(Georgian)/character15", "漢字漢字漢字漢字漢字/character01", ""])
@pytest.mark.parametrize("width", [12, 13, 40])
def test_a_name_takes_exactly_its_place_and_keeps_its_end(text: str, width: int) -> None:
    shown = fitted(text, width)
    assert cell_len(shown) == width
    assert shown.rstrip()[-3:] == text[-3:]


def test_plain_characters_stand_in_where_the_encoding_lacks_the_blocks() -> None:
    assert ink_for("utf-8") is BLOCKS
    for encoding in ("ascii", "latin-1", "cp437", None, "no such"):
        assert ink_for(encoding) is ASCII
    assert "".join([ASCII.heights, ASCII.halves, ASCII.marks, ASCII.scale, ASCII.more]).isascii()
