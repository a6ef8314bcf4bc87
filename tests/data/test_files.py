"""Archives and folders hold plain files of bounded size, or are refused with the reason."""

import io
import os
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from omnishot.data.sources import folder
from omnishot.data.sources.folder_tree import MAX_FILE_BYTES, files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError


def packed(path: Path, *names: str, kind: int = zipfile.ZIP_DEFLATED, mode: int = stat.S_IFREG) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of names that come twice.
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, kind
            archive.writestr(entry, b"" if name.endswith("/") else b"content" * 99)
    return path


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["../../x"], "not a plain path"),
        (["/x"], "not a plain path"),
        (["a//x"], "not a plain path"),
        (["a\\..\\x"], "not a plain path"),
        (["a\x1b[31m"], "not a plain path"),
        (["x", "y", "x"], "comes twice"),
        (["x" * 60_000], "has a name of 60,000 characters"),
    ],
)
def test_names_that_lead_elsewhere_or_come_twice_are_named(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(DamagedFileError, match=words) as caught:
        files_of_zip(packed(tmp_path / "x.zip", *names))
    assert str(caught.value).isprintable()


def test_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="is a link"):
        files_of_zip(packed(tmp_path / "x.zip", "x", mode=stat.S_IFLNK))


def test_packings_that_cannot_be_bounded_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="is packed by method 12"):
        files_of_zip(packed(tmp_path / "x.zip", "x", kind=zipfile.ZIP_BZIP2))


def patched(path: Path, field: int, value: bytes) -> Path:
    """Change a field of the first entry in an archive's directory."""
    content = bytearray(packed(path, "x").read_bytes())
    start = content.find(b"PK\x01\x02") + field
    content[start : start + len(value)] = value
    path.write_bytes(content)
    return path


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="is encrypted"):
        files_of_zip(patched(tmp_path / "x.zip", 8, b"\x01"))


def test_a_claim_of_gigabytes_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"claims 4,000,000,000 bytes; 64,000,000 is the limit"):
        files_of_zip(patched(tmp_path / "x.zip", 24, (4_000_000_000).to_bytes(4, "little")))


def claiming(path: Path, n_files: int, size: int) -> Path:
    """Pack files that claim a size each."""
    content = bytearray(packed(path, *(f"{i}.png" for i in range(n_files))).read_bytes())
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        content[start + 24 : start + 28] = size.to_bytes(4, "little")
        start = content.find(b"PK\x01\x02", start + 1)
    path.write_bytes(content)
    return path


def test_many_files_that_claim_too_much_together_are_refused_before_one_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb, fair = claiming(tmp_path / "x.zip", 16, 64_000_000), claiming(tmp_path / "y.zip", 15, 64_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("One was unpacked."))
    said = rf"has {bomb.stat().st_size:,} bytes and claims to unpack to 1,024,000,000; 1,000,000,000 is the limit"
    with pytest.raises(DamagedFileError, match=said):
        files_of_zip(bomb)
    with pytest.raises(DamagedFileError, match=said):
        files_of_zip(bomb, pictures_only=True)
    assert len(files_of_zip(fair, content=fair.read_bytes()).files) == 15


def test_a_large_archive_may_unpack_to_more(tmp_path: Path) -> None:
    path = claiming(tmp_path / "x.zip", 16, 64_000_000)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("noise.png", bytes(11_000_000))
    content = path.read_bytes()
    assert len(files_of_zip(path, content=content).files) == 17


def test_no_more_than_was_claimed_is_unpacked(tmp_path: Path) -> None:
    found = files_of_zip(patched(tmp_path / "x.zip", 24, (10).to_bytes(4, "little")))
    assert not found.files
    assert "cannot be read" in str(found.problems[0])


@given(content=st.binary(max_size=100), cut=st.integers(0, 400))
def test_any_bytes_are_an_archive_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int
) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a/x", b"content")
    path = tmp_path_factory.mktemp("zip") / "x.zip"
    path.write_bytes(whole.getvalue()[:cut] + content + whole.getvalue()[cut + len(content) :])
    try:
        for file in files_of_zip(path).files:
            file.read()
    except DamagedFileError:
        pass


def test_pipes_and_devices_are_passed_over_and_dead_links_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe")
    (tmp_path / "a" / "zero").symlink_to("/dev/zero")
    (tmp_path / "a" / "loop").symlink_to("loop")
    Image.new("L", (9, 9)).save(tmp_path / "a" / "1.png")
    found = files_of_folder(tmp_path)
    assert [file.name for file in found.files] == ["a/1.png"]
    assert found.passed_over == ["a/pipe (a pipe)", "a/zero (a device)"]
    assert [str(problem) for problem in found.problems] == [f"{tmp_path}/a/loop is a link that leads nowhere"]
    os.mkfifo(tmp_path / "x.zip")
    with pytest.raises(DamagedFileError, match="is no file"):
        files_of_zip(tmp_path / "x.zip")


@pytest.mark.parametrize("name", [b"a\xff", b"a\nb", b"a\x1b[31m"])
def test_a_name_that_cannot_be_printed_and_stored_is_refused(tmp_path: Path, name: bytes) -> None:
    place = tmp_path / "scripts" / os.fsdecode(name)
    place.mkdir(parents=True)
    Image.new("L", (9, 9)).save(place / "1.png")
    for top in (place.parent, place):
        with pytest.raises(DamagedFileError, match="name") as caught:
            folder.find(top)
        assert str(caught.value).isprintable()


@pytest.mark.slow
def test_a_file_without_end_is_refused_while_it_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (tmp_path / "a" / "1.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(DamagedFileError, match="512,000,000 bytes"):
        folder.find(tmp_path)
