"""Every command line in README, the guides and the help can be typed, and the chain that README opens with runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from omnishot.cli.app import app
from omnishot.config import TrainSettings
from omnishot.presets import preset_text
from omnishot.settings_text import check, with_changes
from omnishot.strict_yaml import read_yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDES = {path.name: path.read_text("utf-8") for path in sorted(ROOT.glob("examples/*.md")) if path.name != "LOG.md"}
SCRIPT = ROOT / "examples" / "ci" / "check.sh"
GROUP: Any = typer.main.get_command(app)
BLOCK = re.compile(r"^```\w*\n(.*?)^```|((?:^ {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
ENDS = {"|", "&&", ";", "||"}
SUBSTITUTED = """
# Only sizes and sources differ from what README says: the last of two equal options counts.
omnishot() {
    local command=$1
    shift
    case $command in
        prepare) set -- "$@" --source "$PICTURES" --pairs 60 --affine 1 ;;
        train) set -- "$@" --device cpu "${tiny[@]}" ;;
        eval) set -- "$@" --ways 5 --trials 40 ;;
        run) set -- "$@" --source "$PICTURES" --pairs 60 --affine 1 --device cpu "${tiny[@]}" ;;
    esac
    "$PYTHON" -m omnishot "$command" "$@"
}
tiny=(--set epochs=1 --set objective.batches_per_epoch=1 --set objective.classes_per_batch=10)
tiny+=(--set validation_trials=20)
set -euo pipefail
"""


def blocks(text: str) -> list[str]:
    """Return what stands in fences or is indented, as it would be typed; of a session only what follows its prompt."""
    found = [fenced or indented for fenced, indented in BLOCK.findall(text)]
    return ["\n".join(re.findall(r"^\$ (.*)", block, re.MULTILINE)) or block for block in found]


def command_lines(text: str) -> list[list[str]]:
    """Return the words of every omnishot command in a text, those inside of others first, up to a pipe or a comment."""
    found: list[list[str]] = []
    for line in text.splitlines():
        rest = line
        while inner := re.search(r'"?\$\(([^()]*)\)"?', rest):
            found += command_lines(inner[1])
            rest = rest[: inner.start()] + "REFERENCE" + rest[inner.end() :]
        if re.search(r"\bomnishot [a-z-]", rest):
            words = _words(re.sub(r"[0-9]?>>?(&[0-9]| *[^\s;)]+)", "", rest))
            for start in (i for i, word in enumerate(words) if word == "omnishot"):
                command = words[start + 1 :]
                end = next((i for i, word in enumerate(command) if word in ENDS), len(command))
                found.append(command[:end])
    return found


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


def command_of(words: list[str]) -> tuple[Any, Any, list[str]]:
    """Return the command that words name, in its place below others, and its own arguments."""
    context, command, rest = GROUP.make_context("omnishot", list(words)), GROUP, list(words)
    while hasattr(command, "resolve_command") and rest:
        name, command, rest = command.resolve_command(context, rest)
        if hasattr(command, "resolve_command"):
            context = command.make_context(name, list(rest), parent=context)
    return context, command, rest


def parse(words: list[str]) -> None:
    """Have Typer read a command line without running it."""
    context, command, rest = command_of(words)
    command.make_context(command.name, rest, parent=context)


def commands_below(group: Any, *names: str) -> dict[str, Any]:
    """Return the commands of a group, and of the groups in it, by all that has to be typed."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= commands_below(command, *names, name) if inner else {" ".join((*names, name)): command}
    return found


BLOCKS = [(name, block) for name, text in {"README.md": README, **GUIDES}.items() for block in blocks(text)]
DOCUMENTED = [words for _, block in BLOCKS for words in command_lines(block)]
SCRIPTS = [
    line.partition("#")[0].strip()
    for _, block in BLOCKS
    for line in block.splitlines()
    if re.search(r"\b(examples|tests)/\S+\.(sh|py)\b", line)
]
PIPELINE = [
    [re.sub(r"\$\w+", "1", word) for word in words if word != "$@"]
    for words in command_lines(re.sub(r"^ *#.*", "", SCRIPT.read_text("utf-8"), flags=re.MULTILINE))
]
SPOKEN_OF = [
    words
    for text in re.findall(r"`(omnishot [^`]+)`", "\n".join([README, *GUIDES.values()]))
    for words in command_lines(text)
    if words[0].isalpha()
]
COMMANDS = commands_below(GROUP)


@pytest.mark.parametrize("words", [*DOCUMENTED, *PIPELINE], ids=" ".join)
def test_a_command_in_a_document_and_in_the_pipeline_parses(words: list[str]) -> None:
    parse(words)


@pytest.mark.parametrize("words", [words for words in DOCUMENTED if "--set" in words], ids=" ".join)
def test_settings_that_a_document_changes_exist(words: list[str]) -> None:
    preset = words[words.index("--preset") + 1] if "--preset" in words else "koch35"
    changes = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    values = read_yaml(preset_text(preset), origin=preset)
    check(TrainSettings, with_changes(values, changes), origin=" ".join(words))


@pytest.mark.parametrize("line", SCRIPTS)
def test_a_script_in_a_document_exists_and_knows_its_options(line: str) -> None:
    words = _words(line)
    script = next(ROOT / word for word in words if re.fullmatch(r"(examples|tests)/\S+\.(sh|py)", word))
    known = script.read_text("utf-8") + "".join(file.read_text("utf-8") for file in script.parent.glob("options.sh"))
    if script.name != "check.sh":  # Which hands its arguments to `omnishot train`.
        assert [word for word in words if word.startswith("--") and word not in known] == []
    for word in words:
        assert not word.startswith("examples/") or (ROOT / word).is_file()


@pytest.mark.parametrize("words", SPOKEN_OF, ids=" ".join)
def test_a_command_that_a_document_speaks_of_has_these_options(words: list[str]) -> None:
    _, command, _ = command_of(words)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words[1:] if word.startswith("--")} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_says_what_it_creates_and_has_examples_that_parse(name: str) -> None:
    said, _, examples = COMMANDS[name].help.partition("Examples:")
    assert "Creates: " in said
    assert command_lines(examples)
    for words in command_lines(examples):
        assert " ".join(words).startswith(name)
        parse(words)


def test_what_is_documented_is_found() -> None:
    assert ["prepare", "--pairs", "90k", "--affine", "8"] in DOCUMENTED
    assert ["prepare", "--pairs", "30k"] in DOCUMENTED
    assert ["eval", "$M", "--json"] in DOCUMENTED
    assert ["train", "--preset", "koch"] in DOCUMENTED  # Behind torchrun.
    assert len(SPOKEN_OF) > 20
    assert {name for name, block in BLOCKS if command_lines(block)} == {"README.md", *GUIDES} - {"architecture.md"}
    assert any("tests/bench/crash.py --kills 200" in line for line in SCRIPTS)
    assert {words[0] for words in PIPELINE} >= {"prepare", "train", "eval", "report", "diff"}
    for wrong in (["prepair"], ["eval", "--way", "20"], ["gc"], ["eval", "--protocol", "lakes"]):
        with pytest.raises(Exception, match=r"(?i)no such|missing|not one of|invalid"):
            parse(wrong)


@pytest.mark.slow
def test_the_chain_that_readme_opens_with_runs(picture_folder: Path, tmp_path: Path) -> None:
    chain, piped = blocks(README.partition("## What you type")[2])[:2]
    assert [words[0] for words in command_lines(chain)] == ["prepare", "train", "eval", "report", "run"]
    done = subprocess.run(
        ["bash", "-c", SUBSTITUTED + chain + piped],
        capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "PYTHONPATH": ":".join(sys.path),
             "PICTURES": str(picture_folder), "OMNISHOT_OFFLINE": "1", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kinds = {path.parent.parent.name for path in (tmp_path / "artifacts").glob("*/*/v1")}
    assert kinds == {"images", "pairs", "models", "evals"}
    assert "evals/" in done.stdout.splitlines()[2]
