"""Whatever lies in a folder of one's own is read, or named with what to do, and never missing without a word."""

import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from omnishot.data.sources import folder, omniglot, open_source
from omnishot.data.splits import split_images
from omnishot.drawing.picture import Picture
from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.progress import silent
from omnishot.vocabulary import SOURCES_WITH_DRAWERS

pytestmark = pytest.mark.slow


def picture(path: Path, number: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (20, 20), 255)
    image.paste(0, (3 + number, 3, 9 + number, 15))
    image.save(path)
    return path


def packed(archive: Path, top: Path) -> Path:
    """Pack a folder as it is."""
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(top.rglob("*")):
            opened.write(path, path.relative_to(top))
    return archive


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six classes of three pictures."""
    for name in range(6):
        for number in range(3):
            picture(tmp_path / "photos" / f"c{name}" / f"{number}.png", 3 * number + name % 3)
    return tmp_path / "photos"


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of folders that may not be listed, whoever runs the tests."""
    names: set[str] = set()
    scandir: Callable[[Path], Any] = os.scandir

    def refuse(path: Path) -> Any:
        if path.name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    return names


def test_linked_classes_are_read_like_others(photos: Path, tmp_path: Path) -> None:
    for name, copied in (("some", 3), ("all", 0)):
        (tmp_path / name).mkdir()
        for number in range(6):
            here, there = tmp_path / name / f"c{number}", photos / f"c{number}"
            if number < copied:
                shutil.copytree(there, here)
            else:
                here.symlink_to(there)
        assert folder.find(tmp_path / name).digest == folder.find(photos).digest


def test_links_in_circles_and_to_nowhere_are_named(photos: Path) -> None:
    (photos / "c1" / "back").symlink_to(photos)
    (photos / "c1" / "root").symlink_to("/")
    (photos / "up").symlink_to("..")
    (photos / "c2" / "gone.png").symlink_to("nowhere.png")
    (photos / "c7").symlink_to("nowhere")
    with pytest.raises(DamagedFileError, match=r"5 things in .* cannot be read, 18 pictures are sound") as caught:
        folder.find(photos)
    for words in (
        "c1/back cannot be read: it is a link back to a folder that it lies in",
        "c1/root cannot be read: it is a link back to a folder that it lies in",
        "up cannot be read: it is a link back",
        "c2/gone.png is a link that leads nowhere",
        "c7 is a link that leads nowhere",
    ):
        assert words in str(caught.value)
    left = open_source(str(photos), data_folder=photos, offline=True, skip_bad=True).read(silent)
    assert left.findings is not None
    assert (len(left.labels), left.findings.left_out) == (18, 5)


def test_links_that_multiply_end(tmp_path: Path) -> None:
    for level in range(40):
        (tmp_path / "pool" / f"{level}").mkdir(parents=True)
        for side in "ab":
            (tmp_path / "pool" / f"{level}" / side).symlink_to(tmp_path / "pool" / f"{level + 1}")
    (tmp_path / "x").symlink_to(tmp_path / "pool" / "0")
    with pytest.raises(DamagedFileError, match="folders deep, or over 100 links lead to it"):
        folder.find(tmp_path / "x")


def test_a_class_that_may_not_be_listed_is_named(photos: Path, locked: set[str]) -> None:
    locked.add("c4")
    with pytest.raises(DamagedFileError, match=r"photos/c4 cannot be read: Permission denied$"):
        folder.find(photos)
    locked.add("c5")
    with pytest.raises(DamagedFileError, match=r"2 things in .* cannot be read, 12 pictures are sound: c4 cannot be"):
        folder.find(photos)
    left = open_source(str(photos), data_folder=photos, offline=True, skip_bad=True)
    assert left.settings == {"skip_bad": True}
    findings = left.read(silent).findings
    assert findings is not None
    assert findings.notes[0].startswith("Left out 2 that cannot be read: c4 cannot be read: Permission denied; c5")


BAD = {
    "empty.jpg": (b"", "is empty", "Fetch again"),
    "zeros.jpg": (bytes(5000), "holds nothing but zeros", "Fetch again"),
    "phone.HEIC": (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(200), "is HEIC", "Convert"),
    "phone.jpg": (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(200), "is HEIC", "Convert"),
    "new.avif": (b"\0\0\0\x1cftypavif\0\0\0\0" + bytes(200), "is AVIF", "Convert"),
    "clip.jpg": (b"\0\0\0\x18ftypmp42\0\0\0\0" + bytes(200), "is a video", "Remove"),
    "pointer.jpg": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
        "is a Git LFS pointer",
        "`git lfs pull`",
    ),
    "annex.jpg": (b"/annex/objects/SHA256E-s5--00.jpg\n", "is a git-annex pointer", "`git annex get`"),
    "page.jpg": (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "is an HTML page", "saved as a page"),
    "old.jpg": (b"<HTML><BODY>404</BODY></HTML>", "is an HTML page", "saved as a page"),
    "icon.svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is SVG", "Convert"),
    "scan.pdf.png": (b"%PDF-1.7\n", "is a PDF", "Convert"),
    "design.psd": (b"8BPS\0\1" + bytes(50), "is a Photoshop file", "Convert"),
    "photos.png": (b"PK\x03\x04" + bytes(50), "is an archive", "Unpack"),
    "c1.lnk": (b"L\0\0\0\x01\x14\x02\0" + bytes(60), "is a Windows shortcut", "shortcuts"),
    "old.tga": (bytes([0, 0, 2]) + bytes(200) + b"TRUEVISION-XFILE.\0", "is TGA", "Convert"),
    "fax.pcx": (b"\x0a\x05\x01\x08" + bytes(200), "of a kind that is not read", "Convert"),
    "scan.dcm": (b"XX" + bytes(126) + b"DICM" + bytes(50), "of a kind that is not read", "Convert"),
    "words.png": ("Grüße, notes.\n".encode(), "is text", "Remove"),
    "noise.png": (bytes(range(128, 250)) * 9, "of no known kind", "Remove"),
}


def bad_files(photos: Path) -> dict[str, tuple[str, str]]:
    expected = {}
    for name, (content, what, remedy) in BAD.items():
        (photos / "c3" / name).write_bytes(content)
        expected[name] = (what, remedy)
    for ending, kind in (("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF"), ("tif", "TIFF"), ("webp", "WebP")):
        path = photos / "c3" / f"cut.{ending}"
        Image.effect_noise((90, 90), 90).convert("L").save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        expected[path.name] = (kind, "Fetch again")
    return expected


def test_every_bad_file_is_named_by_what_it_is_with_what_to_do(photos: Path) -> None:
    for name, (what, remedy) in bad_files(photos).items():
        content = (photos / "c3" / name).read_bytes()
        alone = photos.parent / "alone" / "c0"
        shutil.rmtree(alone, ignore_errors=True)
        picture(alone / "sound.png")
        (alone / name).write_bytes(content)
        with pytest.raises(DamagedFileError) as caught:
            folder.find(alone.parent).read(silent)
        assert f"{alone / name} " in str(caught.value)
        assert what in str(caught.value)
        assert remedy in caught.value.hint
        assert caught.value.hint.endswith("Or leave it out with --skip-bad.")


def test_all_bad_files_are_named_at_once_one_of_each_kind_first(photos: Path) -> None:
    n_bad = len(bad_files(photos))
    for number in range(30):
        (photos / "c0" / f"also-empty-{number}.jpg").touch()
    with pytest.raises(DamagedFileError, match=f"^{n_bad + 30} things in .* cannot be read, 18 pictures are") as caught:
        folder.find(photos).read(silent)
    assert str(caught.value).count(" is empty") == 1
    assert str(caught.value).endswith(f"; and {n_bad + 22} more")
    for remedy in ("Convert to PNG", "`git lfs pull`", "--skip-bad"):
        assert remedy in caught.value.hint
    left = open_source(str(photos), data_folder=photos, offline=True, skip_bad=True).read(silent)
    assert left.findings is not None
    assert (len(left.labels), left.findings.left_out) == (18, n_bad + 30)
    assert left.labels.drawer.tolist() == [0, 1, 2] * 6


def test_where_nothing_is_sound_leaving_out_is_no_advice(tmp_path: Path) -> None:
    (tmp_path / "x" / "c").mkdir(parents=True)
    (tmp_path / "x" / "c" / "1.jpg").touch()
    for skip_bad in (False, True):
        with pytest.raises(DamagedFileError, match=r"1\.jpg is empty") as caught:
            folder.find(tmp_path / "x", skip_bad=skip_bad).read(silent)
        assert "--skip-bad" not in caught.value.hint


@pytest.mark.parametrize(("strays", "depth"), [(["cover.png"], 0), (["c1/more/9.png", "c2/more/9.png"], 2)])
def test_the_few_that_lie_elsewhere_are_named_whichever_way(photos: Path, strays: list[str], depth: int) -> None:
    for name in strays:
        picture(photos / name)
    with pytest.raises(DamagedFileError, match=f"{depth} folders deep, 18 others 1") as caught:
        folder.find(photos)
    assert all(str(photos / name) in str(caught.value) for name in strays)
    assert "c0/" not in str(caught.value)
    assert folder.find(photos, skip_bad=True).digest != ""


def test_a_folder_that_holds_only_the_next_is_gone_through(photos: Path, tmp_path: Path) -> None:
    for alphabet in ("a", "b"):
        shutil.copytree(photos, tmp_path / "top" / "my" / "my" / alphabet)
    inner = folder.find(tmp_path / "top" / "my" / "my")
    for outer in (tmp_path / "top" / "my", tmp_path / "top"):
        found = folder.find(outer)
        assert (found.name, found.digest) == (inner.name, inner.digest)
        assert found.notes[0].startswith("Read from the only folder in it, my")


def test_a_third_level_is_explained_and_the_folder_to_give_named(photos: Path, tmp_path: Path) -> None:
    for part in ("left", "right"):
        shutil.copytree(photos, tmp_path / "data" / part / "a")
    with pytest.raises(DamagedFileError, match=r"All 36 files in .* lie 3 folders deep, as .*a/c0/0\.png; ") as caught:
        folder.find(tmp_path / "data")
    assert f"--source {tmp_path}/data/left" in caught.value.hint
    assert folder.find(tmp_path / "data" / "left").files
    with pytest.raises(DamagedFileError, match="lie 3 folders deep") as caught:
        folder.find(packed(tmp_path / "data.zip", tmp_path / "data"))
    assert caught.value.hint == "Unpack it and give a folder below it to --source, or take a level of folders away."


@pytest.mark.parametrize("prefix", ["", "data/"])
def test_parts_may_hold_alphabets(tmp_path: Path, prefix: str) -> None:
    for number, place in enumerate(("Train/a/c0", "Train/a/c1", "Train/b/c2", "test/c/c3", "test/c/c0")):
        for copy in range(2):
            picture(tmp_path / "x" / prefix / place / f"{copy}.png", 3 * number + copy)
    for source in (tmp_path / "x", packed(tmp_path / "x.zip", tmp_path / "x")):
        labels = folder.find(source).read(silent).labels
        assert labels.alphabet_names == ("Train/a", "Train/b", "test/c")
        split = split_images(labels, "folders")
        assert (split.train.tolist(), split.test.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])


def test_what_is_passed_over_is_said_where_the_rest_is_refused(photos: Path) -> None:
    (photos / "c1" / "Thumbs.db").write_bytes(b"x")
    assert folder.find(photos).notes == ("Passed over 1 file: Thumbs.db",)
    (photos / "c2" / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(DamagedFileError) as caught:
        folder.find(photos)
    assert caught.value.__notes__ == ["Passed over 1 file: Thumbs.db"]


@pytest.mark.parametrize(
    ("mode", "flags", "words", "remedy"),
    [(stat.S_IFLNK, 0, "is a link", "that links lead to"), (stat.S_IFREG, 1, "is encrypted", "with its password")],
)
def test_of_an_archive_all_is_named_that_cannot_be_read_or_left_out(
    photos: Path, tmp_path: Path, mode: int, flags: int, words: str, remedy: str
) -> None:
    archive = packed(tmp_path / "x.zip", photos)
    with zipfile.ZipFile(archive, "a") as opened:
        for number in range(2):
            entry = zipfile.ZipInfo(f"c0/other{number}.png")
            entry.external_attr = mode << 16
            opened.writestr(entry, b"content")
    content = bytearray(archive.read_bytes())
    for number in range(2):
        content[content.rfind(b"PK\x01\x02", 0, content.rfind(b"c0/other%d.png" % number)) + 8] |= flags
    archive.write_bytes(content)
    with pytest.raises(DamagedFileError, match=f"2 things in .*18 pictures are sound: c0/other0.png {words}") as caught:
        folder.find(archive)
    assert remedy in caught.value.hint
    left = folder.find(archive, skip_bad=True).read(silent)
    assert left.findings is not None
    assert (len(left.labels), left.findings.left_out) == (18, 2)


def test_an_archive_of_windows_has_folders(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in sorted(photos.rglob("*.png")):
            entry = zipfile.ZipInfo(f"photos\\{path.parent.name}\\{path.name}")
            entry.create_system = 0
            archive.writestr(entry, path.read_bytes())
    assert folder.find(tmp_path / "x.zip").digest == folder.find(photos).digest


def test_names_that_only_look_the_same_are_said(photos: Path) -> None:
    (photos / "c0").rename(photos / "caf\u00e9")
    (photos / "c1").rename(photos / "cafe\u0301")
    (note,) = folder.find(photos).notes
    assert note == "1 class name comes in two spellings of Unicode, as two classes: caf\u00e9"


def test_pictures_in_parts_without_classes_are_no_classes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for number in range(3):
            picture(tmp_path / "x" / part / f"{number}.png", number)
    with pytest.raises(DamagedFileError, match="holds pictures in test, train themselves, which are parts of a split"):
        folder.find(tmp_path / "x")


def test_another_archive_is_no_folder_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(bytes(1024))
    with pytest.raises(DamagedFileError, match=r"x\.tar is neither a folder nor a zip archive") as caught:
        folder.find(tmp_path / "x.tar")
    assert "unpack" in caught.value.hint


@pytest.mark.parametrize("start", ["./", "./photos/"])
def test_an_archive_may_begin_its_names_with_here(photos: Path, tmp_path: Path, start: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in sorted(photos.rglob("*.png")):
            archive.writestr(f"{start}{path.relative_to(photos).as_posix()}", path.read_bytes())
    assert folder.find(tmp_path / "x.zip").digest == folder.find(photos).digest


def test_nobody_is_told_to_leave_out_what_was_left_out(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / "x" / f"c{number}").mkdir(parents=True)
        Image.new("L", (20, 20), 255).save(tmp_path / "x" / f"c{number}" / "1.png")
    for skip_bad in (False, True):
        with pytest.raises(DamagedFileError, match=r"6 of 6 pictures hold no ink$") as caught:
            folder.find(tmp_path / "x", skip_bad=skip_bad).read(silent)
        assert "--skip-bad" not in caught.value.hint  # Nothing would be left.
    picture(tmp_path / "x" / "c0" / "1.png")
    with pytest.raises(DamagedFileError, match="5 of 6 pictures hold no ink, among them all of c1") as caught:
        folder.find(tmp_path / "x").read(silent)
    assert "--skip-bad" in caught.value.hint
    assert len(folder.find(tmp_path / "x", skip_bad=True).read(silent).labels) == 1


def test_pictures_without_class_folders_are_told_how_to_lie(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / "flat" / f"{number}.png")
    with pytest.raises(NotFoundError, match="holds no class folders"):
        folder.find(tmp_path / "flat")
    picture(tmp_path / "flat" / "c" / "1.png")
    with pytest.raises(DamagedFileError, match=r"5 of 6 files in .* lie in no folder, .*; .*c/1\.png lies 1 folder"):
        folder.find(tmp_path / "flat")


def test_a_page_and_a_figure_of_ones_own_beside_the_classes_are_passed_over(photos: Path) -> None:
    before = folder.find(photos).digest
    figure = Picture("pairs", "Pairs", "Pairs of pictures.", Figure(figsize=(1, 1)))
    (photos / "figures").mkdir()
    (photos / "report.html").write_text("<!DOCTYPE html>")
    for name in ("pairs.png", "pairs.svg", "pairs.pdf", "figures/pairs.png"):
        (photos / name).write_bytes(figure.as_file(photos / name))
    with zipfile.ZipFile(photos.parent / "photos.zip", "w") as archive:
        for path in photos.rglob("*"):
            archive.write(path, path.relative_to(photos))
    for found in (folder.find(photos), folder.find(photos.parent / "photos.zip")):
        assert found.digest == before
        assert found.notes[0].startswith("Passed over 5 files: pairs.png (2)")


def test_only_sources_that_say_who_drew_have_drawers(photos: Path, tmp_path: Path) -> None:
    assert {"omniglot", "glyphs"} == SOURCES_WITH_DRAWERS
    photos.rename(tmp_path / "omniglot")
    assert open_source(str(tmp_path / "omniglot"), data_folder=tmp_path, offline=True).name not in SOURCES_WITH_DRAWERS


@pytest.mark.parametrize(
    ("archives", "data_folder"),
    [
        ("omniglot", "."),
        ("omniglot/python", "."),
        ("omniglot/python", "omniglot"),
        ("omniglot/python", "omniglot/python"),
        ("omniglot-py", "."),
        ("omniglot", "omniglot"),
    ],
)
@pytest.mark.parametrize("runs", ["", "one-shot-classification"])
def test_omniglot_is_found_where_clones_and_torchvision_have_it(
    omniglot_folder: Path, tmp_path: Path, archives: str, data_folder: str, runs: str
) -> None:
    for name in omniglot.ARCHIVES:
        target = tmp_path / archives / (runs if name == "all_runs" else "") / f"{name}.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(omniglot_folder / f"{name}.zip")
    source = open_source("omniglot", data_folder=tmp_path / data_folder, offline=True)
    assert source.digest.startswith("6f8555331eec4d58")


def test_omniglot_zipped_on_a_mac_is_omniglot(omniglot_folder: Path, tmp_path: Path) -> None:
    for name in omniglot.ARCHIVES:
        shutil.copyfile(omniglot_folder / f"{name}.zip", tmp_path / f"{name}.zip")
    with zipfile.ZipFile(tmp_path / "images_evaluation.zip", "a") as archive:
        archive.writestr("images_evaluation/.DS_Store", b"Bud1")
        for name in [name for name in archive.namelist() if name.endswith(".png")]:
            head, _, file = name.rpartition("/")
            archive.writestr(f"__MACOSX/{head}/._{file}", b"\0\5\26\7" + bytes(8))
    assert omniglot.find(tmp_path, offline=True).digest.startswith("6f8555331eec4d58")
