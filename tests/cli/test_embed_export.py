"""omnishot embed and omnishot export: what they write, what they say of bad images, and what can be read back."""

import csv
import importlib.util
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from omnishot.model.imagenet_weights import is_installed
from tests.conftest import Cli, draw_images

NEEDS_ONNX = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="needs the extra onnx",
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for number, pixels in enumerate(draw_images(1, 3, 1).pixels):
        paths.append(folder / f"drawing {number}.png")
        Image.fromarray(255 - pixels).save(paths[-1])
    return paths


@pytest.mark.parametrize("suffix", ["npz", "h5", "hdf5", "tsv"])
def test_every_format_holds_the_same(omnishot: Cli, pictures: list[Path], tmp_path: Path, suffix: str) -> None:
    import omnishot as library

    out = tmp_path / f"vectors.{suffix}"
    done = omnishot("embed", *pictures, "--out", out, "--json", "--store", tmp_path / "none", "--device", "cpu")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    recognizer = library.load("quick", device="cpu", store=tmp_path / "none")
    if suffix == "npz":
        with np.load(out) as file:
            names, vectors, digest = file["names"].tolist(), file["vectors"], str(file["digest"])
    elif suffix == "tsv":
        first, _, *rows = out.read_text("utf-8").splitlines()
        parsed = list(csv.reader(rows, "excel-tab"))
        names, vectors = [row[0] for row in parsed], np.array([row[1:] for row in parsed], dtype=np.float32)
        digest = first.rpartition(" ")[2]
    else:
        with h5py.File(out) as file:
            names, vectors, digest = file["names"].asstr()[:].tolist(), file["vectors"][:], file.attrs["digest"]
    assert names == said["names"] == list(map(str, pictures))
    assert digest == said["digest"] == recognizer.digest
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, recognizer.embed(pictures), rtol=1e-5, atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name]  # No store, and nothing half written.


def test_bad_images_are_reported_and_the_others_go_on(omnishot: Cli, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    Image.new("L", (30, 30), 255).save(tmp_path / "blank.png")
    bad = [tmp_path / "text.png", tmp_path / "missing.png", tmp_path]
    out = tmp_path / "vectors.npz"
    done = omnishot("embed", bad[0], *pictures, *bad[1:], tmp_path / "blank.png", "--out", out, "--quiet")
    assert (done.code, done.out) == (4, f"{out}\n")
    lines = done.err.splitlines()
    assert len(lines) == 4
    assert all(str(path) in line for path, line in zip(bad, lines, strict=False))
    assert "3 images of 7 could not be read" in lines[-1]
    with np.load(out) as file:
        assert file["names"].tolist() == [*map(str, pictures), str(tmp_path / "blank.png")]
    done = omnishot("embed", *pictures, tmp_path / "blank.png", "--out", out)
    assert done.code == 0
    assert "Nothing is to be seen on 1 image" in done.err


def test_where_nothing_can_be_read_nothing_is_written(omnishot: Cli, tmp_path: Path) -> None:
    for images in (["a.png"], ["a.png", "b.png"]):
        done = omnishot("embed", *images, "--out", tmp_path / "vectors.tsv")
        assert (done.code, done.out) == (4, "")
        assert "a.png" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("embed a.png --out vectors.csv", 2, ".npz"),
        ("embed a.png --out missing/vectors.npz", 4, "There is no folder"),
        ("embed a.png --out v.npz --model nothing", 4, "There is no 'nothing'"),
        ("export quick --out model.pt", 2, ".safetensors"),
        ("export nothing --out model.safetensors", 4, "There is no 'nothing'"),
        ("export quick --out missing/model.onnx", 4, "There is no folder"),
    ],
)
def test_what_cannot_be_done_is_said(omnishot: Cli, command: str, code: int, said: str) -> None:
    done = omnishot(*command.split())
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_an_exported_model_is_the_same_recognizer(
    omnishot: Cli, evaluated_store: Path, pictures: list[Path], tmp_path: Path
) -> None:
    import omnishot as library

    out = tmp_path / "mine.safetensors"
    done = omnishot("export", "quick", "--out", out, "--json", "--store", evaluated_store)
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"paths": [str(out), str(tmp_path / "mine.md")]}
    card = (tmp_path / "mine.md").read_text("utf-8")
    assert "| within | test | 5-way 1-shot |" in card
    original = library.load("quick", device="cpu", store=evaluated_store)
    again = library.load(out, device="cpu")
    assert again.digest == original.digest
    assert original.digest in card
    assert (again.embed(pictures) == original.embed(pictures)).all()
    assert set(load_file(out)) == set(load_file(evaluated_store / "models/quick/v1/weights.safetensors"))
    assert omnishot("export", out, "--out", tmp_path / "twice.safetensors").code == 0
    assert library.load(tmp_path / "twice.safetensors", device="cpu").digest == original.digest


def test_a_model_trained_on_ones_own_folder_sees_images_as_it_was_trained(evaluated_store: Path) -> None:
    import omnishot as library

    own = library.load("quick", device="cpu", store=evaluated_store)
    assert "fitted into 105x105" in own.preparation_in_words
    assert "drawn anew" in library.load("omnishot-quick", device="cpu", store=evaluated_store).preparation_in_words


def test_a_file_that_is_no_exported_model_is_refused(omnishot: Cli, tmp_path: Path) -> None:
    import omnishot as library

    out = tmp_path / "quick.safetensors"
    assert omnishot("export", "quick", "--out", out, "--store", tmp_path / "none").code == 0
    content = out.read_bytes()
    cases = {"cut": content[:-4], "text": b"hello", "empty": b"", "changed": content[:-1] + bytes([content[-1] ^ 1])}
    for name, changed in cases.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(changed)
        with pytest.raises(library.OmnishotError, match=name) as error:
            library.load(path)
        assert error.value.exit_code == 4
    boxed = Path(library.__file__).parent / "weights/models/omnishot-quick/v1/weights.safetensors"
    shutil.copyfile(boxed, tmp_path / "bare.safetensors")
    with pytest.raises(library.OmnishotError, match="not written by omnishot"):
        library.load(tmp_path / "bare.safetensors")


@NEEDS_ONNX
@pytest.mark.slow
@pytest.mark.parametrize(("twin", "test_variants"), [("conv4", 0), ("koch35", 0), ("residual", 8)])
def test_onnx_gives_the_same_vectors_and_similarities(twin: str, test_variants: int, tmp_path: Path) -> None:
    import onnxruntime
    import torch

    from omnishot.config import TrainSettings
    from omnishot.formats.exported import KEY, Exported, Preparation
    from omnishot.formats.onnx_export import write_onnx
    from omnishot.model.device import choose_compute
    from omnishot.model.siamese import build_network
    from omnishot.recognition.drawing_preparation import DrawingPreparation
    from omnishot.recognition.images import PreparedImage
    from omnishot.recognition.recognizer import Recognizer

    torch.manual_seed(0)
    settings = TrainSettings.model_validate({"twin": twin, "test_variants": test_variants})
    network, preparation = build_network(settings.twin), DrawingPreparation()
    network.test_variants = test_variants
    recognizer = Recognizer(twin, network, preparation, choose_compute("cpu", "fp32"))
    said = Exported(
        name=twin,
        settings=settings,
        preparation=Preparation.model_validate_json(json.dumps(preparation.settings)),
        similarity=recognizer.similarity_in_words,
        digest=recognizer.digest,
    )
    paths = write_onnx(tmp_path / "network.onnx", network, said)
    assert [path.name for path in paths] == ["network.onnx", "network-head.onnx"]
    to_vectors, to_similarity = (onnxruntime.InferenceSession(path) for path in paths)
    for session in (to_vectors, to_similarity):
        metadata = session.get_modelmeta().custom_metadata_map
        assert Exported.model_validate_json(metadata[KEY]) == said
    for n_images in (1, 7):  # Any number of rows.
        pixels = draw_images(1, n_images, 1, seed=n_images).pixels
        expected = recognizer.embed([PreparedImage(str(i), image) for i, image in enumerate(pixels)])
        (vectors,) = to_vectors.run(None, {"pixels": pixels})
        np.testing.assert_allclose(vectors, expected, atol=1e-4)
        (similarity,) = to_similarity.run(None, {"queries": vectors, "support": vectors[:1]})
        np.testing.assert_allclose(similarity, recognizer.compare_embeddings(expected, expected[:1]), atol=1e-4)


def test_photographs_without_their_weights_are_said(omnishot: Cli, tmp_path: Path) -> None:
    if is_installed():
        pytest.skip("the extra photos is installed")
    done = omnishot("embed", "a.png", "--out", "v.npz", "--model", "photos", "--store", tmp_path / "none")
    assert (done.code, done.out) == (6, "")
    assert "'.[photos]'" in done.err


def test_onnx_without_its_packages_is_said(omnishot: Cli, tmp_path: Path) -> None:
    if importlib.util.find_spec("onnxscript") is not None:
        pytest.skip("the extra onnx is installed")
    done = omnishot("export", "quick", "--out", tmp_path / "quick.onnx", "--store", tmp_path / "none")
    assert done.code == 6
    assert "'.[onnx]'" in done.err
    assert not list(tmp_path.iterdir())
