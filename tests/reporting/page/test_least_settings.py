"""The least that settings allow is drawn too: no variants, nothing held out, one epoch, one way; and so is damage."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
from omnishot.data.splits import split_images
from omnishot.drawing.picture import Picture
from omnishot.errors import UnavailableError
from omnishot.presets import preset_text
from omnishot.progress import silent
from omnishot.reporting.page import network
from omnishot.reporting.page.network import pictures_of
from omnishot.reporting.page.subject import Subject
from omnishot.settings_text import check, with_changes
from omnishot.stages import prepare as prepare_stage
from omnishot.stages.evaluate import evaluate
from omnishot.stages.train import train
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml

pytestmark = pytest.mark.slow

FIGURES = ("trials", "filters", "activations", "pairs", "curves", "embedding")
INSIDE = "What the network sees"


@pytest.fixture(scope="module")
def least(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made with `--affine 0` of a split without a validation part, with a network of one epoch."""
    root = tmp_path_factory.mktemp("least") / "artifacts"
    store = Store(root, argv=["omnishot", "prepare", "--source", str(picture_folder)])
    with pytest.MonkeyPatch.context() as patch:

        def holding_nothing_out(*arguments: Any, **options: Any) -> Any:
            split = split_images(*arguments, **options)
            return replace(split, validation=split.validation[:0])

        patch.setattr(prepare_stage, "split_images", holding_nothing_out)
        drawn = PrepareSettings(split="alphabets", pairs=20, affine=0)
        pairs = prepare_stage.prepare(store, drawn, source=str(picture_folder))
    changes = ["epochs=1", "objective.batches_per_epoch=1", "objective.classes_per_batch=4"]
    settings = check(TrainSettings, with_changes(read_yaml(preset_text("quick"), origin="quick"), changes), origin="q")
    model = train(store, pairs.artifact, settings, name="quick", device="cpu").artifact
    for ways in (1, 4):
        asked = EvalSettings(ways=(ways,), trials=10, baselines=("random",))
        evaluate(store, [model], pairs.artifact, asked, name=f"ways{ways}", device="cpu")
    return root


@pytest.fixture
def store(least: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(least, tmp_path / "artifacts")))


def damage(path: Path) -> None:
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_drawn_of_the_least(omnishot: Any, least: Path, tmp_path: Path, figure: str) -> None:
    reference = ["ways4"] if figure == "trials" else []
    drawn = omnishot("figure", figure, *reference, "--out", tmp_path / "x.svg", "--store", least)
    assert drawn.code == 0, drawn.err


def test_one_way_leaves_nothing_to_choose_and_the_figure_says_so(omnishot: Any, least: Path, tmp_path: Path) -> None:
    refused = omnishot("figure", "trials", "ways1", "--out", tmp_path / "x.svg", "--store", least)
    assert refused.code == 2
    assert "nothing to choose" in refused.err


@pytest.mark.parametrize("evaluations", [["ways1"], ["ways4"], []], ids=["one way", "four ways", "both"])
def test_a_page_is_made_of_the_least(omnishot: Any, least: Path, tmp_path: Path, evaluations: list[str]) -> None:
    out = tmp_path / "page.html"
    done = omnishot("report", *evaluations, "--out", out, "--store", least)
    assert done.code == 0, done.err
    assert "has no affine variants" in out.read_text("utf-8")


def test_a_pair_without_variants_is_shown_with_the_command_that_makes_a_dataset_with_some(store: Store) -> None:
    subject = Subject.of(store, store.artifacts("evals"))
    *_, picture, missing = dict(pictures_of(subject, silent))[INSIDE]
    assert isinstance(picture, Picture)
    assert picture.title.startswith("Training pair: pair ")
    assert picture.alt.endswith("each as drawn; the dataset has no affine variants.")
    assert len(picture.figure.axes[0].images) == 2
    assert not isinstance(missing, Picture)
    assert missing.line.startswith("omnishot prepare --source ")
    assert "--affine 8" in missing.line
    assert "--name" not in missing.line
    assert not missing.is_damage


def test_a_page_that_lost_pictures_to_damage_is_written_says_so_and_exits_with_4(
    omnishot: Any, store: Store, tmp_path: Path
) -> None:
    damage(store.root / "models/quick/v1/weights.safetensors")
    out = tmp_path / "page.html"
    done = omnishot("report", "--out", out, "--store", store.root, "-q")
    text = out.read_text("utf-8")
    assert done.code == 4
    assert "The page lacks 3 pictures" in done.err
    for lost in ("First-layer filters", "Activation maps", "The map of embeddings"):
        assert f"{lost} cannot be drawn: " in text
        assert f"{lost} cannot be drawn: " in done.err
    assert "Training pair: pair " in text
    printed = omnishot("report", "--format", "html", "--store", store.root)
    assert (printed.code, printed.out) == (4, text)
    assert omnishot("report", "--format", "json", "--store", store.root).code == 0
    # A gate is judged all the same: what fails it is worth more than what the page lacks.
    gated = omnishot("report", "--out", out, "--fail-under", "4-way=1.0", "--store", store.root)
    assert (gated.code, "4-way accuracy is below 100.0 %" in gated.err) == (3, True)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("models/quick/v1/history.jsonl", "The training history of models/quick:v1 cannot be shown"),
        ("models/quick/v1/manifest.yaml", "First-layer filters cannot be drawn"),
        ("evals/ways4/v1/scores.h5", "Trials of evals/ways4:v1 cannot be drawn"),
    ],
)
def test_whatever_is_damaged_the_page_is_written_and_says_what_it_lost(
    omnishot: Any, store: Store, tmp_path: Path, name: str, lost: str
) -> None:
    damage(store.root / name)
    done = omnishot("report", "ways1", "ways4", "--out", tmp_path / "page.html", "--store", store.root)
    assert done.code == 4, done.err
    assert lost in done.err
    assert lost in (tmp_path / "page.html").read_text("utf-8")


def test_a_picture_that_this_machine_cannot_draw_is_said_and_is_no_damage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(models: object) -> Picture:
        raise UnavailableError("There is no memory left", hint="Make room.")

    monkeypatch.setattr(network, "filters_of", lacking)
    first, *others = dict(pictures_of(Subject.of(store, store.artifacts("evals")), silent))[INSIDE]
    assert not isinstance(first, Picture)
    assert first.what == "First-layer filters cannot be drawn: There is no memory left. Make room."
    assert not first.is_damage
    assert len([part for part in others if isinstance(part, Picture)]) == 3


def test_a_bug_stays_a_bug(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(models: object) -> Picture:
        raise ValueError("Expected non-zero, positive output size")

    monkeypatch.setattr(network, "filters_of", broken)
    with pytest.raises(ValueError, match="non-zero"):
        pictures_of(Subject.of(store, store.artifacts("evals")), silent)
