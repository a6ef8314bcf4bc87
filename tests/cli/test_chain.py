"""The four commands, as a user types them, on a folder of pictures."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import yaml

from omnishot.data.render import affine_matrices, render
from tests.tiny import TRAIN, setting

pytestmark = pytest.mark.slow

TINY = [
    *TRAIN,
    *setting("epochs=2", "objective.batches_per_epoch=3", "objective.classes_per_batch=20", "validation_trials=40"),
]


@dataclass(frozen=True)
class Chain:
    """A store with one artifact of each kind, and what the commands printed."""

    store: Path
    prepared: str
    trained: str
    evaluated: str
    notes: str


@pytest.fixture(scope="module")
def chain(omnishot: Any, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    store = tmp_path_factory.mktemp("chain") / "artifacts"
    where = ["--store", store]
    prepared = omnishot("prepare", "--source", picture_folder, "--pairs", "0.06k", "--affine", "2", *where)
    trained = omnishot("train", prepared.out.strip(), *TINY, *where)
    evaluated = omnishot("eval", trained.out.strip(), "--ways", "1..5", "--trials", "100", "--json", *where)
    for outcome in (prepared, trained, evaluated):
        assert outcome.code == 0, outcome.err
    return Chain(store, prepared.out, trained.out, evaluated.out, prepared.err + trained.err + evaluated.err)


def test_stdout_is_one_reference(chain: Chain) -> None:
    assert chain.prepared == "pairs/scripts-60-affine2:v1\n"
    assert chain.trained == "models/quick:v1\n"


def test_the_pair_dataset_holds_what_the_format_says(chain: Chain) -> None:
    with h5py.File(chain.store / "pairs" / "scripts-60-affine2" / "v1" / "pairs.h5") as file:
        assert file["images/pixels"].shape == (100, 105, 105)
        assert file["images/pixels"].chunks == (1, 105, 105)
        assert file["pairs/train/left"].shape == (60,)
        assert file["pairs/test/same"][:].sum() == 5000
        assert file["variants/right"].shape == (60, 2, 7)
        assert [len(file[f"split/{part}"]) for part in ("train", "validation", "test")] == [60, 20, 20]


def test_json_has_the_results_and_their_intervals(chain: Chain) -> None:
    made = json.loads(chain.evaluated)
    assert made["artifact"] == "evals/quick-within:v1"
    assert made["reused"] is False
    assert Path(made["path"]).is_dir()
    assert {row["model"] for row in made["results"]} == {"models/quick:v1", "nearest-neighbour", "random"}
    assert sorted({row["ways"] for row in made["results"]}) == [1, 2, 3, 4, 5]
    for row in made["results"]:
        assert row["accuracy"] == row["correct"] / row["trials"]
        assert 0 <= row["ci95"][0] <= row["accuracy"] <= row["ci95"][1] <= 1


def test_scores_of_every_query_are_kept(chain: Chain) -> None:
    with h5py.File(chain.store / "evals" / "quick-within" / "v1" / "scores.h5") as file:
        scores = file["models|quick:v1/scores"][:]
        assert scores.shape == (100, 5)
        accuracy = (scores[:, 0] > scores[:, 1:].max(axis=1)).mean()
    rows = json.loads(chain.evaluated)["results"]
    assert [row["accuracy"] for row in rows if row["model"] == "models/quick:v1" and row["ways"] == 5] == [accuracy]


def test_repeating_a_stage_reuses_and_says_so(omnishot: Any, chain: Chain, picture_folder: Path) -> None:
    where = ["--store", chain.store]
    prepare = ["prepare", "--source", picture_folder, "--pairs", "60", "--affine", "2", *where]
    for arguments, expected in [(prepare, chain.prepared), (["train", *TINY, *where], chain.trained)]:
        outcome = omnishot(*arguments)
        assert (outcome.code, outcome.out) == (0, expected)
        assert "Reused" in outcome.err
    forced = omnishot(*prepare, "--force", "--json")
    assert json.loads(forced.out)["artifact"] == "pairs/scripts-60-affine2:v2"
    omnishot(*prepare)  # The first version is the current one again, for the tests that follow.


def test_the_manifest_tells_settings_parents_and_digests(omnishot: Any, chain: Chain) -> None:
    shown = yaml.safe_load(omnishot("show", "quick", "--store", chain.store).out)
    assert shown["settings"]["epochs"] == 2
    assert shown["parents"][0]["reference"] == "pairs/scripts-60-affine2:v1"
    assert set(shown["files"]) == {"weights.safetensors", "config.yaml", "history.jsonl"}
    assert shown["environment"]["device"] == "cpu"
    assert shown["summary"]["epochs"] == 2
    assert len(shown["lineage"]) > 0


def test_ls_lists_everything_the_oldest_first(omnishot: Any, chain: Chain) -> None:
    listed = json.loads(omnishot("ls", "--json", "--store", chain.store).out)
    names = [row["artifact"] for row in listed]
    assert names[:2] == ["images/scripts:v1", "pairs/scripts-60-affine2:v1"]
    assert json.loads(omnishot("ls", "evals", "--json", "--store", chain.store).out)[0]["kind"] == "evals"


@pytest.mark.parametrize("form", ["rich", "markdown", "tsv", "json"])
def test_a_report_in_every_format_names_the_network(omnishot: Any, chain: Chain, form: str, tmp_path: Path) -> None:
    printed = omnishot("report", "--format", form, "--store", chain.store)
    assert printed.code == 0
    assert "quick:v1" in printed.out
    assert "\x1b" not in printed.out
    assert "…" not in printed.out
    if form != "rich":
        omnishot("report", "--format", form, "--out", tmp_path / "report", "--store", chain.store)
        assert (tmp_path / "report").read_text() == printed.out


def test_the_gate_has_its_own_exit_code(omnishot: Any, chain: Chain) -> None:
    assert omnishot("report", "--fail-under", "5-way=0.0", "--store", chain.store).code == 0
    failed = omnishot("report", "--fail-under", "1-way=1.0", "--fail-under", "5-way=1.0", "--store", chain.store)
    assert failed.code == 3
    assert "5-way accuracy is below 100.0 %" in failed.err
    assert "Traceback" not in failed.err


def test_verification_between_and_validation_work_too(omnishot: Any, chain: Chain) -> None:
    where = ["--store", chain.store, "--json", "--quiet"]
    verified = json.loads(omnishot("eval", "--protocol", "verification", *where).out)["results"]
    assert [row["model"] for row in verified] == ["models/quick:v1"]
    assert verified[0]["trials"] == 10_000
    assert verified[0]["threshold"] is not None
    between = omnishot("eval", "--protocol", "between", "--on", "train", "--ways", "12", "--shots", "2", *where)
    assert {row["on"] for row in json.loads(between.out)["results"]} == {"train"}


def test_several_models_are_measured_on_the_same_trials(omnishot: Any, chain: Chain) -> None:
    other = omnishot("train", *TINY, "--set", "seed=1", "--name", "other", "--store", chain.store)
    assert other.out == "models/other:v1\n", other.err
    both = omnishot("eval", "quick", "other", "--ways", "5", "--store", chain.store, "--json")
    made = json.loads(both.out)
    assert [row["model"] for row in made["results"]][:2] == ["models/quick:v1", "models/other:v1"]
    summary = json.loads((Path(made["path"]) / "summary.json").read_text())
    (comparison,) = summary["comparisons"]
    difference = made["results"][1]["accuracy"] - made["results"][0]["accuracy"]
    assert comparison["difference"] == pytest.approx(difference)
    assert comparison["ci95"][0] <= difference <= comparison["ci95"][1]
    verified = omnishot(
        "eval", "quick", "other", "--protocol", "verification", "--name", "pair", "--store", chain.store, "--json"
    )
    made = json.loads(verified.out)
    (comparison,) = made["comparisons"]
    assert comparison["ways"] is None
    first, second = (row["accuracy"] for row in made["results"])
    assert comparison["difference"] == pytest.approx(second - first)
    reported = omnishot("report", "pair", "--format", "markdown", "--store", chain.store).out
    assert f"| {100 * (second - first):+.1f} |" in reported.partition("Paired differences")[2]


def test_other_images_can_be_measured_on(omnishot: Any, chain: Chain, picture_folder: Path, tmp_path: Path) -> None:
    others = shutil.copytree(picture_folder, tmp_path / "others")
    next(others.rglob("*.png")).unlink()  # Else they were those that the model was trained on.
    measured = omnishot("eval", "quick", "--source", others, "--ways", "5", "--store", chain.store, "--json")
    assert measured.code == 0, measured.err
    made = json.loads(measured.out)
    assert json.loads((Path(made["path"]) / "summary.json").read_text())["data"] == "images/others:v1"
    verified = omnishot(
        "eval", "quick", "--source", others, "--protocol", "verification", "--store", chain.store, "--json"
    )
    assert json.loads(verified.out)["results"][0]["trials"] == 10_000


def test_weights_of_another_model_can_be_the_start(omnishot: Any, chain: Chain) -> None:
    started = omnishot("train", *TINY, "--init-from", "models/quick", "--name", "again", "--store", chain.store)
    assert started.code == 0, started.err
    shown = yaml.safe_load(omnishot("show", "models/again", "--store", chain.store).out)
    assert [parent["reference"] for parent in shown["parents"]][1] == "models/quick:v1"


def test_run_does_all_four_and_prints_the_tables(omnishot: Any, picture_folder: Path, tmp_path: Path) -> None:
    done = omnishot(
        "run", *TINY, "--source", picture_folder, "--pairs", "60", "--affine", "0", "--store", tmp_path / "a"
    )
    assert done.code == 0, done.err
    assert "N-way one-shot accuracy on scripts, protocol within" in done.out
    assert "Verification accuracy" in done.out
    made = re.findall(r"Made (\S+),", done.err)
    assert [name.split("/")[0] for name in made] == ["pairs", "models", "evals", "evals", "evals"]


def test_materialized_pixels_are_the_rendered_variants(omnishot: Any, picture_folder: Path, tmp_path: Path) -> None:
    made = omnishot(
        "prepare", "--source", picture_folder, "--pairs", "20", "--affine", "1", "--materialize", "--store", tmp_path
    )
    assert made.out == "pairs/scripts-20-affine1-pixels:v1\n", made.err
    with h5py.File(tmp_path / "pairs" / "scripts-20-affine1-pixels" / "v1" / "pairs.h5") as file:
        assert file["rendered/left"].chunks == (1, 2, 105, 105)
        originals = file["images/pixels"][:][file["pairs/train/left"][:]]
        assert (file["rendered/left"][:, 0] == originals).all()
        parameters = torch.from_numpy(file["variants/left"][:, 0])
        expected = render(torch.from_numpy(originals), affine_matrices(parameters), 105)[:, 0] * 255
        assert np.abs(file["rendered/left"][:, 1] - expected.numpy()).max() <= 0.51


def test_glyphs_need_no_data(omnishot: Any, tmp_path: Path) -> None:
    made = omnishot("prepare", "--source", "auto", "--pairs", "1k", "--affine", "0", "--store", tmp_path, timeout=600)
    assert made.out == "pairs/glyphs-1k:v1\n", made.err
    assert "Using the built-in glyphs instead" in made.err
    shown = yaml.safe_load(omnishot("show", "pairs/glyphs-1k", "--store", tmp_path).out)
    assert shown["summary"]["source"] == "glyphs"
