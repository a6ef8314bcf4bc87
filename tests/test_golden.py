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
from omnishot.stages.evaluate import evaluate
from omnishot.store.store import Store

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A copy, so that nothing can be written beside the originals."""
    return Store(shutil.copytree(GOLDEN / "v1", tmp_path / "artifacts"))


def test_every_file_is_what_its_manifest_says(store: Store) -> None:
    artifacts = store.artifacts()
    assert [str(artifact.reference) for artifact in artifacts] == [
        "images/golden:v1",
        "pairs/golden-20-affine1:v1",
        "models/golden:v1",
        "evals/golden-lake:v1",
        "galleries/golden:v1",
    ]
    for artifact in artifacts:
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
        assert other.pop("questions") == 4  # What was not counted then.
        assert {**one, "ci95": None} == {**other, "ci95": None}
        assert np.allclose(one["ci95"], other["ci95"], atol=0.05)


def test_the_evaluation_can_be_reported(store: Store) -> None:
    measured = measured_in(choose_evaluations(store, []))
    assert len(measured) == 8
    assert {item.result.model for item in measured} == {"models/golden:v1", "nearest-neighbour", "hausdorff", "random"}


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
