"""`omnishot report` writes a page where it is asked for one."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.errors import NotFoundError
from omnishot.store.store import Store

pytestmark = pytest.mark.slow


def test_a_name_that_ends_in_html_is_a_page_and_stdout_has_the_same_bytes(
    evaluated_store: Path, tmp_path: Path
) -> None:
    where = ["--store", str(evaluated_store)]
    written = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "Page.HTML"), *where])
    printed = CliRunner().invoke(app, ["report", "--format", "html", *where])
    assert (written.exit_code, written.stdout, printed.exit_code) == (0, "", 0)
    text = (tmp_path / "Page.HTML").read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert printed.stdout == text
    assert "quick:v1" in text


def test_names_cannot_turn_the_direction_of_a_page(evaluated_store: Path) -> None:
    from omnishot.cli.console import Console
    from omnishot.cli.report import page_of
    from omnishot.store.store import Store

    console = Console(as_json=False, quiet=True, verbose=False, no_progress=True)
    store = Store(evaluated_store.parent / "art\u202efacts")
    evaluations = Store(evaluated_store).artifacts("evals")
    text = page_of(console, store, evaluations).html
    assert "\u202e" not in text
    assert r"art\u202efacts" in text


def test_where_a_report_cannot_go_is_said_before_it_is_made(evaluated_store: Path, tmp_path: Path) -> None:
    def refused(out: Path) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["report", "--store", str(evaluated_store), "--out", str(out)])
        return done.exit_code, str(done.exception)

    code, said = refused(tmp_path / "report.docx")
    assert (code != 0, "ends in none of .md" in said) == (True, True)
    code, said = refused(tmp_path / "nowhere" / "report.md")
    assert (code != 0, f"There is no folder {tmp_path / 'nowhere'}" in said) == (True, True)


def test_a_name_of_another_kind_is_said_to_be_one(evaluated_store: Path) -> None:
    store = Store(evaluated_store)
    model = store.newest("models").manifest.name
    with pytest.raises(NotFoundError) as refused:
        store.find(model, "pairs")
    assert "It is one of the models, but pairs are needed here" in str(refused.value.hint)


def test_presets_are_listed_with_a_whole_sentence_each() -> None:
    lines = CliRunner().invoke(app, ["presets"]).stdout.splitlines()
    assert len(lines) == 10
    assert all(re.fullmatch(r"[a-z0-9-]+ {2,}[A-Z].*\.", line) for line in lines)
    assert next(line for line in lines if line.startswith("bouma2017")).count("Bouma 2017") == 1
