"""Who calls a stage from Python gets what the shell gets, down to the recipe."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.config import EvalSettings, PrepareSettings
from omnishot.data.image_set import ImageSet
from omnishot.data.sources import Source
from omnishot.errors import UsageError
from omnishot.presets import preset_text
from omnishot.settings_text import check_given
from omnishot.stages import prepare as prepare_stage
from omnishot.stages.evaluate import evaluate
from omnishot.stages.evaluation_settings import complete
from omnishot.stages.prepare import prepare
from omnishot.stages.produce import StageResult
from omnishot.stages.run import run
from omnishot.stages.train import train
from omnishot.stages.training_settings import choose_training, tuned_preset
from omnishot.store.manifest import Manifest
from omnishot.store.store import Store
from omnishot.vocabulary import BASELINES

TINY = ["epochs=1", "objective.batches_per_epoch=1", "objective.classes_per_batch=10", "validation_trials=20"]
CHANGES = [word for change in TINY for word in ("--set", change)]
FEW = PrepareSettings(pairs=60, affine=1)


@pytest.fixture(scope="module")
def store(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A pair dataset and a model, made by calls that say no more than they must."""
    store = Store(tmp_path_factory.mktemp("defaults") / "artifacts")
    prepare(store, FEW, source=str(picture_folder))
    train(store, settings=choose_training(changes=TINY, device="cpu").settings, device="cpu")
    return store


def shell(store: Store, *words: str | Path) -> Any:
    """Run a command in this process, and return what it prints as JSON."""
    arguments = [*map(str, words), "--store", str(store.root), "--json"]
    return json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)


def is_made_already(store: Store, reference: str, *words: str | Path) -> bool:
    made = shell(store, *words)
    return bool(made["reused"]) and made["artifact"] == reference


def test_prepare_draws_the_same_pairs(store: Store, picture_folder: Path) -> None:
    words = ("prepare", "--source", picture_folder, "--pairs", "60", "--affine", "1")
    assert is_made_already(store, "pairs/scripts-60-affine1:v1", *words)


def test_train_fits_the_same_model_under_the_same_name(store: Store) -> None:
    assert is_made_already(store, "models/quick:v1", "train", "--device", "cpu", *CHANGES)


def test_eval_measures_the_newest_model_by_the_usual_protocol(store: Store) -> None:
    made = evaluate(store)
    assert is_made_already(store, "evals/quick-within:v1", "eval")
    assert made.artifact.manifest.settings == {
        "protocol": "within", "on": "test", "ways": [5], "shots": 1, "trials": 400,
        "baselines": ["nearest-neighbour", "random"], "seed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "words", "name"),
    [
        (EvalSettings(protocol="verification"), ["--protocol", "verification"], "quick-verification"),
        (EvalSettings(on="train", trials=40), ["--on", "train", "--trials", "40"], "quick-within-train"),
        (
            EvalSettings(protocol="between", ways=(2, 3), trials=40, baselines=("random",)),
            ["--protocol", "between", "--ways", "2..3", "--trials", "40", "--baselines", "random"],
            "quick-between",
        ),
    ],
)
def test_eval_completes_what_is_asked_for(store: Store, asked: EvalSettings, words: list[str], name: str) -> None:
    evaluate(store, settings=asked)
    assert is_made_already(store, f"evals/{name}:v1", "eval", *words)


def test_eval_measures_on_other_images(store: Store, picture_folder: Path) -> None:
    asked = EvalSettings(trials=20, ways=(5,))
    made = str(evaluate(store, settings=asked, source=str(picture_folder)).artifact.reference)
    # The model was trained on these images, so that its own split is measured.
    assert made.startswith("evals/quick-within:")
    assert is_made_already(store, made, "eval", "--source", picture_folder, "--trials", "20", "--ways", "5")
    alone = evaluate(store, data=store.newest("images"), settings=asked)  # Images by themselves are all a test.
    assert str(alone.artifact.reference) == "evals/quick-scripts-within:v1"


def test_eval_without_a_model_measures_the_baselines_and_says_so(picture_folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    store = Store(tmp_path / "artifacts", tell=told.append)
    prepare(store, FEW, source=str(picture_folder))
    made = evaluate(store, settings=EvalSettings(trials=20))
    assert made.artifact.manifest.name == "baselines-within"
    assert told[:1] == ["There is no model in the store; measuring baselines only"]


def test_a_model_that_is_named_twice_is_measured_once(store: Store) -> None:
    model = store.newest("models")
    made = evaluate(store, [model, model], settings=EvalSettings(trials=10, baselines=()))
    assert len([parent for parent in made.artifact.manifest.parents if parent.reference.startswith("models/")]) == 1


def test_run_makes_the_same_artifacts(picture_folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    results: list[StageResult] = []
    made = run(
        store, choose_training(changes=TINY, device="cpu"), FEW, source=str(picture_folder), device="cpu",
        on_result=results.append,
    )  # fmt: skip
    assert results == [made.pairs, made.model, *made.evaluations]
    before = [str(artifact.reference) for artifact in store.artifacts()]
    assert before[-3:] == ["evals/quick-within:v1", "evals/quick-within-train:v1", "evals/quick-verification:v1"]
    words = ("run", "--source", picture_folder, "--pairs", "60", "--affine", "1", "--device", "cpu")
    shell(store, *words, *CHANGES)
    assert [str(artifact.reference) for artifact in store.artifacts()] == before


def pairs_manifest(store: Store, **summary: object) -> Manifest:
    manifest = store.newest("pairs").manifest
    return manifest.model_copy(update={"summary": manifest.summary | summary})


def test_images_with_published_runs_are_measured_on_those(store: Store) -> None:
    found = complete(EvalSettings(), pairs_manifest(store, runs=20))
    assert (found.protocol, found.ways, found.baselines) == ("lake", (20,), BASELINES)
    assert complete(EvalSettings(on="train"), pairs_manifest(store, runs=20)).protocol == "within"


def test_what_is_asked_for_stays_even_where_it_is_the_default(store: Store) -> None:
    asked = EvalSettings(protocol="within", ways=(20,), baselines=BASELINES)
    assert complete(asked, pairs_manifest(store, runs=20)) == asked


def test_ways_are_as_many_as_an_alphabet_has(store: Store) -> None:
    large = {"largest_alphabet": {"test": 55, "train": 7}}
    assert complete(EvalSettings(), pairs_manifest(store, **large)).ways == (20,)
    assert complete(EvalSettings(on="train"), pairs_manifest(store, **large)).ways == (7,)
    assert complete(EvalSettings(protocol="between"), pairs_manifest(store, **large)).ways == (20,)


def test_verification_has_neither_ways_nor_baselines(store: Store) -> None:
    found = complete(EvalSettings(protocol="verification", ways=(5,), trials=7), pairs_manifest(store))
    assert (found.ways, found.shots, found.trials, found.baselines) == ((), 1, 400, ())
    with pytest.raises(UsageError, match="not for verification"):
        complete(EvalSettings(protocol="verification", baselines=("random",)), pairs_manifest(store))


def test_the_preset_is_that_for_the_device_and_is_said() -> None:
    told: list[str] = []
    chosen = choose_training(device="cpu", tell=told.append)
    assert (chosen.origin, chosen.name) == ("quick", "quick")
    assert told == ["Preset quick, as the network runs on a CPU"]
    assert choose_training(preset="koch35", name="mine").name == "mine"


def test_a_settings_file_names_the_model(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(preset_text("koch35"))
    chosen = choose_training(config=tmp_path / "mine.yaml", changes=["seed=3"])
    assert (chosen.name, chosen.settings.seed) == ("mine", 3)
    assert chosen.settings == choose_training(preset="koch35", changes=["seed=3"]).settings
    assert (tuned_preset(None, None), tuned_preset("quick", None)) == ("koch35", "quick")
    assert tuned_preset(None, tmp_path / "mine.yaml") is None


def test_an_option_that_is_left_out_is_not_named() -> None:
    assert "split" not in check_given(PrepareSettings, origin="prepare", split=None, pairs=60).model_fields_set


def test_what_is_preferred_gives_way_to_what_is_asked_for(images: ImageSet) -> None:
    def resolved(**asked: Any) -> tuple[str | None, str]:
        source = Source("omniglot", "0" * 64, lambda on_progress: images)
        preferred = {"split": "lake", "holdout": "none"}
        found = prepare_stage._resolved(PrepareSettings(**asked), source, preferred, images.labels)
        return found.split, found.holdout

    assert resolved() == ("lake", "none")
    assert resolved(holdout="five") == ("lake", "five")
    assert resolved(split="lake") == ("lake", "five")
    assert resolved(split="koch") == ("koch", "five")
