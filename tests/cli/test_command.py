"""Nothing that is typed empty is taken for absent, and hints say where their options belong."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from omnishot.cli.app import app
from omnishot.cli.command import Command
from omnishot.errors import UsageError
from omnishot.settings_text import with_changes
from tests.test_documented_commands import COMMANDS, README, blocks, command_lines

GROUP: Any = typer.main.get_command(app)


def needed_by(command: Any, *, besides: Any) -> list[str]:
    """Return what a command cannot do without, so that nothing else is wrong with its line."""
    return [
        word
        for parameter in command.params
        if parameter.required and parameter is not besides
        for word in ([parameter.opts[0], "1"] if parameter.param_type_name == "option" else ["one"])
    ]


WORDS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False)
]


@pytest.mark.parametrize("empty", ["", " \t"])
@pytest.mark.parametrize(("name", "parameter"), WORDS, ids=lambda value: getattr(value, "name", value))
def test_an_empty_word_is_refused_by_its_name(name: str, parameter: Any, empty: str) -> None:
    words = [*name.split(), *needed_by(COMMANDS[name], besides=parameter)]
    for given in [[option, empty] for option in parameter.opts] if parameter.param_type_name == "option" else [[empty]]:
        with pytest.raises(UsageError, match=r"is empty; a failed \$\(…\) may have emptied it") as refused:
            app([*words, *given], standalone_mode=False)
        assert any(option in str(refused.value) for option in parameter.opts) or "The argument" in str(refused.value)


def test_one_empty_word_among_others_is_refused() -> None:
    for words in (["eval", "one", ""], ["report", "", "one"], ["train", "--set", "epochs=1", "--set", ""]):
        with pytest.raises(UsageError, match="is empty"):
            app(words, standalone_mode=False)
    with pytest.raises(UsageError, match="'epochs=' gives no value; a failed"):
        with_changes({}, ["epochs="])


def test_every_command_is_walked() -> None:
    assert all(isinstance(command, Command) for command in COMMANDS.values())
    assert {name for name, _ in WORDS} == set(COMMANDS)
    assert len(WORDS) > 80


@pytest.mark.parametrize("variable", ["OMNISHOT_STORE", "OMNISHOT_DATA"])
def test_an_empty_variable_is_refused(omnishot: Any, tmp_path: Path, variable: str) -> None:
    outcome = omnishot("doctor", **{"OMNISHOT_STORE": str(tmp_path), variable: ""})
    assert outcome.code == 2
    assert outcome.err.startswith(f"omnishot: {variable} is empty; a failed $(…) may have emptied it\n")
    assert outcome.out == ""


def test_an_option_stands_before_an_empty_variable_and_help_before_everything(omnishot: Any, tmp_path: Path) -> None:
    assert omnishot("ls", "--store", tmp_path, OMNISHOT_STORE="").code == 0
    assert omnishot("train", "", "--help").code == 0


@pytest.mark.parametrize(("hint", "more"), [
    ("Lower --ways or --pairs.", " --ways is an option of `omnishot eval`."),
    ("Lower --ways or --pairs; see `omnishot eval --shots 1`.", ""),
])  # fmt: skip
def test_a_hint_says_whose_its_options_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hint: str, more: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UsageError("Too few", hint=hint)

    monkeypatch.setattr("omnishot.stages.training_settings.choose_training", fail)
    with pytest.raises(UsageError) as raised:
        app(["run", "--store", str(tmp_path)], standalone_mode=False)
    assert raised.value.hint == hint + more


STUB = """#!/bin/bash
echo "$1" >> "$CALLS"
[[ $1 != "$FAILS" ]] || exit 4
if [[ $* == *--json* ]]; then echo '{"code": {"models": "0"}}'; else echo "$1/x:v1"; fi
"""
EXAMPLES = Path(__file__).parents[2] / "examples"
GUIDES = [README, *(path.read_text("utf-8") for path in sorted(EXAMPLES.glob("*.md")))]
CHAINS = [line for text in GUIDES for block in blocks(text) for line in block.splitlines() if "$(omnishot" in line]
SCRIPTS = [path for path in sorted(EXAMPLES.glob("*/*.sh")) if path.name != "options.sh"]


def calls_of(bash: list[str], folder: Path, failing: str) -> tuple[int, list[str]]:
    """Return the exit code of a script, and the commands that it ran, where one of them always fails."""
    (folder / "omnishot").write_text(STUB)
    (folder / "omnishot").chmod(0o755)
    variables = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "FAILS": failing,
        "CALLS": str(folder / "calls"),
        "HOME": str(folder),
    }
    done = subprocess.run(["bash", *bash], check=False, capture_output=True, env=variables)
    return done.returncode, (folder / "calls").read_text().split()


@pytest.mark.parametrize(("chain", "failing"), [(line, words[0]) for line in CHAINS for words in command_lines(line)])
def test_a_chain_in_a_document_ends_where_a_stage_fails(chain: str, failing: str, tmp_path: Path) -> None:
    code, calls = calls_of(["-c", chain], tmp_path, failing)
    assert code == 4
    assert calls[-1] == failing


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
@pytest.mark.parametrize("failing", ["prepare", "train", "eval"])
def test_a_script_ends_where_a_stage_fails(script: Path, failing: str, tmp_path: Path) -> None:
    # In a copy: beside the scripts there may be a .venv, whose program they would take.
    copied = shutil.copytree(EXAMPLES, tmp_path / "clone" / "examples", ignore=shutil.ignore_patterns("*.md"))
    code, calls = calls_of([str(copied / script.relative_to(EXAMPLES))], tmp_path, failing)
    assert code == 4
    assert set(calls[calls.index(failing) :]) == {failing}


def test_chains_are_found() -> None:
    assert len(CHAINS) >= 3
    assert {path.name for path in SCRIPTS} >= {"check.sh", "tables.sh", "worth.sh", "within.sh"}
