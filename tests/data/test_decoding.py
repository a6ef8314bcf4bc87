"""Every picture is read right or refused, in bounded memory."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from omnishot.data.sources.decoding import decode_drawing, decode_picture
from omnishot.errors import DamagedFileError


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def ramp() -> NDArray[np.uint8]:
    """Return white paper with columns of every brightness."""
    pixels = np.full((105, 105), 255, np.uint8)
    pixels[20:80, 10:95] = np.linspace(0, 255, 85).astype(np.uint8)
    return pixels


@given(content=st.binary(max_size=200))
@pytest.mark.parametrize("start", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\x00", b"P5 "])
def test_any_bytes_are_a_picture_or_refused(start: bytes, content: bytes) -> None:
    for decode in (decode_picture, decode_drawing):
        with contextlib.suppress(DamagedFileError):
            assert decode(start + content, place="x").shape == (105, 105)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.fromarray(ramp().astype(np.uint16) * 257), "PNG"),
        (Image.fromarray(ramp().astype(">u2") * 257), "TIFF"),
        (Image.fromarray(ramp().astype(np.int32) * 257), "TIFF"),
        (Image.fromarray(ramp().astype(np.int32) * 257), "PPM"),
        (Image.fromarray(ramp().astype(np.float32) / 255), "TIFF"),
        (Image.fromarray(ramp().astype(np.float32)), "TIFF"),
    ],
    ids=["I;16", "I;16B", "I", "16-bit PGM", "F to 1", "F to 255"],
)
def test_more_than_8_bits_keep_every_shade(image: Image.Image, kind: str) -> None:
    assert np.abs(decode_picture(saved(image, kind), place="x").astype(int) - (255 - ramp())).max() <= 1


def test_a_cmyk_jpeg_called_png_is_read_right() -> None:
    content = saved(Image.fromarray(ramp()).convert("CMYK"), "JPEG", quality=100)
    assert np.abs(decode_picture(content, place="x.png").astype(int) - (255 - ramp())).max() < 12


def test_of_an_animation_the_first_picture_counts() -> None:
    second = Image.new("L", (105, 105), 0)
    content = saved(Image.fromarray(ramp()), "GIF", save_all=True, append_images=[second])
    assert (
        decode_picture(content, place="x") == decode_picture(saved(Image.fromarray(ramp()), "GIF"), place="x")
    ).all()


@pytest.mark.parametrize("size", [(1000, 1), (1, 1000), (210, 1), (30_000, 30_000)])
def test_sides_that_cannot_be_shrunk_are_refused_with_the_numbers(size: tuple[int, int]) -> None:
    header = struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(2000))), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    with pytest.raises(DamagedFileError, match=r"x has \d+x\d+ pixels|exceeds limit"):
        decode_picture(content, place="x")


def test_metadata_that_cannot_be_read_is_passed_over() -> None:
    content = saved(Image.fromarray(ramp()), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + bytes(9))
    assert decode_picture(content, place="x").shape == (105, 105)


def test_postscript_is_not_handed_to_an_interpreter() -> None:
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 105 105\n%%EndComments\n"
    with pytest.raises(DamagedFileError, match="x is PostScript"):
        decode_picture(content, place="x")


def test_a_large_picture_is_what_a_small_one_is() -> None:
    large = Image.fromarray(ramp()).resize((2100, 2100), Image.Resampling.NEAREST)
    for kind in ("PNG", "JPEG"):
        assert np.abs(decode_picture(saved(large, kind), place="x").astype(int) - (255 - ramp())).max() < 12
