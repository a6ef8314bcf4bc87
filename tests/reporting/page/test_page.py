"""The page says what the JSON says, and what is missing with the command that makes it."""

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.progress import silent
from omnishot.reporting.formats import as_json
from omnishot.reporting.page.page import make_page
from omnishot.reporting.results import choose_evaluations, measured_in
from omnishot.store import digests
from omnishot.store.manifest import file_digest
from omnishot.store.store import Store
from omnishot.wording import percent
from tests.forging import forge

pytestmark = pytest.mark.slow


@dataclass
class Page(HTMLParser):
    """What a reader finds on a page.

    Attributes:
        tables: Rows of cells, the headings first, by the title of the table.
        figures: Value and text of the figures that stand out.
        alts: Alternative texts of the pictures.
        missing: What is said to be missing, by the command that makes it.
        ids: Every id.
    """

    text: str
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    figures: list[tuple[float, str]] = field(default_factory=list)
    alts: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._said, self._title, self._is_missing, self._value = "", "", False, 0.0
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "svg":
            self.alts.append(given["aria-label"])
        if tag == "tr":
            self.tables.setdefault(self._title, []).append([])
        if tag == "data":
            self._value = float(given["value"])
        if tag == "div" and given.get("class") == "missing":
            self._is_missing = True
        if tag in {"th", "td", "h3", "data", "p", "pre"}:
            self._said = ""

    def handle_data(self, data: str) -> None:
        self._said += data

    def handle_endtag(self, tag: str) -> None:
        said = self._said.strip()
        if tag == "h3":
            self._title = said
        elif tag in {"th", "td"}:
            self.tables[self._title][-1].append(said)
        elif tag == "data":
            self.figures.append((self._value, said))
        elif tag == "p" and self._is_missing:
            self._what = said
            self.missing[said] = ""
        elif tag == "pre" and self._is_missing:
            self.missing[self._what], self._is_missing = said, False

    def table(self, title: str) -> list[dict[str, str]]:
        """Return the rows of the table whose title begins so."""
        columns, *rows = next(rows for name, rows in self.tables.items() if name.startswith(title))
        return [dict(zip(columns, row, strict=True)) for row in rows]


def page_of(store: Store, *references: str) -> Page:
    return Page(make_page(store, choose_evaluations(store, list(references)), silent).html)


@pytest.fixture
def store(evaluated_store: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(evaluated_store, tmp_path / "artifacts"))


@pytest.fixture(scope="module")
def whole(evaluated_store: Path) -> Page:
    return page_of(Store(evaluated_store))


@pytest.fixture(scope="module")
def results(evaluated_store: Path) -> list[dict[str, object]]:
    measured = measured_in(choose_evaluations(Store(evaluated_store), []))
    rows: list[dict[str, object]] = json.loads(as_json(measured))["results"]
    return rows


def one(results: list[dict[str, object]], **wanted: object) -> float:
    (found,) = [row for row in results if all(row[name] == value for name, value in wanted.items())]
    return float(str(found["accuracy"]))


def test_figures_that_stand_out_are_the_jsons_unrounded(whole: Page, results: list[dict[str, object]]) -> None:
    known = {value for row in results for value in (row["accuracy"], *row["ci95"])}  # type: ignore[misc]
    assert len(whole.figures) == 9  # Three networks' results on test images, each with its interval.
    for value, text in whole.figures:
        assert value in known
        assert text == percent(value)


def test_every_cell_of_the_sweep_is_the_jsons(whole: Page, results: list[dict[str, object]]) -> None:
    rows = whole.table("N-way one-shot accuracy")
    columns = {
        "quick:v1 on train": ("models/quick:v1", "train"),
        "quick:v1 on test": ("models/quick:v1", "test"),
        "nearest-neighbour": ("nearest-neighbour", "test"),
        "random": ("random", "test"),
    }
    assert [row["ways"] for row in rows] == ["1", "2", "3", "4", "5"]
    for row in rows:
        for name, (model, on) in columns.items():
            accuracy = one(results, model=model, on=on, ways=int(row["ways"]), protocol="within")
            assert row[name] == percent(accuracy)
            if row["ways"] == "5":  # The chart says in words where its curves end.
                assert re.search(rf"{name} goes from \S+ % at 1 to {re.escape(percent(accuracy))} at 5", whole.alts[0])


def test_every_figure_of_the_other_tables_is_the_jsons(whole: Page, results: list[dict[str, object]]) -> None:
    for row in whole.table("Every network"):
        ways = int(row["task"].partition("-way")[0]) if "way" in row["task"] else None
        task = {"protocol": row["protocol"], "on": row["on"], "ways": ways}
        assert row["accuracy"] == percent(one(results, model=row["network"], **task))
        if row["nearest neighbour"]:
            assert row["nearest neighbour"] == percent(one(results, model="nearest-neighbour", **task))
    assert len(whole.table("Every network")) == 4
    (verified,) = whole.table("Verification accuracy")
    assert verified["accuracy"] == percent(one(results, protocol="verification"))


def test_intervals_of_the_summary_are_the_jsons(whole: Page, results: list[dict[str, object]]) -> None:
    for row in whole.table("Every network"):
        ways = int(row["task"].partition("-way")[0]) if "way" in row["task"] else None
        wanted = {"model": row["network"], "protocol": row["protocol"], "on": row["on"], "ways": ways}
        (found,) = [result for result in results if all(result[name] == value for name, value in wanted.items())]
        low, high = map(float, re.findall(r"[0-9.e-]+", str(found["ci95"])))
        assert low < high
        assert row["95 % interval"] == f"{100 * low:.1f}-{100 * high:.1f}"


def test_the_epoch_that_was_kept_is_the_best_of_the_history(whole: Page, evaluated_store: Path) -> None:
    lines = (evaluated_store / "models/quick/v1/history.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    best = max(epochs, key=lambda epoch: (epoch["validation_accuracy"], epoch["epoch"]))["epoch"]
    (row,) = [row for row in whole.table("How it was trained") if row["training"] == "epoch that was kept"]
    assert row["models/quick:v1"] == str(best)
    assert any(f"the weights of epoch {best} were kept" in alt for alt in whole.alts)


def test_speeds_of_the_training_are_in_the_units_they_are_said_in(whole: Page, evaluated_store: Path) -> None:
    summary = yaml.safe_load((evaluated_store / "models/quick/v1/manifest.yaml").read_text())["summary"]
    rows = {row["training"]: row["models/quick:v1"] for row in whole.table("What training took")}
    assert min(summary["flops_per_second"], summary["matmul_flops_per_second"]) > 1e6
    assert rows["GFLOP/s of a matrix product here"] == f"{summary['matmul_flops_per_second'] / 1e9:,.0f}"
    assert rows["GFLOP/s"] == f"{summary['flops_per_second'] / 1e9:,.0f}"
    assert rows["pairs per second"] == f"{summary['pairs_per_second']:,.0f}"


def test_alphabets_add_up_to_the_jsons_figure(whole: Page, results: list[dict[str, object]]) -> None:
    (said,) = [alt for alt in whole.alts if alt.startswith("Accuracy by alphabet")]
    shares = [(float(share), int(trials)) for share, trials in re.findall(r"([0-9.]+) % of ([0-9]+)", said)]
    correct = sum(round(share / 100 * trials) for share, trials in shares)
    assert sum(trials for _, trials in shares) == 100
    assert correct / 100 == one(results, model="models/quick:v1", protocol="within", on="test", ways=5)


def test_there_are_pictures_of_everything_that_was_measured(whole: Page) -> None:
    assert [alt.split()[0] for alt in whole.alts[:3]] == ["Accuracy", "Over", "Accuracy"]  # Sweep, training, alphabets.
    assert any("equal error rate" in alt for alt in whole.alts)
    assert any("mistakes" in alt for alt in whole.alts)
    assert any("median" in alt for alt in whole.alts)


def test_no_id_comes_twice_and_every_link_leads_to_one(whole: Page) -> None:
    assert len(set(whole.ids)) == len(whole.ids)
    targets = re.findall(r'href="#([^"]+)"', whole.text)
    assert set(targets) <= set(whole.ids)
    assert not [link for link in re.findall(r'(?:href|src)="([^#][^"]*)"', whole.text) if not link.startswith("data:")]


def test_only_the_papers_data_is_missing_where_all_was_measured(whole: Page) -> None:
    assert sorted(line.partition(" --store")[0] for line in whole.missing.values()) == [
        "omnishot eval models/quick:v1 --source mnist --protocol within --ways 10 --trials 400",
        "omnishot eval models/quick:v1 --source omniglot --protocol lake --ways 20",
    ]


def test_the_footer_prints_the_same_rows(store: Store) -> None:
    page = page_of(store, "quick-between", "quick-verification")
    (line,) = re.findall("<footer>.*<code>(.*)</code>.*</footer>", page.text, re.DOTALL)
    done = CliRunner().invoke(app, shlex.split(unescape(re.sub("<[^>]*>", "", line)))[1:])
    assert [row["evaluation"] for row in json.loads(done.stdout)["results"]] == [
        *["evals/quick-between:v1"] * 3,
        "evals/quick-verification:v1",
    ]


def follow(store: Store, line: str, folder: Path) -> None:
    """Run what the page says."""
    for step in line.split(" &&\n"):
        words = shlex.split(step.replace(" PATH ", f" {folder} "))
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, (step, done.output)


def remove(store: Store, *references: str) -> None:
    for reference in references:
        kind, name, version = re.split("[/:]", reference)
        path = store.root / kind / name / version
        for file in path.iterdir():
            file.unlink()
        path.rmdir()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (
            ["evals/quick-within:v1"],
            ["models/quick:v1 was not measured on test images.", "nearest-neighbour and random: not measured on these"],
        ),
        (
            ["evals/quick-within-train:v1", "evals/quick-verification:v1"],
            [
                "models/quick:v1 was not measured on train images.",
                "Koch's table 1: nothing was measured at verification.",
                "models/quick:v1 was not measured at verification, so that",
            ],
        ),
        (
            ["evals/quick-within:v1", "evals/quick-within-train:v1"],
            ["Nothing was measured at several numbers of ways."],
        ),
        (
            ["evals/quick-within:v1", "pairs/scripts-60-affine1:v1"],
            [
                "pairs/scripts-60-affine1:v1 is no longer in the store. To make",
                "models/quick:v1 was not measured on test images.",
            ],
        ),
    ],
    ids=["test side", "train side and verification", "sweep", "pair dataset"],
)
def test_what_is_missing_is_said_with_the_command_that_makes_it(
    store: Store, picture_folder: Path, gone: list[str], said: list[str]
) -> None:
    remove(store, *gone)
    missing = page_of(store, *_kept(store)).missing
    for beginning in said:
        (line,) = {line for what, line in missing.items() if what.startswith(beginning)}
        follow(store, line, picture_folder)
    left = page_of(store).missing
    assert not [what for what in left if what.startswith(tuple(said))]


def _kept(store: Store) -> list[str]:
    return [str(artifact.reference) for artifact in store.artifacts("evals")]


def test_a_model_that_is_gone_leaves_its_figures(store: Store, whole: Page) -> None:
    remove(store, "models/quick:v1")
    page = page_of(store)
    assert page.figures == whole.figures
    line = page.missing["models/quick:v1 is no longer in the store. To make it again:"]
    assert line.startswith("omnishot train pairs/scripts-60-affine1:v1 --preset quick")
    assert any("training curves" in what for what in page.missing)


def test_a_model_without_a_history_says_so(store: Store) -> None:
    forge(store.root / "models/quick/v1", lambda manifest: manifest["files"].pop("history.jsonl"))
    parent = store.find("models/quick").as_parent().model_dump()
    for folder in (store.root / "evals").glob("*/v1"):
        forge(folder, lambda manifest: manifest["parents"].__setitem__(0, parent))
    line = page_of(store).missing["models/quick:v1 has no training history. To train it again:"]
    assert line.startswith("omnishot train pairs/scripts-60-affine1:v1 --preset quick --set ")
    assert line.endswith(" --force")


@pytest.mark.parametrize("name", ["models/quick/v1/history.jsonl", "evals/quick-within/v1/scores.h5"])
def test_a_damaged_file_takes_nothing_else_from_the_page(store: Store, whole: Page, name: str) -> None:
    path = store.root / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    page = page_of(store)
    assert any("damaged" in what and path.name in what for what in page.missing)
    assert page.figures == whole.figures


def test_baselines_alone_are_reported_too(store: Store, picture_folder: Path) -> None:
    remove(store, *_kept(store), "models/quick:v1")
    follow(store, f"omnishot eval --protocol within --ways 1..4 --trials 50 --store {store.root}", picture_folder)
    page = page_of(store)
    assert next(iter(page.missing)).startswith("No network was measured, only baselines.")
    assert [row["ways"] for row in page.table("N-way one-shot accuracy")] == ["1", "2", "3", "4"]


def test_a_split_that_holds_nothing_out_cannot_be_verified_and_says_why(store: Store) -> None:
    remove(store, "evals/quick-verification:v1")
    for path in (store.root / "evals").glob("*/v1/summary.json"):
        path.chmod(0o644)
        path.write_text(re.sub(r'"validation_alphabets": \d+', '"validation_alphabets": 0', path.read_text()))
        entries = {"summary.json": {"sha256": file_digest(path), "size": path.stat().st_size}}
        forge(path.parent, partial(_with_files, entries))
    page = page_of(store)
    (what,) = [what for what in page.missing if what.startswith("Koch's table 1")]
    assert "this split holds none" in what
    assert page.missing[what].startswith("omnishot run --split koch")


def _with_files(entries: Mapping[str, object], manifest: dict[str, Any]) -> None:
    manifest["files"].update(entries)


def test_no_file_is_hashed_twice_for_a_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def counting(path: Path) -> str:
        hashed.append(path)
        return file_digest(path)

    monkeypatch.setattr(digests, "file_digest", counting)
    monkeypatch.setattr(digests, "_SETTLED_NANOSECONDS", 0)  # The fixture has copied them a moment ago.
    page_of(store)
    assert len(hashed) == len(set(hashed)) > 8


def test_an_artifact_of_the_first_format_has_a_page(tmp_path: Path) -> None:
    golden = Path(__file__).parents[2] / "golden" / "v1"
    page = page_of(Store(shutil.copytree(golden, tmp_path / "artifacts")))
    assert (0.75, "75.0 %") in page.figures
    assert any(alt.startswith("Over 1 epoch the loss") for alt in page.alts)
