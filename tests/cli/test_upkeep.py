"""check, gc, diff and ls, as a user types them, in a store where things went wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import TRAIN

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """One artifact of each kind up to evaluations, each made from the one before it."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "artifacts", ignore=shutil.ignore_patterns("galleries")))


def damage(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path, length: int) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:length])


def test_check_hashes_an_artifact_and_what_it_descends_from(omnishot: Any, store: Path) -> None:
    outcome = omnishot("check", "models/golden", "--store", store)
    assert outcome.code == 0
    assert [line.split(",")[0] for line in outcome.out.splitlines()] == [
        "sound    models/golden:v1",
        "sound    pairs/golden-20-affine1:v1",
        "sound    images/golden:v1",
    ]
    for arguments in ([], ["--all"]):
        assert omnishot("check", *arguments, "--store", store).out.count("sound") == 4


def test_check_names_what_is_damaged_with_expected_and_found_and_the_command_that_mends_it(
    omnishot: Any, store: Path
) -> None:
    path = store / "models" / "golden" / "v1" / "weights.safetensors"
    damage(path)
    outcome = omnishot("check", "--all", "--store", store)
    assert outcome.code == 4
    assert outcome.out.count("sound") == 3
    assert "damaged  models/golden:v1" in outcome.out
    assert f"{path} is damaged: expected SHA-256" in outcome.err
    assert ", found " in outcome.err
    assert "Make it again: `omnishot train pairs/golden-20-affine1:v1 --preset" in outcome.err
    assert "Damaged: models/golden:v1 (1 of 4 artifacts)" in outcome.err
    rows = json.loads(omnishot("check", "--all", "--json", "--store", store).out)
    assert [row["artifact"] for row in rows if row["damaged"]] == ["models/golden:v1"]
    # Its child is not, but descends from it.
    assert omnishot("check", "evals/golden-lake", "--store", store).code == 4
    assert omnishot("check", "pairs/golden-20-affine1", "--store", store).code == 0


def test_check_goes_on_behind_a_manifest_cut_to_nothing(omnishot: Any, store: Path) -> None:
    cut(store / "pairs" / "golden-20-affine1" / "v1" / "manifest.yaml", 0)
    outcome = omnishot("check", "--all", "--store", store)
    assert outcome.code == 4
    assert "damaged  pairs/golden-20-affine1:v1" in outcome.out
    assert outcome.out.count("sound") == 3
    assert "manifest.yaml is damaged: it is empty" in outcome.err
    assert "no longer in the store" not in outcome.err


@pytest.mark.slow
def test_a_parent_that_is_gone_is_told_but_is_no_damage(omnishot: Any, store: Path) -> None:
    shutil.rmtree(store / "pairs")
    outcome = omnishot("check", "models/golden", "--store", store)
    assert outcome.code == 0
    assert "which is no longer in the store" in outcome.err
    assert "# no longer in the store" in omnishot("show", "models/golden", "--store", store).out
    outcome = omnishot("eval", "models/golden", "--store", store)
    assert outcome.code == 4
    assert "pairs/golden-20-affine1:v1 of models/golden:v1 is not in the store" in outcome.err


@pytest.mark.parametrize("asked", ["models/golden", "evals/golden-lake"])
def test_check_names_what_an_artifact_descends_from_and_cannot_be_read(asked: str, omnishot: Any, store: Path) -> None:
    cut(store / "pairs" / "golden-20-affine1" / "v1" / "manifest.yaml", 100)
    outcome = omnishot("check", asked, "--store", store)
    assert outcome.code == 4
    assert f"sound    {asked}:v1" in outcome.out
    assert "damaged  pairs/golden-20-affine1:v1" in outcome.out
    assert "Damaged: pairs/golden-20-affine1:v1" in outcome.err


def test_check_of_nothing_and_of_too_much(omnishot: Any, store: Path, tmp_path: Path) -> None:
    assert omnishot("check", "--store", tmp_path / "none").code == 4
    assert "is not a folder" in omnishot("ls", "--store", Path(__file__)).err
    assert omnishot("check", "models/nothing", "--store", store).code == 4
    assert omnishot("check", "models/golden", "--all", "--store", store).code == 2


def test_ls_shows_damaged_rows_and_keeps_going(omnishot: Any, store: Path) -> None:
    cut(store / "pairs" / "golden-20-affine1" / "v1" / "manifest.yaml", 0)
    cut(store / "models" / "golden" / "v1" / "weights.safetensors", 100)
    outcome = omnishot("ls", "--store", store)
    assert outcome.code == 0
    rows = {line.split()[1]: line for line in outcome.out.splitlines() if ":v1" in line}
    assert set(rows) == {"images/golden:v1", "pairs/golden-20-affine1:v1", "models/golden:v1", "evals/golden-lake:v1"}
    assert [name for name, row in rows.items() if "damaged" in row] == [
        "models/golden:v1",
        "pairs/golden-20-affine1:v1",
    ]
    assert "weights.safetensors is damaged: expected" in outcome.err
    rows = json.loads(omnishot("ls", "--json", "--store", store).out)
    assert [row["artifact"] for row in rows if row["damaged"]] == ["models/golden:v1", "pairs/golden-20-affine1:v1"]


def test_gc_prints_what_it_removes_and_keeps_ancestors(omnishot: Any, store: Path) -> None:
    second = shutil.copytree(store / "evals" / "golden-lake" / "v1", store / "evals" / "golden-lake" / "v2")
    manifest = second / "manifest.yaml"
    manifest.chmod(0o644)
    text = manifest.read_text().replace("version: 1", "version: 2", 1)
    manifest.write_text(text.replace("created: '20", "created: '21", 1))
    (store / "evals" / ".current").write_text("evals/golden-lake:v2")
    damage(second / "scores.h5")
    spared = omnishot("gc", "--keep", "1", "--dry-run", "--store", store)
    assert (spared.code, spared.out) == (0, "")
    assert "evals/golden-lake:v2 is damaged and does not count as kept" in spared.err
    damage(second / "scores.h5")  # The same bit: it is sound again.
    dry = omnishot("gc", "--keep", "1", "--dry-run", "--store", store)
    assert dry.out.startswith("evals/golden-lake:v1, ")
    assert "Would remove 1 artifact, " in dry.err
    outcome = omnishot("gc", "--keep", "1", "--json", "--store", store)
    values = json.loads(outcome.out)
    assert (values["removed"], values["kept"], values["dry_run"]) == (["evals/golden-lake:v1"], 4, False)
    assert omnishot("check", "--all", "--store", store).out.count("sound") == 4
    assert omnishot("gc", "--store", store).code == 2
    assert omnishot("gc", "--keep", "0", "--store", store).code == 2


@pytest.mark.slow
def test_what_is_damaged_is_made_again_and_then_used_instead(
    omnishot: Any, picture_folder: Path, tmp_path: Path
) -> None:
    prepare = ["prepare", "--source", picture_folder, "--pairs", "20", "--affine", "0", "--store", tmp_path]
    train = ["train", *TRAIN, "--store", tmp_path]
    assert omnishot(*prepare).code == 0
    assert omnishot(*train).code == 0
    damage(tmp_path / "pairs" / "scripts-20" / "v1" / "pairs.h5")
    outcome = omnishot("eval", "--ways", "2", "--store", tmp_path)
    assert outcome.code == 4
    assert "Make it again: `omnishot prepare --source" in outcome.err
    again = omnishot(*prepare)
    assert again.out == "pairs/scripts-20:v2\n"
    assert "is damaged: expected SHA-256" in again.err
    assert "making it again" in again.err
    outcome = omnishot("eval", "--ways", "2", "--json", "--store", tmp_path)
    assert outcome.code == 0, outcome.err
    checked = omnishot("check", "--all", "--store", tmp_path)
    assert checked.code == 0
    assert "replaced pairs/scripts-20:v1" in checked.out
    assert "It was made again as pairs/scripts-20:v2" in checked.err
    found = omnishot("diff", "pairs/scripts-20:v1", "pairs/scripts-20:v2", "--store", tmp_path)
    assert "The recipe is the same" in found.err
    assert omnishot("gc", "--keep", "5", "--store", tmp_path).out.startswith("pairs/scripts-20:v1, ")
    assert "replaced" not in omnishot("check", "--all", "--store", tmp_path).out


@pytest.mark.slow
def test_diff_says_why_something_was_made_again(omnishot: Any, picture_folder: Path, tmp_path: Path) -> None:
    for pairs, seed in (("20", "0"), ("30", "1")):
        prepare = ["prepare", "--source", picture_folder, "--pairs", pairs, "--affine", "1", "--seed", seed]
        assert omnishot(*prepare, "--name", "p", "--store", tmp_path).code == 0
    outcome = omnishot("diff", "p:v1", "p:v2", "--store", tmp_path)
    assert outcome.code == 0
    assert "pairs/p:v1 -> pairs/p:v2. The recipes differ: settings.pairs, settings.seed." in outcome.err
    assert "settings.pairs: 20 -> 30\n" in outcome.out
    assert "settings.seed: 0 -> 1\n" in outcome.out
    assert "settings.affine" not in outcome.out
    values = json.loads(omnishot("diff", "p:v1", "p:v2", "--json", "--store", tmp_path).out)
    assert {"what": "settings.pairs", "one": 20, "other": 30} in values["differences"]
    assert not values["same_recipe"]
    assert json.loads(omnishot("diff", "p:v1", "p:v1", "--json", "--store", tmp_path).out)["differences"] == []
    assert omnishot("diff", "p:v1", "images/scripts", "--store", tmp_path).code == 2


@pytest.mark.slow
def test_diff_with_a_tolerance_pairs_the_trials_and_has_the_gates_exit_code(omnishot: Any, store: Path) -> None:
    same = omnishot("diff", "golden-lake", "golden-lake", "--tolerance", "accuracy=0", "--json", "--store", store)
    assert same.code == 0, same.err
    pairs = json.loads(same.out)["paired"]
    assert pairs
    assert {pair["difference"] for pair in pairs} == {0.0}
    assert "Accuracy fell by no more than the tolerated 0 points" in same.err
    unset = omnishot("diff", "golden-lake", "golden-lake", "--tolerance", "", "--store", store)
    assert unset.code == 2  # As from a variable that is not set.
    refused = omnishot("diff", "models/golden", "models/golden", "--tolerance", "accuracy=0.1", "--store", store)
    assert refused.code == 2
    assert "--tolerance compares evaluations, trial by trial, but models/golden:v1 is none" in refused.err
    assert omnishot("diff", "golden-lake", "golden-lake", "--tolerance", "0.1", "--store", store).code == 2
