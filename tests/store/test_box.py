"""The models in the box: found by a short name where the store has none of it, whole, small, true to their card."""

import re
from pathlib import Path

import pytest

from omnishot.errors import NotFoundError, UnavailableError
from omnishot.formats.box import BoxFacts
from omnishot.store import box
from omnishot.store.box import boxed_models, is_boxed, short_names
from omnishot.store.manifest import Parent
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store
from omnishot.vocabulary import BOX_MODELS
from omnishot.weights import box_folder

MEGABYTE = 1_000_000
MOST_BYTES = 8 * MEGABYTE


def test_the_box_is_whole_and_small() -> None:
    models = boxed_models()
    assert "quick" in short_names()
    for model in models:
        model.verify(again=True)
        assert set(model.manifest.files) == {"weights.safetensors", "config.yaml", "history.jsonl", "card.md"}
        assert not any(word.startswith("/") for word in model.manifest.argv), "a path of the machine that made it"
    assert sum(path.stat().st_size for path in box_folder().rglob("*") if path.is_file()) < MOST_BYTES


def test_every_result_of_a_card_is_the_manifests() -> None:
    for model in boxed_models():
        card = model.file("card.md").read_text("utf-8")
        for row in BoxFacts.of(model.manifest).results:
            assert (
                f"| {row.protocol} | {row.on} | {row.ways}-way {row.shots}-shot | {100 * row.accuracy:.2f} % |" in card
            )
        assert "Licence: MIT" in card
        assert re.search(r"at commit [0-9a-f]{7}", card)


def test_a_short_name_is_found_without_a_store_and_none_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    found = store.find("quick", "models")
    assert str(found.reference) == "models/omnishot-quick:v1"
    assert is_boxed(found)
    assert store.find("omnishot-quick:v1").path == store.find("models/quick").path == found.path
    assert store.parent(found.as_parent()) == found
    assert not (tmp_path / "none").exists()


def test_what_is_not_in_the_box_is_said_with_what_to_do(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in {*BOX_MODELS, "quick:v9"} - {*short_names(), "photos"}:
        with pytest.raises(NotFoundError, match="nor in the box") as error:
            store.find(name, "models")
        assert "quick" in error.value.hint
    with pytest.raises(UnavailableError) as missing:
        store.find("photos", "models")
    assert "'.[photos]'" in missing.value.hint
    with pytest.raises(NotFoundError):
        store.find("quick", "pairs")
    with pytest.raises(NotFoundError) as none:
        store.newest("models")
    assert "quick" in none.value.hint


def made(store: Store, name: str, parents: list[Parent] | None = None) -> None:
    recipe = Recipe("models", 1, {"name": name}, parents or [])
    with store.producing(recipe), store.publish(recipe, name) as staging:
        (staging.path / "weights.safetensors").write_text(name)


def test_a_model_of_the_store_wins_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    store = Store(tmp_path, tell=said.append)
    made(store, "quick")
    found = store.find("quick", "models")
    assert not is_boxed(found)
    assert said == ["quick is models/quick:v1 of the store; the one in the box is omnishot-quick"]
    assert is_boxed(store.find("omnishot-quick", "models"))
    store.find("quick:v1", "models")
    store.find("models/quick", "models")
    assert len(said) == 1


def test_what_is_made_from_a_model_in_the_box_finds_it_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    boxed = store.find("quick", "models")
    made(store, "tuned", [boxed.as_parent()])
    assert store.parent(store.find("tuned").manifest.parents[0]) == boxed
    stranger = Parent(reference=str(boxed.reference), recipe="0" * 64)
    assert store.parent(stranger) is None
    with pytest.raises(NotFoundError, match="removed"):
        made(store, "other", [stranger])


def test_a_damaged_box_says_how_to_repair_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from omnishot.errors import DamagedFileError
    from omnishot.store import remake

    copy = tmp_path / "weights"
    shutil.copytree(box_folder(), copy)
    monkeypatch.setattr(box, "box_folder", lambda: copy)
    monkeypatch.setattr(remake, "box_folder", lambda: copy)
    weights = next(copy.glob("models/omnishot-quick/v*/weights.safetensors"))
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(DamagedFileError) as error:
        Store(tmp_path / "none").find("quick", "models").file("weights.safetensors")
    assert "install" in error.value.hint


@pytest.mark.slow
def test_lakes_runs_come_out_as_the_card_says(omniglot_folder: Path, tmp_path: Path) -> None:
    from omnishot.config import EvalSettings
    from omnishot.data.sources import open_source
    from omnishot.formats.evaluation import read_summary
    from omnishot.stages.evaluate import evaluate

    store = Store(tmp_path)
    source = open_source("omniglot", data_folder=omniglot_folder.parent, offline=True)
    for name in short_names():
        model = store.find(name, "models")
        settings = EvalSettings(protocol="lake", ways=(20,), baselines=())
        made = evaluate(store, [model], settings=settings, source=source, device="cpu")
        (row,) = read_summary(made.artifact.file("summary.json")).results
        (said,) = [row for row in BoxFacts.of(model.manifest).results if row.protocol == "lake"]
        assert row.trials == said.trials
        assert list(row.ci95) == pytest.approx(list(said.ci95), abs=0.003)
        assert abs(row.correct - said.correct) <= 1  # Sums are rounded elsewhere on other processors.
