"""MNIST's test set is read as published, and upsampled as the paper has it."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from omnishot.data.render import shrink
from omnishot.data.sources import mnist, open_source
from omnishot.data.splits import all_for_test
from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.progress import silent


@pytest.fixture(scope="module")
def made_up() -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(10_000, 28, 28), dtype=np.uint8)
    return pixels, rng.integers(0, 10, size=10_000, dtype=np.uint8)


def write(folder: Path, images: bytes, labels: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / mnist.IMAGES).write_bytes(gzip.compress(images, 1))
    (folder / mnist.LABELS).write_bytes(gzip.compress(labels, 1))
    return folder


@pytest.fixture
def files(tmp_path: Path, made_up: tuple[np.ndarray, np.ndarray]) -> tuple[bytes, bytes]:
    pixels, digits = made_up
    images = b"\x00\x00\x08\x03\x00\x00\x27\x10\x00\x00\x00\x1c\x00\x00\x00\x1c" + pixels.tobytes()
    return images, b"\x00\x00\x08\x01\x00\x00\x27\x10" + digits.tobytes()


def test_a_network_of_35_pixels_gets_the_upsampled_digits(
    tmp_path: Path,
    files: tuple[bytes, bytes],
    made_up: tuple[np.ndarray, np.ndarray],
) -> None:
    pixels, digits = made_up
    images = mnist.find(write(tmp_path / "mnist", *files), offline=True).read(silent)
    labels = images.labels
    assert len(labels) == 10_000
    assert [int((labels.character == digit).sum()) for digit in range(10)] == np.bincount(digits).tolist()
    number = int(np.flatnonzero(digits == 7)[3])  # The fourth seven of the file is the fourth drawer's.
    place = int(np.flatnonzero((labels.character == 7) & (labels.drawer == 3))[0])
    assert labels.character_names[7] == "MNIST/7"
    upsampled = Image.fromarray(pixels[number]).resize((35, 35), Image.Resampling.BILINEAR)
    seen = shrink(torch.from_numpy(images.pixels[place : place + 1]), 35)[0, 0] * 255
    assert np.allclose(seen.numpy(), np.asarray(upsampled), atol=1e-3)


@pytest.mark.parametrize("damage", ["short", "long", "header", "labels", "no gzip"])
def test_a_damaged_file_is_named(tmp_path: Path, files: tuple[bytes, bytes], damage: str) -> None:
    images, labels = files
    changed = {
        "short": (images[:-1], labels),
        "long": (images + b"\x00", labels),
        "header": (b"\x00\x00\x08\x01" + images[4:], labels),
        "labels": (images, labels[:-1] + b"\x0a"),
        "no gzip": (images, labels),
    }[damage]
    folder = write(tmp_path / "mnist", *changed)
    if damage == "no gzip":
        (folder / mnist.IMAGES).write_bytes(b"MNIST")
    with pytest.raises(DamagedFileError, match=mnist.LABELS if damage == "labels" else mnist.IMAGES):
        mnist.find(folder, offline=True)


def test_missing_files_are_named_where_nothing_may_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=f"{mnist.IMAGES} of MNIST is not in .* OMNISHOT_OFFLINE"):
        open_source("mnist", data_folder=tmp_path, offline=True)


def test_all_of_it_is_for_the_test() -> None:
    split = all_for_test(5)
    assert split.test.tolist() == [0, 1, 2, 3, 4]
    assert not len(split.train) + len(split.validation)


def test_the_real_digits_are_counted() -> None:
    folder = Path(os.environ.get("OMNISHOT_DATA", "")) / "mnist"
    if not (folder / mnist.IMAGES).exists():
        pytest.skip("needs the real MNIST in $OMNISHOT_DATA/mnist")
    digits = mnist.find(folder, offline=True).digits
    # As everybody counts them: 980 zeros, 1,135 ones, ...
    assert np.bincount(digits).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
