"""What was read right before one decision was made for a source is read to the same bytes, so that recipes stay."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from omnishot.data.image_set import ImageSet
from omnishot.data.sources import open_source
from omnishot.progress import silent
from tests.conftest import draw_images

Finish = Callable[[Image.Image, int], Image.Image]


def on_paper(image: Image.Image, number: int) -> Image.Image:
    return image.point([255 - number - ink * (240 - number) // 255 for ink in range(256)])


def both_ways(image: Image.Image, number: int) -> Image.Image:
    return image if number % 3 == 0 else ImageOps.invert(image)


def on_nothing(image: Image.Image, number: int) -> Image.Image:
    drawn = Image.new("RGBA", image.size, (10 * number, 20, 60))
    drawn.putalpha(image)
    return drawn


def deep(image: Image.Image, number: int) -> Image.Image:
    return Image.fromarray((65_535 - np.asarray(image).astype(np.uint16) * (257 - number)).astype(np.uint16))


def enlarged(image: Image.Image, number: int) -> Image.Image:
    return ImageOps.invert(image).resize((211 + 7 * number, 160), Image.Resampling.NEAREST).convert("RGB")


def on_a_table(image: Image.Image, number: int) -> Image.Image:
    return image.point([170 + 3 * (number % 4) - ink * 140 // 255 for ink in range(256)])


def with_a_blank(image: Image.Image, number: int) -> Image.Image:
    return Image.new("L", image.size, 255 if number else 0) if number < 2 else ImageOps.invert(image)


BEFORE = (
    (on_paper, "png", "ad2528527d666b26"),
    (both_ways, "png", "f5bfea48d769aff9"),
    (on_nothing, "png", "acd2ab402be27eb9"),
    (deep, "png", "232d41bcd19c4ca3"),
    (enlarged, "tif", "69b5cc833e1cd8d1"),
    (enlarged, "bmp", "69b5cc833e1cd8d1"),
    (on_a_table, "gif", "98700d39b4e54f3b"),
    (with_a_blank, "png", "b1a180263d7eef21"),
)
"""Digests of pixels and labels, computed at commit 2809a3a, in which each picture's border decided for itself."""


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[Finish, str], Path]:
    def write(finish: Finish, ending: str) -> Path:
        images = draw_images(2, 3, 4, wobble=9, seed=5)
        labels = images.labels
        for i, pixels in enumerate(images.pixels):
            target = tmp_path / "scripts" / labels.character_names[labels.character[i]] / f"{labels.drawer[i]}.{ending}"
            target.parent.mkdir(parents=True, exist_ok=True)
            finish(Image.fromarray(pixels), i).save(target)
        return tmp_path / "scripts"

    return write


def digest_of(images: ImageSet) -> str:
    labels, digest = images.labels, hashlib.sha256(images.pixels.tobytes())
    for indices in (labels.alphabet, labels.character, labels.drawer):
        digest.update(indices.tobytes())
    digest.update(repr((labels.alphabet_names, labels.character_names)).encode())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(
    ("finish", "ending", "digest"), BEFORE, ids=[f"{case[0].__name__}-{case[1]}" for case in BEFORE]
)
def test_pixels_labels_and_recipe_are_what_they_were(
    tree: Callable[[Finish, str], Path], finish: Finish, ending: str, digest: str
) -> None:
    source = open_source(str(folder := tree(finish, ending)), data_folder=folder, offline=True)
    assert source.settings == {}
    assert digest_of(source.read(silent)) == digest


def test_content_has_the_digest_it_had(tree: Callable[[Finish, str], Path]) -> None:
    folder = tree(enlarged, "bmp")  # Whose bytes no library packs in its own way.
    (folder / "A0" / "Thumbs.db").write_bytes(b"\xd0\xcf")
    (folder / "A0" / "c0" / "README.txt").write_text("Notes.")
    (folder / "A2" / "empty").mkdir(parents=True)
    source = open_source(str(folder), data_folder=folder, offline=True)
    assert source.digest.startswith("d3d356e50325b7bc")
    assert source.digest_in_format_1.startswith("cfc5e412c384f15a")


def test_the_built_in_sources_have_the_digests_they_had(omniglot_folder: Path) -> None:
    source = open_source("omniglot", data_folder=omniglot_folder.parent, offline=True)
    assert source.digest.startswith("6f8555331eec4d58")
    assert source.digest_in_format_1.startswith("2bf7698b2365d0db")
    assert open_source("glyphs", data_folder=omniglot_folder.parent, offline=True).digest == "glyphs-1"
    assert source.settings == {}


def test_the_real_omniglot_is_read_as_it_was(omniglot: ImageSet) -> None:
    assert digest_of(omniglot) == "174b849a7a1f17e2"
