"""An HDF5 file is read where it lies, and only if it is what FORMATS.md says."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels, read_runs
from omnishot.formats.pairs import read_pairs, read_split, read_variants, write_pairs

GOLDEN = Path(__file__).parents[1] / "golden/v1/pairs/golden-20-affine1/v1/pairs.h5"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copyfile(GOLDEN, tmp_path / "pairs.h5"))


def read_all(path: Path) -> None:
    with open_hdf5(path) as file:
        read_labels(file)
        read_runs(file)
        read_split(file)
        for part in ("train", "validation", "test"):
            read_pairs(file, part)
        read_variants(file)
        read_pixels(file)


def refusal(path: Path) -> str:
    with pytest.raises(DamagedFileError) as caught:
        read_all(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


def replace(path: Path, name: str, **how: Any) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, **how)


@pytest.mark.parametrize(
    "link", [h5py.ExternalLink("outside.h5", "pixels"), h5py.SoftLink("/images/pixels"), h5py.SoftLink("/rest")]
)
@pytest.mark.parametrize("name", ["images", "images/pixels", "runs", "pairs/train"])
def test_no_link_is_followed(path: Path, name: str, link: Any) -> None:
    with h5py.File(path.with_name("outside.h5"), "w") as file:
        file["pixels"] = np.zeros((36, 105, 105), np.uint8)
    with h5py.File(path, "r+") as file:
        file.move(name, "rest")
        file[name] = link
    assert "is a link to elsewhere" in refusal(path)


def test_bytes_of_another_file_are_not_read_as_pictures(path: Path) -> None:
    (path.parent / "secret").write_bytes(b"secret" * 100_000)
    outside = [(str(path.parent / "secret"), 0, h5py.h5f.UNLIMITED)]
    replace(path, "images/pixels", shape=(36, 105, 105), dtype=np.uint8, external=outside)
    assert "is stored in other files" in refusal(path)


def test_a_virtual_data_set_is_refused(path: Path) -> None:
    layout = h5py.VirtualLayout((36, 105, 105), np.uint8)
    layout[...] = h5py.VirtualSource("outside.h5", "pixels", shape=(36, 105, 105))
    with h5py.File(path, "r+") as file:
        del file["images/pixels"]
        file.create_virtual_dataset("images/pixels", layout)
    assert "is stored in other files" in refusal(path)


@pytest.mark.parametrize(
    "how",
    [
        {"shape": (2**31, 105, 105), "chunks": (1, 105, 105), "compression": 1},
        {"shape": (2**31, 105, 105)},
        {"shape": (36, 105, 105), "maxshape": (None, None, None), "chunks": (2**11, 2**10, 2**10)},
    ],
    ids=["chunked", "contiguous", "chunk"],
)
def test_a_size_that_the_file_cannot_hold_is_refused(path: Path, how: dict[str, Any]) -> None:
    replace(path, "images/pixels", dtype=np.uint8, **how)
    assert "bytes, but 0 of the file's" in refusal(path)


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("images/pixels", {"data": np.zeros((36, 105, 105), np.float32)}, "is float32 in 3 dimensions, not uint8 in 3"),
        ("images/pixels", {"data": np.ones((36, 8, 8), np.uint8)}, "expected (n, 105, 105)"),
        ("images/drawer", {"data": np.ones(36, ">i4")}, "is >i4"),
        ("images/drawer", {"data": np.zeros(3, np.int32)}, "has 3 entries for 36 images"),
        ("images/drawer", {"data": np.full(36, -1, np.int32)}, "points at -1"),
        ("images/character", {"data": np.arange(36, dtype=np.int32)}, "points at 35, but there are 12"),
        ("images/character", {"data": np.arange(36, dtype=np.int32)[::-1] // 3}, "not in the order"),
        ("images/alphabet_names", {"data": [b"\xff"] * 3, "dtype": h5py.string_dtype()}, "invalid start byte"),
        ("images/alphabet_names", {"data": ["a", "b\x1b[31m", "c"]}, "is no name"),
        ("images/alphabet_names", {"data": ["a", "a", "c"]}, "holds a name twice"),
        ("images/alphabet_names", {"data": np.zeros(3, [("a", "i4")])}, "is "),
        ("images/alphabet", {"shape": (36,), "dtype": h5py.ref_dtype}, "is object"),
        ("images/drawer", {"data": np.zeros(36, np.int32), "chunks": (36,), "compression": "lzf"}, "other than gzip"),
        ("runs/answer", {"data": np.full((1, 4), 4, np.int32)}, "runs/answer points at 4"),
        ("runs/query", {"data": np.zeros((2, 4), np.int32)}, "have the shapes"),
        ("split/train", {"data": np.array([1, 0], np.int32)}, "split/train is not in ascending order"),
        ("split/test", {"data": np.array([0, 1], np.int32)}, "is in two parts"),
        ("split/test", {"data": np.array([36], np.int32)}, "split/test points at 36, but there are 36"),
        ("pairs/test/left", {"data": np.zeros(3, np.int32)}, "have 3, 10 and 10 entries"),
        ("variants/left", {"data": np.ones((20, 1, 6), np.float32)}, "variants/left has the shape (20, 1, 6)"),
        ("variants/right", {"data": np.ones((20, 2, 7), np.float32)}, "variants/right has the shape"),
        ("variants/left", {"data": np.full((20, 1, 7), np.nan, np.float32)}, "that cannot be rendered"),
        ("variants/left", {"data": np.zeros((20, 1, 7), np.float32)}, "that cannot be rendered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_formats_does_not_allow_is_named(path: Path, name: str, how: dict[str, Any], words: str) -> None:
    replace(path, name, **how)
    assert words in refusal(path)


def test_a_pair_of_one_image_with_itself_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["pairs/train/right"][3] = file["pairs/train/left"][3]
    assert "pair 3 of pairs/train holds one image twice" in refusal(path)


def _group(file: h5py.File) -> None:
    file.create_group("images/pixels")


def _missing(file: h5py.File) -> None:
    """Leave nothing where the pictures were."""


def _nothing(file: h5py.File) -> None:
    file["images/pixels"] = h5py.Empty("u1")


def _named_type(file: h5py.File) -> None:
    file["images/pixels"] = np.dtype("u1")


@pytest.mark.parametrize("put", [_group, _missing, _nothing, _named_type])
def test_what_is_no_data_set_is_refused(path: Path, put: Callable[[h5py.File], None]) -> None:
    with h5py.File(path, "r+") as file:
        del file["images/pixels"]
        put(file)
    assert "images/pixels" in refusal(path)


@pytest.mark.parametrize("n_bytes", [0, 1, 100, 5000])
def test_a_file_that_was_cut_is_refused(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert "is not a readable HDF5 file" in refusal(path)


def test_a_device_is_refused() -> None:
    assert "is no file" in refusal(Path("/dev/zero"))


def test_texts_that_claim_gigabytes_are_refused_before_they_are_read(path: Path) -> None:
    with h5py.File(path) as file:
        place = file["images/alphabet_names"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place + 3] = 0x80
    path.write_bytes(content)
    assert "alphabet_names holds a name that claims 2,147,483,650 bytes" in refusal(path)


def test_texts_whose_lengths_are_zero_do_not_hang_the_reader(path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = content.find(b"GCOL") + 16
    content[start : start + 1024] = bytes(1024)
    path.write_bytes(content)
    assert "alphabet_names points at texts that are not there" in refusal(path)


def test_only_what_formats_names_is_copied(path: Path, tmp_path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["secret"] = h5py.ExternalLink("/etc/passwd", "/")
        file["images/more"] = np.zeros(3)
    nothing: NDArray[np.int32] = np.zeros(0, np.int32)
    one = np.array([0], np.int32)
    write_pairs(
        tmp_path / "copy.h5",
        images_file=path,
        split=Split(nothing, nothing, nothing),
        pairs={"train": Pairs(one, one + 1, np.array([True]))},
        n_variants=0,
        variants={"left": [], "right": []},
    )
    with h5py.File(tmp_path / "copy.h5") as file:
        assert set(file) == {"images", "runs", "split", "pairs", "variants"}
        assert "more" not in file["images"]


def put_bomb(path: Path, name: str, n: int, chunk: int) -> None:
    """Let a data set be of zeros, which gzip packs a thousandfold."""
    with h5py.File(path, "r+") as file:
        shape, dtype = (n, *file[name].shape[1:]), file[name].dtype
        del file[name]
        chunks = (chunk, *shape[1:])
        stored = file.create_dataset(name, shape, dtype, chunks=chunks, compression="gzip")
        packed = zlib.compress(bytes(int(np.prod(chunks)) * dtype.itemsize), 9)
        for start in range(0, n, chunk):
            stored.id.write_direct_chunk((start, *[0] * (len(shape) - 1)), packed)


@pytest.mark.parametrize(
    "name", ["pairs/train/left", "pairs/train/same", "variants/left", "images/drawer", "split/test"]
)
def test_a_small_file_is_not_unpacked_to_a_large_one(path: Path, name: str) -> None:
    put_bomb(path, name, 1 << 26 if name.endswith("same") else 1 << 24, 1 << 18)
    assert path.stat().st_size < 2_000_000
    assert f"{name} claims" in refusal(path)


def test_blank_pictures_by_the_hundred_thousand_are_refused(path: Path) -> None:
    put_bomb(path, "images/pixels", 50_000, 250)
    assert "images/pixels claims" in refusal(path)


def test_a_chunk_that_is_read_as_a_whole_is_of_bounded_size(path: Path) -> None:
    put_bomb(path, "images/pixels", 2000, 2000)
    assert "in chunks of 22,050,000 bytes" in refusal(path)


def test_memory_that_is_short_is_not_called_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any, **__: Any) -> None:
        raise MemoryError

    with open_hdf5(path) as file:
        monkeypatch.setattr("numpy.zeros", short)
        with pytest.raises(UnavailableError, match="memory is too small to read"):
            read_pixels(file)
