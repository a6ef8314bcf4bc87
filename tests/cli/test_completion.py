"""What a shell gets when the tab key is pressed: by Typer's protocol, through the program as it is started."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.presets import preset_names
from omnishot.vocabulary import KINDS

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
PROGRAM = """
import sys, omnishot.cli
try:
    omnishot.cli.main()
finally:
    # Typer reads values by pydantic; nothing of omnishot that does so is needed to complete one.
    loaded = {"torch", "matplotlib", "omnishot.config", "omnishot.store.manifest"} & set(sys.modules)
    if loaded:
        print("imported", loaded, file=sys.stderr)
"""


def asked(words: str, store: Path, shell: str) -> dict[str, str]:
    """Return the environment in which a shell asks what completes a line, whose last word is the one to complete."""
    return {
        "OMNISHOT_STORE": str(store),
        "_OMNISHOT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }


def completed(words: str, *, store: Path = GOLDEN, shell: str = "bash") -> list[str]:
    done = CliRunner().invoke(app, [], prog_name="omnishot", env=asked(words, store, shell), catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "shell"),
    [("train ", "bash"), ("train ", "zsh"), ("train ", "fish"), ("figure embedding --alphabet ", "bash")],
)
def test_the_program_answers_a_shell_without_heavy_imports_or_another_word(words: str, shell: str) -> None:
    environment = {**os.environ, **asked(f"omnishot {words}", GOLDEN, shell)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("golden-20-affine1" if "train" in words else "A0\nA1\nA2") in done.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("omnishot train ", ["golden-20-affine1"]),
        ("omnishot eval g", ["golden"]),
        ("omnishot train --init-from ", ["golden"]),
        ("omnishot report ", ["golden-lake"]),
        ("omnishot figure curves models/", ["models/golden"]),
        ("omnishot eval golden:", ["golden:v1"]),
        ("omnishot show golden-", ["golden-20-affine1", "golden-lake"]),
        ("omnishot diff golden mod", ["models/golden"]),
        (
            "omnishot check ",
            ["images/golden", "pairs/golden-20-affine1", "models/golden", "evals/golden-lake", "galleries/golden"],
        ),
        ("omnishot ls ", [*KINDS]),
        ("omnishot presets k", [name for name in preset_names() if name.startswith("k")]),
        ("omnishot run --preset ", ["auto", *preset_names()]),
        ("omnishot figure embedding --alphabet ", ["A0", "A1", "A2"]),
        ("omnishot prepare --split ", ["koch", "lake", "drawers", "alphabets", "folders", "test-only"]),
    ],
)
def test_what_is_offered(words: str, offered: list[str]) -> None:
    assert completed(words) == offered


def test_the_store_that_is_named_in_the_line_is_looked_at(tmp_path: Path) -> None:
    assert completed(f"omnishot eval --store {GOLDEN} ", store=tmp_path) == ["golden"]
    assert completed("omnishot eval ", store=tmp_path / "nowhere") == []


def test_damaged_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    store = shutil.copytree(GOLDEN, tmp_path / "artifacts")
    for path in [*store.glob("*/*/v1/manifest.yaml"), store / "images" / "golden" / "v1" / "images.h5"]:
        path.chmod(0o644)
        path.write_text("damaged")
    (store / "models" / "two words" / "v1").mkdir(parents=True)
    (store / "models" / "other" / "v01").mkdir(parents=True)
    (store / "models" / "none").mkdir()
    assert completed("omnishot eval ", store=store) == ["golden"]
    assert completed("omnishot figure embedding --alphabet ", store=store) == []


def test_the_newest_images_are_those_that_the_store_notes(tmp_path: Path) -> None:
    import h5py

    for name in ("one", "two"):
        folder = tmp_path / "images" / name / "v1"
        folder.mkdir(parents=True)
        with h5py.File(folder / "images.h5", "w") as file:
            names = [f"{name}_(small)"]
            file.create_dataset("images/alphabet_names", data=names, dtype=h5py.string_dtype())
    os.utime(tmp_path / "images" / "one" / "v1", (1, 1))
    line = "omnishot figure embedding --alphabet "
    assert completed(line, store=tmp_path) == [r"two_\(small\)"]
    (tmp_path / "images" / ".current").write_text("images/one:v1")
    assert completed(line, store=tmp_path, shell="fish") == ["one_(small)"]


def test_the_script_is_shown_and_installed(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "omnishot", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    assert "complete -o default -F _omnishot_completion omnishot" in run("--show-completion", "bash")
    assert "bash completion installed in" in run("--install-completion", "bash")
    assert "_OMNISHOT_COMPLETE=complete_bash" in (tmp_path / ".bash_completions" / "omnishot.sh").read_text()
