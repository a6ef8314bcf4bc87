"""Tables say what was measured, and the gate stops what is below it."""

import json
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.errors import QualityGateError, UsageError
from omnishot.formats.evaluation import Comparison, Result, TrainedOn
from omnishot.reporting.formats import as_json, as_markdown, as_tsv
from omnishot.reporting.gates import check_gate, parse_gate
from omnishot.reporting.results import Measured
from omnishot.reporting.tables import Table, tables_of

TRAINED: dict[str, Any] = {
    "pairs": "pairs/p:v1", "seed": 0, "twin": "koch", "objective": "pairs", "source": "omniglot", "train_alphabets": 30,
    "train_drawers": 12, "validation_alphabets": 10, "validation_drawers": 4, "split": "koch", "holdout": "five",
    "affine": 8, "train_pairs": 90_000,
}  # fmt: skip


def measured(model: str = "models/koch:v1", accuracy: float = 0.92, **changes: Any) -> Measured:
    values: dict[str, Any] = {
        "model": model, "protocol": "lake", "on": "test", "ways": 20, "shots": 1, "trials": 400,
        "correct": round(accuracy * 400), "accuracy": accuracy, "ci95": (accuracy - 0.02, accuracy + 0.02),
        "alphabets": 10,
    }  # fmt: skip
    result = Result(**{**values, **changes})
    trained_on = TrainedOn(**TRAINED) if model.startswith("models/") else None
    return Measured(result, "evals/e:v1", "pairs/p:v1", "omniglot", 0, "cpu", trained_on)


def compared(difference: float, ci95: tuple[float, float], mcnemar_p: float | None = None) -> Comparison:
    return Comparison(
        model="models/b:v1", against="models/a:v1", ways=20, difference=difference, ci95=ci95, mcnemar_p=mcnemar_p
    )


def sweep() -> list[Measured]:
    return [
        measured(model, 1 - 0.01 * way, protocol="within", ways=way, on=on)
        for way in (1, 5, 20)
        for model, on in [
            ("models/koch:v1", "test"),
            ("models/koch:v1", "train"),
            ("random", "test"),
            ("random", "train"),
        ]
    ]


def test_the_20_way_table_puts_ours_among_the_published_by_accuracy() -> None:
    (table,) = tables_of([measured(accuracy=0.93), measured("random", 0.05)]).in_order
    methods = [row[0] for row in table.rows]
    place = methods.index("models/koch:v1")
    assert methods[place - 1] == "Hierarchical BPL"
    assert methods[place + 1] == "Siamese ConvNet (Koch)"
    assert methods[-1] == "random"
    assert len(table.rows) == 15
    assert table.emphasised == {place}
    assert "30 background alphabets x 12 drawers, 10 x 4 to validate (split koch)" in table.rows[place][5]
    assert all(row[2] and row[5] and row[6] for row in table.rows)  # Protocol, training data, source: always said.


def test_the_sweep_has_a_column_for_train_and_test_and_baselines_on_test_only() -> None:
    (table,) = tables_of(sweep()).sweeps
    assert table.columns == ("ways", "koch:v1 on train", "koch:v1 on test", "random")
    assert table.rows[1] == ("5", "95.0 %", "95.0 %", "95.0 %")


def test_verification_stands_beside_the_papers_table() -> None:
    item = measured(accuracy=0.94, protocol="verification", ways=None, shots=None, equal_error_rate=0.06)
    (table,) = tables_of([item]).in_order
    assert [row[3] for row in table.rows[:6]] == ["90.6 %", "91.9 %", "91.5 %", "93.2 %", "91.6 %", "93.4 %"]
    assert table.rows[6][:4] == ("models/koch:v1", "90,000", "x 8", "94.0 %")


def test_mnist_stands_beside_the_papers_table() -> None:
    ours = measured(accuracy=0.75, protocol="between", ways=10)
    elsewhere = measured(accuracy=0.99, protocol="between", ways=10)
    table = tables_of([replace(ours, source="mnist"), elsewhere]).mnist
    assert table is not None
    assert "MNIST" in table.title
    assert [row[1] for row in table.rows] == ["75.0 %", "70.3 %", "26.5 %"]
    assert table.emphasised == {0}


def test_a_difference_on_the_same_trials_has_a_table_of_its_own() -> None:
    later = replace(measured("models/other:v1", 0.9), paired=compared(-0.02, (-0.04, 0.001), 0.0312))
    table = tables_of([measured(), later]).in_order[-1]
    assert table.title.startswith("Paired differences")
    assert table.rows[0][:6] == (
        "models/other:v1", "models/a:v1", "-2.0", "-4.0 to +0.1", "p = 0.031", "20-way 1-shot"
    )  # fmt: skip
    assert json.loads(as_json([later]))["results"][0]["paired"]["difference"] == -0.02
    names, values = (line.split("\t") for line in as_tsv([later]).splitlines())
    assert dict(zip(names, values, strict=True))["difference_high"] == "0.001"


def test_no_result_is_lost_in_tsv_and_json() -> None:
    items = [*sweep(), measured(accuracy=1 / 3)]
    lines = as_tsv(items).splitlines()
    assert len(lines) == 14
    names = lines[0].split("\t")
    assert float(lines[-1].split("\t")[names.index("accuracy")]) == 1 / 3
    loaded = json.loads(as_json(items))
    assert [row["accuracy"] for row in loaded["results"]] == [item.result.accuracy for item in items]
    assert {figure["method"] for figure in loaded["published"]["20-way"]} >= {"Humans", "BPL"}
    assert all(figure["source"] for figure in loaded["published"]["20-way"])


def test_markdown_has_equally_many_cells_in_every_line() -> None:
    lines = [line for line in as_markdown(tables_of([measured()]).in_order).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_the_sweep_has_the_share_of_every_cell_to_draw_its_curves_from() -> None:
    (table,) = tables_of(sweep()).sweeps
    assert table.shares[1] == (0.95, 0.95, 0.95)
    assert [len(shares) for shares in table.shares] == [len(table.columns) - 1] * len(table.rows)


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
SHARES = st.floats(0, 1)
RESULTS = st.builds(
    Result, model=NAMES, protocol=NAMES, on=NAMES, ways=st.none() | st.integers(1, 10**6),
    shots=st.none() | st.integers(1, 10**6), trials=st.integers(1, 10**9), correct=st.integers(0, 10**9),
    accuracy=SHARES, ci95=st.tuples(SHARES, SHARES), alphabets=st.integers(0, 50),
    threshold=st.none() | st.floats(allow_nan=False, allow_infinity=False), equal_error_rate=st.none() | SHARES,
    questions=st.none() | st.integers(1, 10**9),
)  # fmt: skip
READ = {"ways": int, "shots": int, "trials": int, "correct": int, "accuracy": float, "alphabets": int,
        "threshold": float, "equal_error_rate": float, "questions": int}  # fmt: skip


def as_text(cell: str) -> str:
    """Return what a cell of TSV holds as a text."""
    return cell.removeprefix("'")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "=cmd|' /C calc'!A0"])
def test_no_name_is_a_formula_and_numbers_stay_numbers(name: str) -> None:
    item = replace(measured(), source=name, paired=compared(-0.25, (-0.5, 0.0)))
    names, row = (line.split("\t") for line in as_tsv([item]).splitlines())
    cells = dict(zip(names, row, strict=True))
    assert cells["source"][0] == "'"
    assert as_text(cells["source"]) == name
    assert cells["difference"] == "-0.25"


@pytest.mark.parametrize("name", ["a\u202eb", "a\u2066b", "a\x1b[31mb", "a\x07b", "a\u200fb"])
def test_no_name_turns_or_colours_what_is_read_in_markdown(name: str) -> None:
    text = as_markdown([Table("Title", (name, "x"), ((name, "1"),), (name,))])
    assert name not in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)


@given(RESULTS, NAMES, st.integers(0, 2**63), st.floats(-1, 1), st.none() | SHARES)
def test_every_field_of_every_result_comes_back_from_tsv_and_json(
    result: Result, source: str, seed: int, difference: float, mcnemar_p: float | None
) -> None:
    paired = compared(difference, (-1.0, difference), mcnemar_p)
    item = Measured(result, "evals/e:v1", "pairs/p:v1", source, seed, "cpu", TrainedOn(**TRAINED), paired)
    names, row, end = (line.split("\t") for line in as_tsv([item]).split("\n"))
    assert end == [""]
    cells = dict(zip(names, row, strict=True))
    ends = float(cells.pop("ci95_low")), float(cells.pop("ci95_high"))
    reach = float(cells.pop("difference_low")), float(cells.pop("difference_high"))
    assert (cells.pop("against"), float(cells.pop("difference")), reach) == ("models/a:v1", difference, paired.ci95)
    assert cells.pop("mcnemar_p") == ("" if mcnemar_p is None else str(mcnemar_p))
    around = {name: cells.pop(name) for name in ("data", "source", "seed", "device", "evaluation", "trained_on")}
    values: dict[str, Any] = {name: READ.get(name, as_text)(text) if text else None for name, text in cells.items()}
    assert Result(ci95=ends, **values) == result
    assert (as_text(around["source"]), int(around["seed"]), json.loads(around["trained_on"])) == (source, seed, TRAINED)
    (loaded,) = json.loads(as_json([item]))["results"]
    fields = {field.name: loaded.pop(field.name) for field in dataclass_fields(Result)}
    assert Result(**{**fields, "ci95": tuple(fields["ci95"])}) == result
    assert loaded == {"evaluation": "evals/e:v1", "data": "pairs/p:v1", "source": source, "seed": seed, "device": "cpu",
                      "trained_on": TRAINED,
                      "paired": {"against": "models/a:v1", "difference": difference, "ci95": [-1.0, difference],
                                 "mcnemar_p": mcnemar_p}}  # fmt: skip


def test_markdown_shows_names_as_they_are_and_figures_below_each_other() -> None:
    table = Table(
        "On <b>my|data</b>", ("method", "accuracy"), (("a|b*c*", "95.0 %"), ("`x`\ny", "5.5 %")), ("[link](x) #1",),
        frozenset({1}),
    )  # fmt: skip
    assert as_markdown([table]).splitlines() == [
        r"### On \<b\>my\|data\</b\>",
        "",
        "| method | accuracy |",
        "| --- | ---: |",
        r"| a\|b\*c\* | 95.0 % |",
        r"| **\`x\` y** | **5.5 %** |",
        "",
        r"\[link\](x) \#1",
    ]


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        (("1", "20", "1,000"), True),
        (("95.0 %", "", "100.0 %"), True),
        (("95.0-97.5", ""), True),
        (("+1.0", "-0.5"), True),
        (("-1.0 to +2.5",), True),
        (("13.4 MB", "89.6 s"), True),
        (("90,000", "on the fly"), False),
        (("", ""), False),
        (("2026-11-22 09:53:32",), False),
        (("x 8", "none"), False),
    ],
)
def test_a_column_of_figures_is_known_from_its_cells(cells: tuple[str, ...], numeric: bool) -> None:
    assert Table("", ("a",), tuple((cell,) for cell in cells)).numeric == (frozenset({0}) if numeric else frozenset())


@pytest.mark.parametrize("gate", ["20-way=0.92", "20-way=.5", "20-way=0"])
def test_a_gate_that_is_met_says_so(gate: str) -> None:
    assert "models/koch:v1 92.0 %" in check_gate([measured()], parse_gate(gate))


def test_a_gate_that_is_not_met_fails() -> None:
    with pytest.raises(QualityGateError, match=r"below 95\.0 %: models/koch:v1 92\.0 % \(lake\)"):
        check_gate([measured(), measured(accuracy=0.99, protocol="within")], parse_gate("lake:20-way=0.95"))
    with pytest.raises(QualityGateError, match="within"):
        check_gate([measured(), measured(accuracy=0.5, protocol="within")], parse_gate("20-way=0.9"))


def test_a_gate_says_how_much_was_asked() -> None:
    said = check_gate([measured(trials=10_000, questions=160)], parse_gate("20-way=0.9"))
    assert said.endswith("models/koch:v1 92.0 % (lake), 90.0-94.0 by 10,000 (160 different) trials")


def test_a_number_of_trials_that_repeat_stands_beside_the_different_ones() -> None:
    for changes in ({}, {"protocol": "within"}, {"protocol": "verification", "ways": None, "shots": None}):
        table = tables_of([measured(trials=10_000, questions=160, **changes)]).in_order[0]
        assert any("10,000 (160 different)" in row for row in table.rows)
    wide = [replace(item, result=replace(item.result, trials=500, questions=499)) for item in sweep()]
    assert any("500 (499 different) trials" in note for note in tables_of(wide).sweeps[0].notes)
    assert "different" not in str(tables_of([measured(questions=400)]).in_order)


def test_baselines_and_training_images_pass_no_gate() -> None:
    with pytest.raises(UsageError, match="no network was measured"):
        check_gate([measured("random", 0.99), measured(accuracy=0.99, on="train")], parse_gate("20-way=0.9"))


@pytest.mark.parametrize("gate", ["20-way", "20=0.9", "20-way=90", "20-way=-1", "0-way=0.5", "=0.9", "on:20-way=0.9"])
def test_a_gate_that_cannot_be_read_is_refused(gate: str) -> None:
    with pytest.raises(UsageError):
        check_gate([measured()], parse_gate(gate))
