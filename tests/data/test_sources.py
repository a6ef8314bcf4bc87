"""Sources are found by content, downloaded whole or not at all, and say what is wrong with them."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from omnishot.data.image_set import ImageSet
from omnishot.data.sources import folder, omniglot, open_source
from omnishot.data.sources.decoding import decode_picture
from omnishot.data.sources.download import Download, download
from omnishot.data.sources.files import content_digest
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError
from omnishot.progress import Progress, silent


def test_a_folder_of_classes_keeps_names_and_counts(picture_folder: Path) -> None:
    images = folder.find(picture_folder).read(silent)
    labels = images.labels
    assert images.pixels.shape == (100, 105, 105)
    assert labels.alphabet_names == ("A0", "A1", "A2", "A3", "A4")
    assert labels.character_names[6] == "A1/c1"
    assert labels.drawer[:5].tolist() == [0, 1, 2, 3, 0]
    assert images.pixels.max() == 255
    assert (images.pixels == 0).mean() > 0.8  # Ink is bright, paper is 0.


def test_neighbouring_names_do_not_mix(tmp_path: Path) -> None:
    for name in ("a/x", "a-b/x", "a/x2"):  # In plain order of strings "a-b/x" comes between "a/x" and "a/x2".
        (tmp_path / name).mkdir(parents=True)
        for number in range(2):
            image = Image.new("L", (9, 9), 255)
            image.putpixel((4, 4), 0)
            image.save(tmp_path / name / f"{number}.png")
    labels = folder.find(tmp_path).read(silent).labels
    assert labels.drawer.tolist() == [0, 1] * 3
    assert len(labels.character_names) == 3


def test_a_zip_and_its_unpacked_folder_have_one_digest(tmp_path: Path, picture_folder: Path) -> None:
    archive = tmp_path / "pictures.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(picture_folder.rglob("*.png"), reverse=True):
            packed.write(path, path.relative_to(picture_folder))
    assert content_digest(files_of_zip(archive).files) == content_digest(files_of_folder(picture_folder).files)


def test_the_digest_sees_one_changed_byte(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.png").write_bytes(b"one")
    before = content_digest(files_of_folder(tmp_path).files)
    (tmp_path / "c" / "1.png").write_bytes(b"onf")
    assert content_digest(files_of_folder(tmp_path).files) != before


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "I;16", "LA"])
def test_pictures_of_every_mode_become_ink_on_zero(mode: str) -> None:
    image = Image.new("L", (40, 80), 255)
    image.paste(0, (10, 20, 30, 60))
    deep = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    image = deep if mode == "I;16" else image.convert(mode)
    content = io.BytesIO()
    image.save(content, "TIFF" if mode in {"CMYK"} else "PNG")
    ink = decode_picture(content.getvalue(), place="x.png")
    assert ink.shape == (105, 105)
    assert ink[52, 52] > 200
    assert ink[2, 52] < 50


def test_white_on_black_is_ink_too() -> None:
    image = Image.new("L", (105, 105), 0)
    image.paste(255, (50, 50, 60, 60))
    content = io.BytesIO()
    image.save(content, "PNG")
    assert decode_picture(content.getvalue(), place="x.png")[55, 55] == 255


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "notes.png").write_text("not an image")
    with pytest.raises(DamagedFileError, match=r"letters/notes\.png is text, not a picture"):
        folder.find(tmp_path).read(silent)


def test_mixed_depths_are_named(tmp_path: Path) -> None:
    for name in ("a/x/1.png", "stray.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DamagedFileError, match=r"stray\.png lies 0 folders deep"):
        folder.find(tmp_path)


def test_an_unknown_source_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'omniglott' is neither"):
        open_source("omniglott", data_folder=tmp_path, offline=True)


def test_without_omniglot_the_three_ways_out_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        open_source("omniglot", data_folder=tmp_path, offline=True)
    for way in ("images_background.zip", "--source PATH", "--source glyphs"):
        assert way in caught.value.hint


def test_auto_falls_back_to_glyphs_and_says_so(tmp_path: Path) -> None:
    source = open_source("auto", data_folder=tmp_path, offline=True)
    assert source.name == "glyphs"
    assert "built-in glyphs" in source.note


def test_a_damaged_archive_is_named_with_its_size(tmp_path: Path) -> None:
    for name in omniglot.ARCHIVES:
        (tmp_path / f"{name}.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DamagedFileError, match=r"images_background\.zip \(12 bytes\) is not a readable zip"):
        omniglot.find(tmp_path, offline=True)


def test_an_incomplete_archive_is_named_with_the_numbers(tmp_path: Path) -> None:
    for name in omniglot.ARCHIVES:
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as packed:
            packed.writestr(f"{name}/Greek/character01/0394_01.png", b"")
    with pytest.raises(DamagedFileError, match="holds 1 drawings, expected 19280"):
        omniglot.find(tmp_path, offline=True)


@pytest.mark.slow
def test_a_flipped_byte_in_the_real_archive_is_found(omniglot_folder: Path, tmp_path: Path) -> None:
    for name in omniglot.ARCHIVES:
        content = bytearray((omniglot_folder / f"{name}.zip").read_bytes())
        if name == "images_evaluation":
            content[len(content) // 2] ^= 0xFF
        (tmp_path / f"{name}.zip").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"images_evaluation\.zip"):
        omniglot.find(tmp_path, offline=True).read(silent)


@pytest.mark.slow
def test_the_real_omniglot_is_complete(omniglot: ImageSet) -> None:
    labels = omniglot.labels
    assert omniglot.pixels.shape == (32_460, 105, 105)
    assert (len(labels.alphabet_names), len(labels.character_names)) == (50, 1623)
    assert np.unique(omniglot.pixels).tolist() == [0, 255]
    assert np.bincount(labels.character).tolist() == [20] * 1623
    assert np.bincount(labels.drawer).tolist() == [1623] * 20


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}", folder
        served.shutdown()
        thread.join()


def test_a_download_is_verified_and_reported(server: tuple[str, Path], tmp_path: Path) -> None:
    address, served = server
    content = bytes(range(256)) * 2000
    (served / "a.zip").write_bytes(content)
    reports: list[Progress] = []
    target = tmp_path / "data" / "a.zip"
    download(Download(f"{address}/a.zip", hashlib.md5(content).hexdigest(), 1), target, on_progress=reports.append)
    assert target.read_bytes() == content
    assert (reports[-1].done, reports[-1].total) == (len(content), len(content))


@pytest.mark.parametrize("name", ["a.zip", "missing.zip"])
def test_a_failed_download_leaves_nothing(server: tuple[str, Path], tmp_path: Path, name: str) -> None:
    address, served = server
    (served / "a.zip").write_bytes(b"something else")
    with pytest.raises(UnavailableError, match=name):
        download(Download(f"{address}/{name}", "0" * 32, 14), tmp_path / "data" / name)
    assert not list(tmp_path.glob("data/*"))


def test_a_silent_server_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/a.zip"
        waited: list[float] = []
        give_up = socket.socket.settimeout
        monkeypatch.setattr(socket.socket, "settimeout", lambda *given: waited.append(given[1]) or give_up(*given))  # type: ignore[func-returns-value]
        with pytest.raises(UnavailableError, match="timed out"):
            download(Download(address, "0" * 32, 1), tmp_path / "a.zip", patience_seconds=0.3)
        assert set(waited) == {0.3}
