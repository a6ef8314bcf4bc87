"""Photographs from a folder to a fitted model and its results; the network's knowledge is drawn at random here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
from omnishot.data.sources import open_source
from omnishot.data.sources.photos import PhotoFormat
from omnishot.errors import DamagedFileError, SettingsError, UsageError
from omnishot.evaluation.embedding import embed
from omnishot.formats.evaluation import read_summary
from omnishot.formats.hdf5 import create_hdf5, open_hdf5
from omnishot.formats.history import read_history
from omnishot.formats.images import holds_photos, pixels_of, read_labels
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.formats.model import read_model
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.model.device import choose_compute
from omnishot.model.whitening import fit_whitening
from omnishot.presets import preset_text
from omnishot.recognition.loading import load
from omnishot.reporting.page.page import make_page
from omnishot.reporting.pictures.network import filters_of
from omnishot.settings_text import check, with_changes
from omnishot.stages.evaluate import evaluate
from omnishot.stages.prepare import prepare
from omnishot.stages.run import run
from omnishot.stages.train import train
from omnishot.stages.training_settings import choose_training
from omnishot.store.artifact import Artifact
from omnishot.store.remake import words_of
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from tests.conftest import draw_lite0

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("untaught_lite0")]
N_CLASSES, N_IMAGES = 12, 4


def settings_of(*changes: str) -> TrainSettings:
    """Return the preset with small images and changes."""
    values = with_changes(read_yaml(preset_text("photos"), origin="photos"), ["objective.image_size=32", *changes])
    return check(TrainSettings, values, origin="photos")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of classes that have a colour of their own, and a pattern that says nothing."""
    root = tmp_path_factory.mktemp("photographs") / "things"
    rng = np.random.default_rng(0)
    for number in range(N_CLASSES):
        (root / f"thing {number:02}").mkdir(parents=True)
        colour = rng.integers(40, 216, 3)
        for view in range(N_IMAGES):
            pixels = np.clip(colour + rng.normal(0, 25, (5, 7, 1)) + rng.normal(0, 8, 3), 0, 255).astype(np.uint8)
            image = Image.fromarray(pixels).resize((70, 50), Image.Resampling.BICUBIC)
            image.save(root / f"thing {number:02}" / f"{view}.png")
    return root


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def prepared(store: Store, folder: Path, *, colour: bool = True, side: int = 40) -> Artifact:
    source = open_source(str(folder), photos=PhotoFormat(side, colour))
    small = PrepareSettings(pairs=200, validation_pairs=40, test_pairs=40)
    return prepare(store, small.model_copy(update={}), source=source).artifact


@pytest.mark.parametrize(("colour", "channels"), [(True, 3), (False, 1)])
def test_a_pair_dataset_keeps_colour_and_size_and_its_recipe_says_so(
    colour: bool, channels: int, store: Store, folder: Path
) -> None:
    pairs = prepared(store, folder, colour=colour)
    with open_hdf5(pairs.file("pairs.h5")) as file:
        assert pixels_of(file).shape == (N_CLASSES * N_IMAGES, 40, 40, channels)
        assert holds_photos(file)
    (images,) = store.artifacts("images")
    assert images.manifest.settings == {"image_size": 40, "colour": colour}
    assert PairsFacts.of(pairs.manifest).has_photos
    assert pairs.manifest.settings["affine"] == 0
    words = words_of(pairs.manifest)
    assert words[words.index("--image-size") + 1] == "40"
    assert ("--colour" in words) == colour


def test_drawings_of_the_same_folder_are_another_recipe(store: Store, folder: Path) -> None:
    photos = prepared(store, folder)
    drawings = prepare(store, PrepareSettings(pairs=40, affine=0), source=str(folder))
    assert drawings.artifact.manifest.recipe != photos.manifest.recipe
    assert not PairsFacts.of(drawings.artifact.manifest).has_photos
    assert any("They look like photographs" in note for note in drawings.notes)


def test_the_model_holds_the_whitening_of_its_training_images(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    model = train(store, pairs, settings_of("objective.head=cosine", "precision=fp32")).artifact
    network = read_model(model.file("weights.safetensors"), model.file("config.yaml"))
    with open_hdf5(pairs.file("pairs.h5")) as file:
        labels = read_labels(file)
        chosen = file["split/train"][...].astype(np.int64)
    plain = read_model(model.file("weights.safetensors"), model.file("config.yaml"))
    plain.twin.get_buffer("center").zero_()
    plain.twin.get_buffer("whitening").copy_(torch.eye(1280))
    compute, pixels = choose_compute("cpu", "fp32"), StoredPixels(pairs.file("pairs.h5"))
    before = embed(plain, pixels, chosen, compute).numpy()
    fitted = fit_whitening(before, labels.character[chosen], shrinkage=0.7).apply(before)
    expected = fitted / np.linalg.norm(fitted, axis=1, keepdims=True)
    assert np.allclose(embed(network, pixels, chosen, compute).numpy(), expected, atol=1e-4)
    taught = draw_lite0().state_dict()
    assert all(
        torch.equal(tensor, taught[name])
        for name, tensor in network.twin.get_submodule("backbone").state_dict().items()
    )
    (record,) = read_history(model.file("history.jsonl"))
    assert record.validation_accuracy == model.manifest.summary["validation_accuracy"]


def test_the_chosen_head_is_recorded_and_read_back(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    chosen = {}
    for asked in ("auto", "cosine", "l1"):
        model = train(store, pairs, settings_of(f"objective.head={asked}"), name=asked).artifact
        chosen[asked] = str(model.manifest.summary["head"])
        network = read_model(model.file("weights.safetensors"), model.file("config.yaml"))
        assert network.distance == ("l1" if chosen[asked] == "l1" else "squared")
        assert model.manifest.settings["objective"]["head"] == asked
    assert (chosen["cosine"], chosen["l1"]) == ("cosine", "l1")
    assert chosen["auto"] in {"cosine", "l1"}


@pytest.mark.parametrize("change", ["shrinkage=0.2", "image_size=40"])
def test_settings_of_the_whitening_act(change: str, store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    one, other = (train(store, pairs, settings_of(*changes)).artifact for changes in ([], [f"objective.{change}"]))
    assert one.manifest.recipe != other.manifest.recipe
    matrices = [
        read_model(m.file("weights.safetensors"), m.file("config.yaml")).twin.get_buffer("whitening")
        for m in (one, other)
    ]
    assert not torch.allclose(matrices[0], matrices[1])


@pytest.mark.parametrize(
    "change", ["epochs=3", "optimizer.kind=adam", "weight_averaging=0.9", "initialization=torch", "max_minutes=1"]
)
def test_settings_of_steps_are_refused_as_there_are_none(change: str) -> None:
    with pytest.raises(SettingsError, match=f"{change.split('=')[0].split('.')[0]} does not act"):
        settings_of(change)
    with pytest.raises(SettingsError, match="go together"):
        settings_of("twin=conv4")


def test_an_evaluation_compares_with_pixels_of_the_photographs(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    model = train(store, pairs, settings_of()).artifact
    made = evaluate(store, [model], pairs, EvalSettings(ways=(2,), trials=60)).artifact
    accuracy = {result.model: result.accuracy for result in read_summary(made.file("summary.json")).results}
    assert set(accuracy) == {str(model.reference), "nearest-neighbour", "random"}
    assert accuracy["nearest-neighbour"] > 0.6
    again = evaluate(store, [model], source=str(folder), settings=EvalSettings(ways=(2,), trials=60)).artifact
    assert again.manifest.parent("pairs") is not None  # The images it was fitted to are no test of it.


def test_the_page_shows_photographs_and_says_what_does_not_apply(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    model = train(store, pairs, settings_of()).artifact
    made = evaluate(store, [model], pairs, EvalSettings(ways=(2,), trials=30)).artifact
    html = make_page(store, [made], lambda progress: None).html
    assert f"{model.reference} has no training curves" in html
    assert "First-layer filters, activation maps and affine variants show what training did" in html
    assert "image/png" in html  # Photographs in their own colours.
    with pytest.raises(UsageError, match="came as it is"):
        filters_of([model])


def test_what_takes_drawings_refuses_photographs(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder)
    quick = choose_training(preset="quick", changes=["epochs=1"]).settings
    with pytest.raises(SettingsError, match="is trained on drawings") as caught:
        train(store, pairs, quick)
    assert "--preset photos" in caught.value.hint
    with pytest.raises(UsageError, match="takes drawings, but these images are kept as photographs"):
        evaluate(store, [store.find("quick", "models")], pairs)
    with pytest.raises(UsageError, match="Hausdorff"):
        evaluate(store, [], pairs, EvalSettings(ways=(2,), trials=5, baselines=("hausdorff",)))
    with pytest.raises(SettingsError, match="--materialize"):
        prepare(
            store, PrepareSettings(pairs=40, materialize=True), source=open_source(str(folder), photos=PhotoFormat(40))
        )


def test_a_run_looks_at_the_images_and_says_what_it_chose(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    store.tell = said.append
    monkeypatch.setattr("omnishot.model.imagenet_weights.is_installed", lambda: True)
    made = run(store, settings=PrepareSettings(pairs=60, validation_pairs=20, test_pairs=20), source=str(folder))
    assert made.model.artifact.manifest.settings["twin"] == "lite0"
    assert any("are photographs:" in sentence for sentence in said)
    assert "Preset photos, as the images are photographs" in said


def test_a_fitted_model_names_images_with_the_same_vectors(store: Store, folder: Path) -> None:
    pairs = prepared(store, folder, side=32)
    model = train(store, pairs, settings_of()).artifact
    recognizer = load("photos", store=store)
    assert (recognizer.preparation, recognizer.name) == ("photo", str(model.reference))
    paths = sorted(folder.rglob("*.png"))
    network = read_model(model.file("weights.safetensors"), model.file("config.yaml"))
    stored = embed(network, StoredPixels(pairs.file("pairs.h5")), np.arange(8), choose_compute("cpu", "fp32")).numpy()
    assert (np.einsum("ij,ij->i", recognizer.embed(paths[:8]), stored) > 0.999).all()
    support = {path.parent.name: [path] for path in paths[::N_IMAGES]}
    matches = recognizer.identify(support, list(paths[::N_IMAGES]))
    assert [match.name for match in matches] == list(support)


def test_without_a_fitted_one_photos_is_the_network_as_it_comes(store: Store, folder: Path) -> None:
    recognizer = load("photos", store=store)
    paths = sorted(folder.rglob("*.png"))[:3]
    vectors = recognizer.embed([paths[0], Image.open(paths[1]), np.asarray(Image.open(paths[2]))])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.allclose(recognizer.compare_embeddings(vectors, vectors), vectors @ vectors.T, atol=1e-3)


@pytest.mark.parametrize("shape", [(2, 40, 30, 3), (2, 40, 40, 4), (2, 10, 10, 3), (0, 40, 40, 3), (2, 104, 104)])
def test_images_of_no_such_shape_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    with create_hdf5(tmp_path / "images.h5") as file:
        file.create_dataset("images/pixels", data=np.zeros(shape, dtype=np.uint8))
    with open_hdf5(tmp_path / "images.h5") as file, pytest.raises(DamagedFileError, match="has the shape"):
        pixels_of(file)


@pytest.mark.parametrize("n_images", [2, 50])
def test_two_classes_and_many_images_of_few(n_images: int, store: Store, tmp_path: Path) -> None:
    write: Callable[[int], Image.Image] = lambda seed: Image.fromarray(  # noqa: E731
        np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    )
    for part, names in (("train", "ab"), ("test", "cd")):
        for name in names:
            (tmp_path / "set" / part / name).mkdir(parents=True)
            for number in range(n_images):
                write(1000 * ord(name) + number).save(tmp_path / "set" / part / name / f"{number}.png")
    pairs = prepared(store, tmp_path / "set", side=20)
    model = train(store, pairs, settings_of()).artifact
    assert model.manifest.summary["validation_accuracy"] is None
    assert evaluate(store, [model], pairs, EvalSettings(ways=(2,), trials=10)).artifact.manifest.summary["accuracy"]
