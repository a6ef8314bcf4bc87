"""What a message, a hint or a help text advises can be done: its commands parse, its options and settings exist."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from omnishot.config import TrainSettings
from omnishot.errors import OmnishotError
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import check, with_changes
from omnishot.strict_yaml import read_yaml
from omnishot.vocabulary import BUILT_IN_SOURCES
from tests.test_documented_commands import COMMANDS, parse

ROOT = Path(__file__).parents[1]
OF_OTHER_PROGRAMS = {"--nproc-per-node": "torchrun"}
FILLED_IN = "1"
"""Stands where a message puts a value."""

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)(?:[= ]([A-Za-z0-9][\w.:/=|-]*))?")
COMMAND = re.compile(r"`(omnishot [^`]+)`|^(omnishot .+)", re.MULTILINE)
SETTING = re.compile(r"--set ([a-z_.]+)(?:=([\w.]+))?|\b((?:objective|optimizer|schedule|architecture|log)\.[a-z_]+)")
ENGLISH = {"and", "or", "both", "is", "are", "say", "says", "for", "compares", "cannot", "stands"}
"""Words that may follow an option that is spoken of, and are no value for it."""


@dataclass(frozen=True)
class Text:
    """A text of the program: where it is, and how it reads with values filled in."""

    module: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "omnishot").rglob("*.py"))}


def texts_in(module: str) -> Iterator[Text]:
    """Yield the texts of a module, but for what describes its code, and for single words of a command line."""
    tree = MODULES[module]
    seen: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            seen.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            seen.update(id(part) for part in node.values if isinstance(part, ast.Constant))
            parts = [part.value if isinstance(part, ast.Constant) else FILLED_IN for part in node.values]
            yield Text(module, node.lineno, "".join(map(str, parts)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in seen:
            yield Text(module, node.lineno, node.value)


ALL = [text for module in MODULES for text in texts_in(module)]
ADVICE = [text for text in ALL if " " in text.words.strip() and ("--" in text.words or "omnishot " in text.words)]
SETTINGS = [text for text in ALL if " " in text.words.strip() and SETTING.search(text.words)]


@cache
def imported_by(module: str) -> frozenset[str]:
    """Return the modules that one imports, at once or when it needs them, and what those import."""
    found, queue = {module}, [module]
    while queue:
        for node in ast.walk(MODULES[queue.pop()]):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                new = {name for name in names if name in MODULES} - found
                found |= new
                queue += new
    return frozenset(found)


def commands_reaching(module: str) -> dict[str, Any]:
    """Return the commands that may print what a module says."""
    return {name: command for name, command in COMMANDS.items() if module in imported_by(command.callback.__module__)}


def options_of(command: Any) -> dict[str, Any]:
    return {option: parameter for parameter in command.params for option in parameter.opts}


def typed(command: str) -> list[str]:
    """Return the words of a command line, with a value for every word in capitals."""
    words = [re.sub(r"^[A-Z]+$|(?<==)[A-Z]+$", FILLED_IN, word) for word in shlex.split(command)][1:]
    options = options_of(COMMANDS[words[0]]) if words[0] in COMMANDS else {}
    for number, (word, value) in enumerate(pairwise(words), 1):
        if value == FILLED_IN and word in options and (choices := choices_of(options[word])):
            words[number] = choices[0]
    return words


def choices_of(parameter: Any) -> tuple[str, ...]:
    annotation = parameter.type_descriptor.annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def commands_in(text: Text) -> list[list[str]]:
    """Return the command lines in a text, with a value for every word in capitals."""
    return [typed(quoted or bare) for quoted, bare in COMMAND.findall(text.words)]


@pytest.mark.parametrize("text", [text for text in ADVICE if COMMAND.search(text.words)], ids=str)
def test_a_command_that_is_advised_can_be_typed(text: Text) -> None:
    for words in commands_in(text):
        if words != [FILLED_IN] and "--help" not in words:  # The command's name is a value.
            parse(words)


@pytest.mark.parametrize("text", [text for text in ADVICE if "--" in COMMAND.sub("", text.words)], ids=str)
def test_an_option_that_is_named_is_one_of_a_command_that_can_say_so_and_takes_that_value(text: Text) -> None:
    reaching = [*(commands_reaching(text.module) or COMMANDS).values()]
    reaching += [COMMANDS[words[0]] for words in commands_in(text) if words[0] in COMMANDS]
    for option, value in OPTION.findall(COMMAND.sub("", text.words)):
        if option in OF_OTHER_PROGRAMS:
            assert OF_OTHER_PROGRAMS[option] in text.words
            continue
        having = [options_of(command)[option] for command in reaching if option in options_of(command)]
        assert having, f"no command that gets here has {option}"
        value = value.rstrip(".:")
        if value and value not in ENGLISH and not value.isupper() and FILLED_IN not in value:
            assert any(takes(parameter, option, value) for parameter in having), f"{option} {value}"


def takes(parameter: Any, option: str, value: str) -> bool:
    if option == "--preset":
        return value in preset_names()
    if option == "--source":
        return value in {*BUILT_IN_SOURCES, "auto"}
    choices = choices_of(parameter)
    return not choices or all(part in choices for part in value.split("|"))


@pytest.mark.parametrize("text", SETTINGS, ids=str)
def test_a_setting_that_is_named_exists_and_takes_that_value(text: Text) -> None:
    for key, value, alone in SETTING.findall(text.words):
        name = (key or alone).rstrip(".")
        assert any(accepts(preset, name, value.rstrip(".")) for preset in preset_names()), f"{name} {value}"


def accepts(preset: str, name: str, value: str) -> bool:
    """Tell whether a setting is one that acts with a preset, and can have a value."""
    values: Any = read_yaml(preset_text(preset), origin=preset)
    if not value or value == FILLED_IN or value.isupper():
        place = check(TrainSettings, values, origin=preset).model_dump()
        for part in name.split("."):
            if part not in place:
                return False
            place = place[part]
        return True
    try:
        check(TrainSettings, with_changes(values, [f"{name}={value}"]), origin=preset)
    except OmnishotError:
        return False
    return True


def test_what_is_advised_is_found() -> None:
    assert len(ADVICE) > 100
    assert len(SETTINGS) > 10
    assert {"prepare", "run"} <= set(commands_reaching("omnishot.data.pairs"))
    assert "ls" not in commands_reaching("omnishot.training.loop")
    with pytest.raises(Exception, match=r"(?i)no such option"):
        parse(typed("omnishot train --pears N"))


def test_what_is_to_be_installed_is_what_the_extras_name() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    told = [text.words for text in ALL if "pip install" in text.words]
    assert told
    for words in told:
        packages, _, in_a_clone = words.partition("pip install -e")
        (extra,) = re.findall(r"'\.\[(\w+)\]'", in_a_clone)
        assert extras[extra] == re.findall(r"'([^']+)'", packages)
