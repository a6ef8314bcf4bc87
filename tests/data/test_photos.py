"""Photographs become squares of their own colours, whatever the file, and a source is looked at before it is read."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omnishot.data.sources import open_source
from omnishot.data.sources.kind import look_at
from omnishot.data.sources.photos import PhotoFormat, photo_format, read_photo
from omnishot.errors import DamagedFileError, SettingsError

SMALL = PhotoFormat(32)


def scene(width: int = 90, height: int = 60, *, seed: int = 0) -> Image.Image:
    """Return a picture of many shades and colours, of which every corner differs."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def as_file(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(content: bytes | Image.Image, kept: PhotoFormat = SMALL) -> np.ndarray:
    return read_photo(content, place="it", kept=kept).pixels


def test_colours_and_proportions_stay_and_all_of_the_picture_is_seen() -> None:
    image = scene(96, 64)
    found = read(image, PhotoFormat(96))
    assert np.array_equal(found[16:80], np.asarray(image))
    assert (found[:16] == found[0, 0]).all()
    assert (found[80:] == found[0, 0]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_that_was_turned_makes_the_same_photograph(orientation: int) -> None:
    image = scene(64, 48)
    undo = [None, 0, 3, 1, 5, 2, 6, 4][orientation - 1]  # Transpositions that undo what a viewer does.
    held = image if undo is None else image.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read(as_file(held, exif=exif)), read(image))


def test_what_is_transparent_becomes_white_or_black_where_all_else_is_white() -> None:
    red = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    red.paste((200, 30, 30, 255), (10, 10, 30, 30))
    white = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), (10, 10, 30, 30))
    assert read(as_file(red))[0, 0].tolist() == [255, 255, 255]
    assert read(as_file(red))[16, 16].tolist() == [200, 30, 30]
    assert read(as_file(white))[0, 0].tolist() == [0, 0, 0]
    assert read(as_file(white))[16, 16].tolist() == [255, 255, 255]


def test_dark_on_light_is_not_turned_round() -> None:
    page = Image.new("L", (50, 50), 240)
    page.paste(10, (20, 20, 30, 30))
    assert read(page)[0, 0].tolist() == [240, 240, 240]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA"])
@pytest.mark.parametrize(("width", "height"), [(20, 20), (1, 1), (3, 400)])
def test_every_mode_and_size_becomes_the_square_that_is_asked_for(mode: str, width: int, height: int) -> None:
    image = scene(width, height).convert("L").convert("I;16") if mode == "I;16" else scene(width, height).convert(mode)
    assert read(image).shape == (32, 32, 3)
    assert read(image, PhotoFormat(32, colour=False)).shape == (32, 32, 1)


def test_a_colour_all_over_is_blank_whatever_its_shape() -> None:
    assert read_photo(Image.new("RGB", (90, 30), "teal"), place="it", kept=SMALL).is_blank
    assert not read_photo(scene(), place="it", kept=SMALL).is_blank


@pytest.mark.parametrize("content", [b"", b"no picture", as_file(scene())[:200]], ids=["empty", "text", "cut"])
def test_what_is_no_picture_is_named(content: bytes) -> None:
    with pytest.raises(DamagedFileError, match="it "):
        read(content)


def test_neither_colour_nor_a_side_asks_for_photographs() -> None:
    assert photo_format(colour=False, side=None) is None
    assert photo_format(colour=True, side=None) == PhotoFormat(224, colour=True)
    assert photo_format(colour=False, side=64) == PhotoFormat(64, colour=False)
    with pytest.raises(SettingsError, match=r"--image-size 9 is not within 20\.\.1024"):
        photo_format(colour=True, side=9)


def drawing(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    page = rng.normal(225, 6, (120, 120)) + np.linspace(-15, 15, 120)  # Paper has a grain, and light falls off.
    image = Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))
    image.paste(30, (30, 20, 36, 100))
    image.paste(30, (30, 60, 90, 66))
    return image


@pytest.mark.parametrize(
    ("make", "is_photos"),
    [(lambda seed: scene(seed=seed), True), (lambda seed: scene(seed=seed).convert("L"), True), (drawing, False)],
    ids=["in colour", "grey", "drawn"],
)
def test_photographs_are_told_from_drawings(make: Callable[[int], Image.Image], is_photos: bool) -> None:
    look = look_at([lambda seed=seed: as_file(make(seed)) for seed in range(9)])  # type: ignore[misc]
    assert (look.looked_at, look.is_photos) == (9, is_photos)


def test_the_look_says_what_it_saw() -> None:
    look = look_at(
        [lambda: as_file(scene()), lambda: as_file(scene(seed=1)), lambda: as_file(drawing(0)), lambda: b"?"]
    )
    assert look.why == "2 of 3 looked at have many shades"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        (tmp_path / "things" / str(number)).mkdir(parents=True)
        for view in range(2):
            scene(seed=2 * number + view).save(tmp_path / "things" / str(number) / f"{view}.png")
    return tmp_path / "things"


def test_a_folder_is_read_as_before_unless_photographs_are_asked_for(folder: Path) -> None:
    usual, asked = open_source(str(folder)), open_source(str(folder), photos=SMALL)
    assert "colour" not in usual.settings
    assert asked.settings == {"image_size": 32, "colour": True}
    assert usual.digest == asked.digest
    assert usual.read(lambda progress: None).pixels.shape == (12, 105, 105)
    kept = asked.read(lambda progress: None)
    assert kept.pixels.shape == (12, 32, 32, 3)
    assert np.array_equal(kept.pixels[3], read((folder / "1" / "1.png").read_bytes()))
    assert kept.findings is not None
    assert kept.findings.ink is None


def test_photographs_hold_no_ink(folder: Path) -> None:
    with pytest.raises(SettingsError, match="photographs hold no ink"):
        open_source(str(folder), photos=SMALL, ink="dark")
    with pytest.raises(SettingsError, match="is for images of your own, not mnist"):
        open_source("mnist", photos=SMALL)
