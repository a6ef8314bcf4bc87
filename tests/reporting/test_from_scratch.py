"""What a page prints for an empty folder runs there, and makes the same recipes."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.config import EvalSettings
from omnishot.reporting.from_scratch import lines_from_scratch
from omnishot.reporting.page.commands import commands_section
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import choose_evaluations
from omnishot.stages.evaluate import evaluate
from omnishot.store.artifact import Artifact
from omnishot.store.identity import recipe_id
from omnishot.store.remake import command_of
from omnishot.store.store import Store

pytestmark = pytest.mark.slow


def run(line: str, *more: str) -> str:
    program, *words = shlex.split(line)
    done = CliRunner().invoke(app, [*words, *more])
    assert (program, done.exit_code) == ("omnishot", 0), (line, done.output)
    return done.stdout


@pytest.fixture(scope="module")
def store(evaluated_store: Path, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which pairs, model and an evaluation were made twice, and baselines were measured alone."""
    store = Store(shutil.copytree(evaluated_store, tmp_path_factory.mktemp("scratch") / "a store"))
    where = ("--store", str(store.root))
    for reference, kind in (("scripts-60-affine1:v1", "pairs"), ("quick:v1", "models"), ("quick-between:v1", "evals")):
        run(
            command_of(store.root, store.find(reference, kind).manifest).replace(" PATH ", f" {picture_folder} "),
            "--force",
        )
    run("omnishot eval quick:v2 --protocol within --ways 2 --trials 50 --name second", *where)
    run("omnishot eval quick:v1 quick:v2 --protocol within --ways 3 --trials 50 --name both", *where)
    settings = EvalSettings(ways=(2,), trials=50, baselines=("random",))
    evaluate(store, [], store.find("scripts-60-affine1:v2"), settings, name="alone")
    return store


def recipes(artifacts: list[Artifact]) -> set[tuple[str, str, str]]:
    """Return what artifacts are made of, their parents by recipe: the content of a model holds the times it took."""
    found = set()
    for manifest in (artifact.manifest for artifact in artifacts):
        parents = [parent.recipe for parent in manifest.parents]
        deciding = manifest.kind, manifest.recipe_version, manifest.settings, parents, manifest.source
        found.add((manifest.kind, manifest.name, recipe_id(*deciding)))
    return found


@pytest.mark.parametrize(
    ("named", "n_trainings"), [(["second"], 1), (["alone", "both", "quick-between:v1", "quick-between:v2"], 2)]
)
def test_printed_lines_make_the_same_recipes_in_an_empty_folder(
    named: list[str],
    n_trainings: int,
    store: Store,
    picture_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluations = choose_evaluations(store, named)
    section = commands_section(Subject.of(store, evaluations))
    before = len(store.artifacts())
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for command in section.commands:
        assert "Reused" not in run(command.line.replace(" PATH ", f" {picture_folder} "))
    there = Store(Path("artifacts"))
    assert recipes(evaluations) == recipes(there.artifacts("evals"))
    assert len(section.commands) == 1 + n_trainings + len(recipes(evaluations))
    for kind in ("pairs", "models"):
        assert recipes(store.artifacts(kind)) == recipes(there.artifacts(kind))
    assert len(there.artifacts("models")) == n_trainings
    assert len(store.artifacts()) == before


def test_no_line_names_what_none_before_it_makes(store: Store) -> None:
    everything = store.artifacts()
    pairs = [artifact for artifact in everything if artifact.manifest.kind == "pairs"]
    lines, left = lines_from_scratch([artifact for artifact in everything if artifact not in pairs])
    assert (lines, len(left)) == ([], len(everything) - len(pairs) - 1)  # All but the images.
    lines, left = lines_from_scratch(everything)
    assert not left
    for place, line in enumerate(lines):
        named = {word for word in shlex.split(line.text) if re.fullmatch("[a-z]+/[^/]+:v[0-9]+", word)}
        assert named <= {before.makes for before in lines[:place]}


def test_of_two_versions_the_second_alone_becomes_the_first(store: Store) -> None:
    second, pairs = store.find("quick:v2", "models"), store.find("scripts-60-affine1:v1", "pairs")
    lines, _ = lines_from_scratch([pairs, second])
    assert [line.makes for line in lines] == ["pairs/scripts-60-affine1:v1", "models/quick:v1"]
    assert "--force" not in lines[1].text
