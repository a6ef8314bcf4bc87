"""Every command has the same options and one session, whose store is opened only where it is asked for."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.cli.session import Session, with_session
from omnishot.errors import UsageError

EVERYWHERE = {"--store", "--json", "--quiet", "-q", "--verbose", "-v", "--no-progress"}
WAITING = {"prepare", "train", "eval", "run", "gc", "enroll", "calibrate", "gallery remove"}


def commands(group: Any, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= commands(command, *names, name) if inner else {" ".join((*names, name)): command}
    return found


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_options_and_lists_them(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert options >= EVERYWHERE
    assert ("--wait-for-lock" in options) == (name in WAITING)
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200"}).stdout
    for option in EVERYWHERE:
        assert f" {option} " in shown


def test_a_command_gets_its_own_options_and_a_session() -> None:
    got: list[tuple[Session, int]] = []

    @with_session()
    def command(session: Session, number: Annotated[int, typer.Option("--number")] = 3) -> None:
        got.append((session, number))

    tried = typer.Typer()
    tried.command()(command)
    done = CliRunner().invoke(tried, ["--json", "--store", "elsewhere", "--number", "5"], catch_exceptions=False)
    assert done.exit_code == 0
    ((session, number),) = got
    assert (number, session.folder, session.console.as_json) == (5, Path("elsewhere"), True)
    assert "session" not in inspect.signature(command).parameters


def session(folder: Path) -> Session:
    return Session(store=folder, quiet=True)


def test_the_store_is_opened_once_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unused = session(tmp_path / "file")
    with pytest.raises(UsageError, match="is not a folder"):
        unused.store.artifacts()
    used = session(tmp_path / "artifacts")
    assert used.store is used.store
    assert not used.folder.exists()


def test_an_empty_argument_is_no_reference(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The reference is empty"):
        session(tmp_path).find("", "pairs")
    assert session(tmp_path).find(None, "pairs") is None
    assert session(tmp_path).find_all([], "models") is None


def test_a_process_that_another_one_leads_has_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(UsageError, match="torchrun is for `omnishot train` alone"):
        session(tmp_path).store.artifacts()
