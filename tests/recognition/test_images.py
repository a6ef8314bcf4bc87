"""Images in any mix of kinds, one or many, and what is said of one that is none."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omnishot.errors import DamagedFileError, NotFoundError, UsageError
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.images import Images, NamedImage, PreparedImage, as_list


def bar(*, is_dark: bool = True) -> NDArray[np.uint8]:
    image = np.full((40, 60), 255, dtype=np.uint8)
    image[10:14, 10:50] = 0
    image[10:34, 46:50] = 0
    return image if is_dark else 255 - image


def prepared(images: Images, **options: Any) -> list[PreparedImage]:
    read = DrawingPreparation().read(as_list(images), **options)
    assert all(isinstance(image, PreparedImage) for image in read), read
    return [image for image in read if isinstance(image, PreparedImage)]


def png(image: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def test_every_kind_of_image_gives_the_same_pixels(tmp_path: Path) -> None:
    grey = bar()
    path = tmp_path / "bar.png"
    path.write_bytes(png(grey))
    opened = Image.open(path)
    colour = np.repeat(grey[..., None], 3, axis=2)
    opaque = np.concatenate([colour, np.full_like(colour[..., :1], 255)], axis=2)
    kinds: list[Any] = [
        str(path), path, png(grey), opened, grey, grey > 127, grey / 255, (grey / 255).astype(np.float32),
        grey[..., None], colour, opaque, NamedImage("mine", grey),
    ]  # fmt: skip
    found = prepared(kinds)
    assert len(found) == len(kinds)
    assert all((image.pixels == found[0].pixels).all() for image in found)
    assert {image.ink for image in found} == {"dark"}


def test_an_array_of_one_more_dimension_is_many() -> None:
    grey = bar()
    colour = np.repeat(grey[..., None], 3, axis=2)
    assert [len(as_list(images)) for images in (grey, colour, np.stack([grey] * 4), np.stack([colour] * 4))] == [
        1,
        1,
        4,
        4,
    ]
    assert as_list([]) == []


def test_a_picture_of_the_caller_is_left_as_it_was(tmp_path: Path) -> None:
    Image.fromarray(np.repeat(bar(), 60, axis=0).repeat(60, axis=1)).save(tmp_path / "large.jpg")
    with Image.open(tmp_path / "large.jpg") as opened:
        before = opened.size
        prepared(opened)
        assert opened.size == before


def test_one_call_has_one_decision_on_ink() -> None:
    """A drawing that covers its own border is read as the others of its call are."""
    covering = np.zeros((40, 40), dtype=np.uint8)
    covering[5:35, 18:22] = 255
    covering[18:22, 5:35] = 200
    dark = [bar() for _ in range(9)]
    assert [image.ink for image in prepared([*dark, bar(is_dark=False)])][:9] == ["dark"] * 9
    assert prepared(np.clip(covering, 90, 255))[0].ink == "light"
    assert prepared([*dark, np.clip(covering, 90, 255)])[-1].ink == "dark"
    assert prepared(np.clip(covering, 90, 255), ink="dark")[0].ink == "dark"


def test_light_on_dark_and_dark_on_light_give_the_same_pixels() -> None:
    dark, light = prepared(bar())[0], prepared(bar(is_dark=False))[0]
    assert (dark.pixels == light.pixels).all()
    assert (dark.ink, light.ink) == ("dark", "light")


def test_a_blank_one_is_called_so() -> None:
    assert [image.is_blank for image in prepared([bar(), np.full((20, 20), 250, dtype=np.uint8)])] == [False, True]


def test_each_bad_image_is_named_with_its_reason_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(png(bar())[:60])
    images: list[Any] = [
        bar(), tmp_path / "text.png", tmp_path / "cut.png", tmp_path, tmp_path / "missing.png", b"", "nul\0name.png",
        np.zeros((0, 5), dtype=np.uint8), np.zeros((5, 5), dtype=np.int64), np.full((5, 5), 3.0),
        np.full((5, 5), np.nan), np.zeros((5, 5, 2), dtype=np.uint8), bar(),
    ]  # fmt: skip
    read = DrawingPreparation().read(as_list(images))
    assert isinstance(read[0], PreparedImage)
    assert isinstance(read[-1], PreparedImage)
    for image, said in zip(images[1:-1], read[1:-1], strict=True):
        assert isinstance(said, DamagedFileError | NotFoundError), (image, said)
    assert [str(said).partition(" ")[0] for said in read[1:3]] == [
        str(tmp_path / "text.png"),
        str(tmp_path / "cut.png"),
    ]
    assert "image 9 of 13" in str(read[8])
    assert isinstance(read[4], NotFoundError)


@pytest.mark.parametrize("thing", [3, None, object(), [3], [None]])
def test_what_is_no_image_at_all_is_a_usage_error(thing: Any) -> None:
    with pytest.raises(UsageError, match="no image"):
        as_list(thing)
