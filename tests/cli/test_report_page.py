"""`omnishot report` writes a page where it is asked for one."""

from pathlib import Path

from typer.testing import CliRunner

from omnishot.cli.app import app


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
    from omnishot.artifacts.store import Store
    from omnishot.cli.console import Console
    from omnishot.cli.report import page_text

    console = Console(as_json=False, quiet=True, verbose=False, no_progress=True)
    store = Store(evaluated_store.parent / "art\u202efacts")
    evaluations = Store(evaluated_store).artifacts("evals")
    text = page_text(console, store, evaluations)
    assert "\u202e" not in text
    assert r"art\u202efacts" in text
