"""A table never needs more columns than there are, and never shows a name without its figure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.cli.layout import Layout, lay_out, legend, scale_heading
from omnishot.drawing.blocks import ASCII
from omnishot.reporting.tables import Table

CELLS = st.text("ab 漢", max_size=30)
TABLES = st.integers(1, 6).flatmap(
    lambda n: st.builds(
        lambda headings, rows: Table("t", tuple(headings), tuple(map(tuple, rows))),
        st.lists(st.sampled_from(["method", "accuracy", "95 % interval", "trained on", "x"]), min_size=n, max_size=n),
        st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=4),
    )
)
REPORT = Table(
    "Accuracy",
    ("method", "task", "accuracy", "95 % interval"),
    (("models/a-rather-long-name:v1", "20-way 1-shot", "90.0 %", "88.0-92.0"),),
)


def columns_needed(table: Table, layout: Layout) -> int:
    from rich.cells import cell_len

    needed = 1
    for number, heading in zip(layout.columns, layout.headings, strict=True):
        widest = max(map(cell_len, [*heading.split("\n"), *(row[number] for row in table.rows)]))
        needed += 3 + (layout.first_width if layout.first_width and number == 0 else widest)
    return needed


@given(table=TABLES, width=st.integers(20, 200))
def test_what_is_shown_fits_and_what_is_not_is_named(table: Table, width: int) -> None:
    layout = lay_out(table, width)
    assert columns_needed(table, layout) <= width
    shown = [table.columns[number] for number in layout.columns]
    assert [heading.replace("\n", " ") for heading in layout.headings] == shown
    assert sorted([*shown, *layout.left_out]) == sorted(table.columns)


@pytest.mark.parametrize(
    ("width", "shown"),
    [(200, [0, 1, 2, 3]), (69, [0, 1, 2]), (50, [0, 2]), (30, [0, 2]), (20, [0])],
)
def test_the_accuracy_stays_when_other_columns_give_way(width: int, shown: list[int]) -> None:
    assert list(lay_out(REPORT, width).columns) == shown


def test_headings_are_folded_only_where_that_makes_room() -> None:
    table = Table("t", ("method", "95 % interval", "trials"), (("a", "1-2", "400"),))
    assert lay_out(table, 35).headings == ("method", "95 % interval", "trials")
    assert lay_out(table, 32).headings == ("method", "95 %\ninterval", "trials")


def test_curves_are_drawn_where_there_is_room_for_all_columns_and_a_scale() -> None:
    table = Table("t", ("ways", "a"), (("1", "100.0 %"),), shares=((1.0,),))
    n_columns = 1 + (4 + 3) + (7 + 3)
    assert lay_out(table, n_columns + 23).scale == 0
    assert lay_out(table, n_columns + 24).scale == 21
    assert lay_out(table, 500).scale == 51
    assert len(scale_heading(21)) == 21
    assert legend(["a", "b"], ASCII) == "* a   o b"
