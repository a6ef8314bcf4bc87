"""Pictures look alike, follow the page's theme, and repeat byte for byte."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from omnishot.errors import UsageError
from omnishot.reporting.drawing import FIRST, SUFFIXES, Picture, draw


def a_picture() -> Picture:
    def onto(figure: Figure) -> None:
        figure.subplots().plot([0, 1], [0, 1], color=FIRST.drawn, label="a line")

    return draw("line", "A line", "It rises.", onto)


def test_on_a_page_colours_are_the_pages() -> None:
    text = a_picture().svg()
    assert text.startswith("<svg")
    assert f"var(--first, {FIRST.drawn})" in text
    assert "var(--ink" in text or "var(--faint" in text


def test_text_stays_text() -> None:
    assert "<text" in a_picture().svg()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_picture_is_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    a_picture().write(first)
    a_picture().write(second)
    assert first.read_bytes() == second.read_bytes()


def test_a_file_stands_alone() -> None:
    assert "var(" not in a_picture()._written("svg").decode()


def test_other_formats_are_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.svg, \.pdf, \.png"):
        a_picture().write(tmp_path / "x.gif")
