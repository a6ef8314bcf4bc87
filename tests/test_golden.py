"""Artifacts of every released format version stay readable."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from omnishot.config import EvalSettings
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.gallery import read_gallery, read_thumbnails
from omnishot.formats.model import read_model
from omnishot.progress import silent
from omnishot.reporting.results import choose_evaluations, measured_in
from omnishot.stages.evaluate import _RECIPE, evaluate
from omnishot.stages.produce import find_reusable
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(params=["v1", "v2"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    """A copy, so that nothing can be written beside the originals."""
    return Store(shutil.copytree(GOLDEN / request.param, tmp_path / "artifacts"))


def test_every_file_is_what_its_manifest_says(store: Store, request: pytest.FixtureRequest) -> None:
    artifacts = store.artifacts()
    assert [str(artifact.reference) for artifact in artifacts] == [
        "images/golden:v1",
        "pairs/golden-20-affine1:v1",
        "models/golden:v1",
        "evals/golden-lake:v1",
        "galleries/golden:v1",
    ]
    for artifact in artifacts:
        assert artifact.manifest.format == int(request.node.callspec.params["store"][1:])
        for name in artifact.manifest.files:
            artifact.file(name)


def test_the_pairs_are_read_whole(store: Store) -> None:
    data = EvaluationData.read(store.find("golden-20-affine1"))
    pixels = data.pixels()
    assert pixels.shape == (36, 105, 105)
    assert pixels[3, 30:36, 20:85].min() == 255
    assert data.labels.character_names[5] == "A1/c1"
    assert [len(part) for part in (data.split.train, data.split.validation, data.split.test)] == [12, 12, 12]
    pairs = [data.pairs(part) for part in ("train", "validation", "test")]
    assert [len(drawn) for drawn in pairs if drawn] == [20, 10, 10]
    assert data.runs is not None
    assert data.runs.support.tolist() == [[24, 27, 30, 33]]


def test_the_network_still_gives_the_same_vectors(store: Store) -> None:
    model = store.find("models/golden")
    network = read_model(model.file("weights.safetensors"), model.file("config.yaml")).eval()
    with torch.no_grad():
        vectors = network.twin(torch.ones(1, 1, 35, 35) * 0.5)
    assert vectors.shape == (1, 512)
    assert float(vectors.mean()) == pytest.approx(62.7075, rel=1e-3)


def test_measuring_again_gives_the_recorded_scores(store: Store) -> None:
    recorded = store.find("golden-lake")
    again = evaluate(
        store,
        [store.find("models/golden")],
        store.find("golden-20-affine1"),
        EvalSettings(protocol="lake", ways=(2, 4)),
        name="again",
        device="cpu",
        force=True,
        on_progress=silent,
    ).artifact
    first, second = (json.loads(artifact.file("summary.json").read_text()) for artifact in (recorded, again))
    for one, other in zip(first["results"], second["results"], strict=True):
        assert other["questions"] == one.setdefault("questions", 4)  # Not counted in format 1.
        assert {**one, "ci95": None} == {**other, "ci95": None}
        assert np.allclose(one["ci95"], other["ci95"], atol=0.05)


def test_the_evaluation_can_be_reported(store: Store) -> None:
    measured = measured_in(choose_evaluations(store, []))
    assert len(measured) == 8
    assert {item.result.model for item in measured} == {"models/golden:v1", "nearest-neighbour", "hausdorff", "random"}


def measured_again(store: Store) -> bool:
    """Measure what the golden evaluation did, and tell whether it was reused."""
    model, pairs = store.find("models/golden"), store.find("golden-20-affine1")
    settings = EvalSettings(protocol="lake", ways=(2, 4), baselines=("nearest-neighbour", "hausdorff", "random"))
    return evaluate(store, [model], pairs, settings, name="golden-lake", device="cpu", on_progress=silent).reused


def test_what_a_recipe_determines_is_reused_and_an_evaluation_where_it_pins_its_model(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omnishot.stages.produce.version", lambda name: "0.2.0")  # Recipe versions are trusted then.
    for artifact in store.artifacts():
        if artifact.manifest.kind not in {"evals", "galleries"}:
            parents = [store.parent(parent) for parent in artifact.manifest.parents]
            recipe = Recipe(
                artifact.manifest.kind, 1, artifact.manifest.settings,
                [parent.as_parent() for parent in parents if parent], artifact.manifest.source,
            )  # fmt: skip
            found = find_reusable(store, recipe)
            assert found is not None
            assert found.reference == artifact.reference
    pinned = store.find("golden-lake").manifest.recipe_version  # None in format 1.
    assert measured_again(store) is (pinned == _RECIPE)
    assert measured_again(store)  # By now there is one that pins it.


def test_the_gallery_is_read_whole(store: Store) -> None:
    artifact = store.find("galleries/golden")
    gallery, thumbnails = read_gallery(artifact), read_thumbnails(artifact)
    assert gallery.classes == ("alpha", "beta", "gamma")
    assert gallery.of_class.tolist() == [0, 0, 1, 2]
    assert gallery.files == ("0.png", "1.png", "0.png", "0.png")
    assert gallery.embeddings.shape == (4, 512)
    assert gallery.settings.model.reference == "models/golden:v1"
    assert gallery.settings.calibration
    assert gallery.settings.threshold == gallery.settings.calibration.threshold == pytest.approx(-10321.128125)
    assert thumbnails
    assert [Image.open(io.BytesIO(small)).size for small in thumbnails] == [(105, 105)] * 4
