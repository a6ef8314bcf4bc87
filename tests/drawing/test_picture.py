"""Pictures look alike, follow the page's theme, and repeat byte for byte."""

from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from omnishot.drawing.picture import FIRST, INK, SUFFIXES, Picture, draw, tint
from omnishot.errors import UsageError


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
    first.write_bytes(a_picture().as_file(first))
    second.write_bytes(a_picture().as_file(second))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_stands_alone() -> None:
    assert "var(" not in a_picture()._written("svg").decode()


def test_other_formats_are_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.svg, \.pdf, \.png"):
        a_picture().as_file(tmp_path / "x.gif")


def tinted(*, smooth: bool) -> Picture:
    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        tint(axes, np.eye(4), FIRST, (0, 1, 1, 0), smooth=smooth)
        tint(axes, np.eye(4), INK, (0, 1, 1, 0), smooth=smooth)

    return draw("images", "Images", "Two of them.", onto)


def test_an_image_on_a_page_takes_the_pages_colour_from_a_filter() -> None:
    text = tinted(smooth=False).svg()
    for colour in (FIRST, INK):
        assert text.count(f'filter="url(#images{colour.variable})"') == 1
        assert text.count(f'<filter id="images{colour.variable}"') == 1
        assert f"flood-color: var({colour.variable}, {colour.drawn})" in text
    assert 'id="tint' not in text
    assert "<filter" not in a_picture().svg()
    ElementTree.fromstring(text)


def test_drawings_are_blended_and_maps_stay_squares() -> None:
    assert "pixelated" in tinted(smooth=False).svg()
    assert "pixelated" not in tinted(smooth=True).svg()


def test_a_file_holds_title_and_words(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_bytes(a_picture().as_file(tmp_path / "x.svg"))
    assert "<title>A line</title>" in (tmp_path / "x.svg").read_text()
    assert "It rises." in (tmp_path / "x.svg").read_text()
    assert "It rises." not in a_picture().svg()


def test_letters_that_the_font_lacks_are_no_reason_to_warn(tmp_path: Path) -> None:
    def onto(figure: Figure) -> None:
        figure.subplots().set_xlabel("日本 \U0001f600")

    picture = draw("x", "x", "x", onto)
    (tmp_path / "x.png").write_bytes(picture.as_file(tmp_path / "x.png"))
    assert "日本" in picture.svg()
    assert picture.letters_lacking() == "日本"
    assert a_picture().letters_lacking() == ""


def test_what_a_user_has_set_for_matplotlib_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def onto(figure: Figure) -> None:
        figure.subplots().imshow(np.zeros((4, 4)))

    plain = draw("image", "An image", "It is empty.", onto).svg()
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"svg.image_inline": False, "font.size": 20, "savefig.bbox": "tight", "lines.linewidth": 9}):
        assert draw("image", "An image", "It is empty.", onto).svg() == plain
    assert list(tmp_path.iterdir()) == []
