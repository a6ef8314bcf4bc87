"""A source is known by every byte of it, and what is decoded is what was hashed."""

import shutil
import zipfile
from pathlib import Path

import pytest

from omnishot.data.sources import files, omniglot, open_source
from omnishot.data.sources.files import checksum_digest, content_digest
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import InputError
from omnishot.progress import silent

COLLISION = (b"plumless", b"buckeroo")  # Known words with one CRC-32, of one length.


def folder_with(path: Path, content: bytes) -> Path:
    (path / "a").mkdir(parents=True)
    (path / "a" / "x").write_bytes(content)
    return path


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    return archive


def test_other_bytes_with_the_same_checksum_are_other_content(tmp_path: Path) -> None:
    folders = [folder_with(tmp_path / word.decode(), word) for word in COLLISION]
    listings = [files_of_folder(folder).files for folder in folders]
    listings += [files_of_zip(zipped(folder, folder.with_suffix(".zip"))).files for folder in folders]
    assert len({checksum_digest(listing) for listing in listings}) == 1
    first, second, *packed = [content_digest(listing) for listing in listings]
    assert first != second
    assert packed == [first, second]  # Whatever it is packed in.


@pytest.mark.parametrize("kept", [0, 1_000_000])
def test_what_changes_after_it_was_hashed_is_not_decoded(
    tmp_path: Path, picture_folder: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(files, "_KEPT_FILE_BYTES", kept)
    folder = Path(shutil.copytree(picture_folder, tmp_path / "scripts"))
    sound = open_source(str(folder)).read(silent).pixels
    for skip_bad in (False, True):
        source = open_source(str(folder), skip_bad=skip_bad)
        path, *others = sorted(folder.glob("*/*/*.png"))
        before = path.read_bytes()
        path.write_bytes(others[-1].read_bytes())
        if kept:
            assert (source.read(silent).pixels == sound).all()
        else:
            with pytest.raises(InputError, match=f"{path} changed while it was read"):
                source.read(silent)
        path.write_bytes(before)


def test_no_more_is_kept_than_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_KEPT_BYTES", 10)
    for name in "abc":
        folder_with(tmp_path / name, COLLISION[0])
    found = files_of_folder(tmp_path)
    assert found.kept_bytes == 8
    assert [file.read() for file in found.files] == [COLLISION[0]] * 3


@pytest.mark.slow
def test_the_published_archives_hold_what_their_digest_says(
    omniglot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = omniglot.find(omniglot_folder, offline=True)
    monkeypatch.setattr(omniglot, "_SHA256", {**omniglot._SHA256, "all_runs": "0" * 64})
    hashed = omniglot.find(omniglot_folder, offline=True)
    assert (known.is_published, hashed.is_published) == (True, False)
    assert known.digest == hashed.digest
    assert known.digest_in_format_1 == hashed.digest_in_format_1
