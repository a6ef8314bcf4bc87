"""What is ink is told from what differs from the ground, once for a source, and can be said by its owner."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from omnishot.data.image_set import ImageSet
from omnishot.data.sources import open_source
from omnishot.data.sources.decoding import judge, read_picture
from omnishot.errors import DamagedFileError, SettingsError
from omnishot.progress import silent
from omnishot.vocabulary import InkName
from tests.conftest import draw_images

pytestmark = pytest.mark.slow

DRAWN = draw_images(1, 6, 4, wobble=9, seed=5)
Finish = Callable[[Image.Image, int], Image.Image]


def written(folder: Path, finish: Finish, ending: str = "png") -> Path:
    for i, pixels in enumerate(DRAWN.pixels):
        target = folder / f"c{DRAWN.labels.character[i]}" / f"{DRAWN.labels.drawer[i]}.{ending}"
        target.parent.mkdir(parents=True, exist_ok=True)
        finish(Image.fromarray(pixels), i).save(target)
    return folder


def read(folder: Path, ink: InkName = "auto") -> ImageSet:
    return open_source(str(folder), data_folder=folder, offline=True, ink=ink).read(silent)


def shaded(ground: int, ink: int, *, light: int = 0) -> Finish:
    def finish(image: Image.Image, number: int) -> Image.Image:
        brighter = (number * 5 % 17 - 8) * light // 8
        return image.point([ground + brighter + (ink - ground - brighter) * v // 255 for v in range(256)])

    return finish


def transparent(*colours: str) -> Finish:
    def finish(image: Image.Image, number: int) -> Image.Image:
        drawn = Image.new("RGBA", image.size, colours[number % len(colours)])
        drawn.putalpha(image)
        return drawn

    return finish


def cut_out(image: Image.Image, _: int) -> Image.Image:
    card = Image.new("RGBA", image.size, "white")
    card.putalpha(ImageOps.invert(image))
    return card


def of_bits(bits: int, *, light: bool = False) -> Finish:
    def finish(image: Image.Image, _: int) -> Image.Image:
        ink = np.asarray(image) > 0
        return Image.fromarray(((ink if light else ~ink) * np.uint16((1 << bits) - 1)).astype(np.uint16))

    return finish


@pytest.mark.parametrize(
    ("finish", "ending"),
    [
        (transparent("white"), "png"),
        (transparent("white"), "webp"),
        (transparent("black"), "png"),
        (transparent("white", "black"), "png"),
        (lambda image, i: transparent("white")(image, i).convert("LA"), "png"),
        (lambda image, i: transparent("white")(image, i).quantize(8), "png"),
        (cut_out, "png"),
        (of_bits(12), "png"),
        (of_bits(14), "tif"),
        (of_bits(10, light=True), "png"),
        (of_bits(1), "png"),
        (shaded(0, 1), "png"),
        (shaded(1, 0), "png"),
        (shaded(100, 0), "png"),
        (shaded(127, 30), "png"),
        (shaded(90, 30), "png"),
        (shaded(140, 250), "png"),
    ],
    ids=[
        "white-on-transparent", "webp", "black-on-transparent", "both", "LA", "palette", "cut-out", "12-of-16-bits",
        "14-of-16-bits", "10-bits-light", "1-of-16-bits", "mask-0-1", "mask-1-0", "dark-range", "dark-on-grey",
        "dark-on-dark", "light-on-light",
    ],
)  # fmt: skip
def test_the_drawing_is_ink_on_a_blank_ground(tmp_path: Path, finish: Finish, ending: str) -> None:
    images = read(written(tmp_path / "x", finish, ending))
    assert np.abs(images.pixels.astype(int) - DRAWN.pixels).max() <= 1
    assert images.findings is not None
    assert images.findings.blank == 0


@pytest.mark.parametrize("side", [105, 400])
@pytest.mark.parametrize(("ground", "ink"), [(127, 30), (127, 230), (90, 30), (127, 90)])
def test_a_grey_ground_becomes_blank_in_spite_of_noise(tmp_path: Path, ground: int, ink: int, side: int) -> None:
    rng = np.random.default_rng(0)

    def photographed(image: Image.Image, number: int) -> Image.Image:
        even = np.asarray(shaded(ground, ink, light=8)(image, number).resize((side, side), Image.Resampling.NEAREST))
        return Image.fromarray(
            np.clip(even + rng.normal(0, abs(ground - ink) / 8, even.shape), 0, 255).astype(np.uint8)
        )

    pixels = read(written(tmp_path / "table", photographed)).pixels
    drawn = DRAWN.pixels > 0
    assert pixels[drawn].mean() > 180
    assert pixels[~drawn].mean() < 40


@pytest.mark.parametrize(("ground", "ink"), [(127, 30), (127, 230), (170, 30), (90, 30), (100, 200)])
def test_pictures_of_one_source_come_out_with_one_sign_whatever_the_light(
    tmp_path: Path, ground: int, ink: int
) -> None:
    pixels = read(written(tmp_path / "table", shaded(ground, ink, light=8))).pixels
    drawn = DRAWN.pixels > 0
    assert pixels[drawn].min() - 80 > pixels[~drawn].max()
    assert pixels[~drawn].max() < 110


def test_half_transparent_strokes_are_seen(tmp_path: Path) -> None:
    def faint(image: Image.Image, _: int) -> Image.Image:
        drawn = Image.new("RGBA", image.size, "white")
        drawn.putalpha(image.point([v // 3 for v in range(256)]))
        return drawn

    assert (read(written(tmp_path / "x", faint)).pixels == DRAWN.pixels // 3).all()


def test_more_bits_than_the_sample_had_are_not_cut_off(tmp_path: Path) -> None:
    folder = written(tmp_path / "x", of_bits(12))
    reading = judge([path.read_bytes for path in sorted(folder.rglob("*.png"))])
    assert reading.white == 4095
    shades = Image.fromarray(np.linspace(0, 65_535, 105 * 105).reshape(105, 105).astype(np.uint16))
    shades.save(tmp_path / "deep.png")
    pixels = read_picture((tmp_path / "deep.png").read_bytes(), place="deep.png", reading=reading).pixels
    assert len(np.unique(pixels)) == 256


def test_photographs_with_shades_on_both_sides_have_one_sign_and_keep_their_shades(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.integers(0, 256, (7, 7)), np.ones((15, 15))).astype(np.uint8) for _ in DRAWN.pixels]
    images = read(written(tmp_path / "photos", lambda _, number: Image.fromarray(scenes[number])))
    dark = images.findings is not None and images.findings.ink == "dark"
    assert (images.pixels == (255 - np.stack(scenes) if dark else np.stack(scenes))).all()


@pytest.mark.parametrize("ink", ["dark", "light"])
def test_what_the_owner_says_holds_for_every_picture(tmp_path: Path, ink: InkName) -> None:
    both = written(tmp_path / "both", lambda image, number: image if number % 3 else ImageOps.invert(image))
    expected = [image if number % 3 else 255 - image for number, image in enumerate(DRAWN.pixels)]
    images = read(both, ink)
    assert (images.pixels == (255 - np.stack(expected) if ink == "dark" else np.stack(expected))).all()
    assert images.findings is not None
    assert (images.findings.ink, images.findings.inverted) == (ink, len(DRAWN.pixels) if ink == "dark" else 0)
    assert open_source(str(both), data_folder=both, offline=True, ink=ink).settings == {"ink": ink, "asked": True}


def test_drawings_of_both_kinds_are_read_each_by_its_own_ground_and_counted(tmp_path: Path) -> None:
    images = read(written(tmp_path / "both", lambda image, number: image if number % 3 else ImageOps.invert(image)))
    assert (images.pixels == DRAWN.pixels).all()
    assert images.findings is not None
    assert (images.findings.ink, images.findings.contrary, images.findings.inverted) == ("light", 8, 8)
    assert "8 of 24 pictures are drawn dark on a lighter ground, unlike the others" in images.findings.notes[0]


def test_a_decision_is_recorded_where_the_border_would_have_decided_otherwise(tmp_path: Path) -> None:
    for name, finish, settings in (
        ("grey", shaded(127, 30, light=8), {"ink": "dark", "levels": [30, 127]}),
        ("light", shaded(170, 30, light=8), {}),
        ("icons", transparent("white"), {"transparent": "black"}),
        ("deep", of_bits(12), {"white": 4095}),
    ):
        source = open_source(str(written(tmp_path / name, finish)), data_folder=tmp_path, offline=True)
        assert source.settings == settings, name


def test_blank_pictures_are_counted_and_a_blank_class_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "x", lambda image, _: ImageOps.invert(image))
    Image.new("L", (50, 50), 255).save(folder / "c2" / "1.png")
    findings = read(folder).findings
    assert findings is not None
    assert findings.blank == 1
    assert findings.notes == ("1 of 24 pictures holds no ink (c2/1.png)",)
    for number in range(4):
        Image.new("L", (50, 50), 255).save(folder / "c4" / f"{number}.png")
    with pytest.raises(DamagedFileError, match="5 of 24 pictures hold no ink, among them all of c4"):
        read(folder)
    left = open_source(str(folder), data_folder=folder, offline=True, skip_bad=True).read(silent)
    assert (len(left.labels), len(left.labels.character_names)) == (20, 5)
    assert left.findings is not None
    assert (left.findings.left_out, left.findings.blank) == (4, 1)


def test_a_line_too_thin_to_be_seen_is_counted_as_blank(tmp_path: Path) -> None:
    folder = written(tmp_path / "x", lambda image, _: ImageOps.invert(image))
    large = Image.new("L", (4200, 4200), 255)
    large.paste(0, (2000, 100, 2001, 4100))
    large.save(folder / "c1" / "0.png")
    findings = read(folder).findings
    assert findings is not None
    assert findings.blank == 1


@pytest.mark.parametrize("name", ["omniglot", "glyphs", "mnist", "auto"])
def test_ink_is_for_images_of_ones_own(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="--ink light is for images of your own"):
        open_source(name, data_folder=tmp_path, offline=True, ink="light")
    with pytest.raises(SettingsError, match="--skip-bad is for"):
        open_source(name, data_folder=tmp_path, offline=True, skip_bad=True)


def test_copies_are_counted_within_and_between_classes(tmp_path: Path) -> None:
    folder = written(tmp_path / "x", lambda image, _: ImageOps.invert(image))
    copy = (folder / "c0" / "0.png").read_bytes()
    (folder / "c0" / "0 (copy).png").write_bytes(copy)
    (folder / "c9").mkdir()
    for number in range(4):
        (folder / "c9" / f"{number}.png").write_bytes((folder / "c1" / f"{number}.png").read_bytes())
    findings = read(folder).findings
    assert findings is not None
    assert (findings.copies, findings.in_two_classes) == (1, 4)
    assert findings.notes == (
        "1 of 29 pictures is a copy of another in its class (c0/0.png)",
        "4 of 29 pictures are in two classes or more (c1/0.png, c1/1.png, c1/2.png and 1 more): c9/0.png is c1/0.png",
    )
