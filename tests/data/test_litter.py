"""What systems leave among pictures, and what is none by its name, is passed over alike in folders and archives."""

import zipfile
from pathlib import Path

import pytest

from omnishot.data.sources import folder
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError
from omnishot.progress import silent
from omnishot.vocabulary import KINDS

LEFT_BEHIND = (
    "Thumbs.db", "thumbs.db", "Thumbs.db:encryptable", "ehthumbs_vista.db", "desktop.ini", "Desktop.ini", ".DS_Store",
    "._1.png", "Icon\r", "~$notes.docx", "1.png~", "#1.png#", ".directory", "AlbumArtSmall.jpg", "ZbThumbnail.info",
    "1.png:Zone.Identifier", "Picasa.ini", "IMG_1.AAE", "IMG_1.xmp", "IMG_1.THM", "IMG_1.MOV", "notes.txt", "README",
    "README.md", "LICENSE", "LICENSE-MIT", "labels.csv", "annotations.json", "photos.zip", "SHA256SUMS",
    "pagefile.sys", ":2e_x", "NC_FLLST.DAT", "NIKON001.DSC", "INDEX.BTF", "AUTPRINT.MRK", "M0100.CTG", "1.CR2.cos",
)  # fmt: skip
FOLDERS = (
    "__MACOSX", "@eaDir", "#recycle", ".git", ".ipynb_checkpoints", "$RECYCLE.BIN", "System Volume Information",
    ".Trashes", ".Trash-1000", "lost+found", "@Recycle", ".@__thumb", "#snapshot", "~snapshot", ".thumbnails",
    ".picasaoriginals", "__pycache__", "Temporary Items", "FOUND.000", "CaptureOne",
    "RECYCLER", "Recycled", "@AppleDouble", "@database", "@sharebin", "~uploads", "TheFindByContentFolder", "AVF_INFO",
)  # fmt: skip
PICTURES = ("a/1.png", "a/2.png", "b/1.png", "readme.png", "license.jpg", "~/1.png", "#/#.png", "c.txt/1.png")


def written(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"content of a file")
    return top


def packed(archive: Path, top: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(top.rglob("*")):
            opened.write(path, path.relative_to(top))
    return archive


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_files_that_nobody_put_there_are_passed_over_and_counted(tmp_path: Path, name: str) -> None:
    top = written(tmp_path / "x", *PICTURES, f"a/{name}")
    for found in (
        files_of_folder(top, pictures_only=True),
        files_of_zip(packed(tmp_path / "x.zip", top), pictures_only=True),
    ):
        assert sorted(file.name for file in found.files) == sorted(PICTURES)
        assert found.passed_over == [f"a/{name}"]
        assert not found.problems


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_that_nobody_made_are_passed_over_whole(tmp_path: Path, name: str) -> None:
    top = written(tmp_path / "x", *PICTURES, f"{name}/1.png", f"b/{name}/1.png/thumb.jpg")
    for found in (files_of_folder(top), files_of_zip(packed(tmp_path / "x.zip", top))):
        assert sorted(file.name for file in found.files) == sorted(PICTURES)
        assert sorted(found.passed_over) == sorted([f"{name}/", f"b/{name}/"])


def test_a_picture_that_icloud_keeps_is_named(tmp_path: Path) -> None:
    top = written(tmp_path / "x", *PICTURES, "a/.3.png.icloud")
    for found in (files_of_folder(top), files_of_zip(packed(tmp_path / "x.zip", top))):
        assert str(found.problems[0]).endswith("a/.3.png.icloud stands for a file that iCloud keeps")


def test_what_was_passed_over_is_said_with_the_numbers(tmp_path: Path, picture_folder: Path) -> None:
    top = tmp_path / "x"
    top.mkdir()
    for alphabet in sorted(picture_folder.iterdir()):
        (top / alphabet.name).symlink_to(alphabet)
    written(top, "Thumbs.db", "desktop.ini", "notes.txt", "__MACOSX/A0/._1.png", "empty/.DS_Store")
    found = folder.find(top)
    assert found.notes == (
        "Passed over 4 files and 1 folder: Thumbs.db, __MACOSX/, desktop.ini, .DS_Store, notes.txt",
        "1 folder holds no picture: empty",
    )
    assert found.digest == folder.find(picture_folder).digest


def test_a_folder_its_archive_and_a_macs_archive_are_the_same(tmp_path: Path, picture_folder: Path) -> None:
    for name, prefix in (("scripts", ""), ("packed", "scripts/")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for path in sorted(picture_folder.rglob("*"), reverse=True):
                inside = f"{prefix}{path.relative_to(picture_folder).as_posix()}"
                archive.write(path, inside)
                if path.is_file() and prefix:
                    archive.writestr(f"__MACOSX/{inside.replace('/', '/._')}", b"\0\5\26\7")
    here = folder.find(picture_folder)
    for name in ("scripts", "packed"):
        found = folder.find(tmp_path / f"{name}.zip")
        assert (found.name, found.digest, found.settings) == (here.name, here.digest, here.settings)
        images, expected = found.read(silent), here.read(silent)
        assert (images.pixels == expected.pixels).all()
        assert images.labels.character_names == expected.labels.character_names


def test_a_macs_archive_has_the_names_that_were_meant(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("文字/日/1.png", b"content")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(header) + flags + 1] &= ~0x08  # As macOS packs: UTF-8, and no flag that says so.
    (tmp_path / "x.zip").write_bytes(content)
    (file,) = files_of_zip(tmp_path / "x.zip").files
    assert (file.name, file.read()) == ("文字/日/1.png", b"content")


@pytest.mark.parametrize("store", ["", "artifacts/", "a/my store/"])
def test_a_store_in_a_source_is_no_part_of_it_and_what_lies_beside_it_is(tmp_path: Path, store: str) -> None:
    top = written(tmp_path / "x", *PICTURES[:3], *(f"{store}{name}/1.png" for name in ("beside", "images-of-ours")))
    written(top, *(f"{store}{kind}/x/v12/manifest.yaml" for kind in KINDS), f"{store}images/x/v12/images.h5")
    written(top, f"{store}.locks/a.lock", f"{store}pairs/.current")
    expected = [*PICTURES[:3], f"{store}beside/1.png", f"{store}images-of-ours/1.png"]
    for found in (files_of_folder(top), files_of_zip(packed(tmp_path / "x.zip", top))):
        assert [file.name for file in found.files] == sorted(expected)
        assert sorted(found.passed_over) == sorted(f"{store}{name}/" for name in (".locks", *KINDS))


@pytest.mark.parametrize("name", ["images/x/v1/1.png", "images/v1/manifest.yaml", "images/x/version/manifest.yaml"])
def test_a_folder_is_no_store_by_its_name(tmp_path: Path, name: str) -> None:
    top = written(tmp_path / "x", *PICTURES[:3], name, "v1/manifest.yaml", "v1/1.png")
    for found in (files_of_folder(top), files_of_zip(packed(tmp_path / "x.zip", top))):
        assert [file.name for file in found.files] == sorted([*PICTURES[:3], name, "v1/manifest.yaml", "v1/1.png"])


def test_names_that_lead_elsewhere_are_no_litter(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../Thumbs.db", b"x")
    with pytest.raises(DamagedFileError, match="not a plain path"):
        files_of_zip(tmp_path / "x.zip")
