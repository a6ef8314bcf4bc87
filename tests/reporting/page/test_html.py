"""A page is self-contained, and whatever it holds is text."""

import re
from importlib import resources

import pytest

from omnishot.drawing.sweep import sweep_chart
from omnishot.drawing.sweep_curve import Curve
from omnishot.reporting.page.html import Command, Headline, Section, as_html
from omnishot.reporting.tables import Table

HOSTILE = "<script>alert('x')</script>\"&"
TEMPLATE = (resources.files("omnishot") / "reporting" / "page" / "page.html.j2").read_text("utf-8")


def page(**parts: object) -> str:
    return as_html("A title", "What it is about", [Section("Part one", **parts)])  # type: ignore[arg-type]


def test_texts_from_elsewhere_stay_texts() -> None:
    curve = Curve(HOSTILE, "models/m:v1", "test", (1, 2), (1.0, 0.5), ((1.0, 1.0), (0.4, 0.6)))
    html = as_html(
        HOSTILE,
        HOSTILE,
        [
            Section(
                HOSTILE,
                text=(HOSTILE,),
                tables=(Table(HOSTILE, (HOSTILE,), ((HOSTILE,),), (HOSTILE,)),),
                shown=[sweep_chart("s", HOSTILE, [curve]), Command(HOSTILE, HOSTILE)],
                commands=(Command(HOSTILE, HOSTILE),),
                headlines=(Headline(HOSTILE, 0.5, (0.4, 0.6), (HOSTILE,)),),
            )
        ],
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 15


def test_a_picture_is_read_as_its_alternative_text() -> None:
    curve = Curve("m", "models/m:v1", "test", (1, 2), (1.0, 0.5), ((1.0, 1.0), (0.4, 0.6)))
    picture = sweep_chart("s", "A sweep", [curve])
    html = page(shown=[picture])
    (opening,) = re.findall(r"<svg[^>]*>", html)
    assert f'role="img" aria-label="{picture.alt}"' in opening
    assert "width=" not in opening
    assert "<title>A sweep</title>" in html
    assert "<metadata" not in html


def test_nothing_is_fetched() -> None:
    html = page(shown=[Command("Nothing was measured.", "omnishot eval")])
    assert "default-src 'none'" in html
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", html)
    assert not re.findall(r"url\((?!#)|@import|<script|<iframe", html)


def test_columns_of_numbers_are_set_to_the_right() -> None:
    rows = (
        ("a", "1.5 %", "1,000", "94.0-96.1", "x"),
        ("b", "", "2", "", "on the fly, whichever that may be, and more"),
    )
    html = page(tables=(Table("T", ("name", "share", "n", "interval", "what"), rows),))
    assert re.findall(r'<th scope="col" class="(\w+)"', html) == ["short", "number", "number", "number", "long"]


def test_headings_go_down_one_level_at_a_time() -> None:
    html = page(tables=(Table("T", ("a",), (("1",),)),))
    assert re.findall(r"<h([1-6])", html) == ["1", "2", "3"]


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read_on_what_it_stands_on(theme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", TEMPLATE, re.DOTALL)[theme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for name in ("ink", "faint", "first", "second", "third", "fourth", "good", "bad"):
        for ground in ("paper", "raised", "marked"):
            low, high = sorted([luminance(colours[name]), luminance(colours[ground])])
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{name} on {ground}"  # WCAG 2, AA.
