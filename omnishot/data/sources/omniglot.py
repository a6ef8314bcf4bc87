"""Omniglot: 50 alphabets, 1,623 characters, 20 drawers each, and Lake's 20 one-shot runs.

Source: Lake, Salakhutdinov & Tenenbaum 2015, https://github.com/brendenlake/omniglot.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omnishot.data.image_set import ImageSet, Labels, Runs
from omnishot.data.sources.decoding import decode_drawing
from omnishot.data.sources.download import Download, download
from omnishot.data.sources.files import File, checksum_digest, content_digest
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError, UnavailableError, brief
from omnishot.progress import OnProgress, Progress, silent

_REPOSITORY = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
ARCHIVES = {
    "images_background": Download(
        f"{_REPOSITORY}/images_background.zip", md5="68d2efa1b9178cc56df9314c21c6e718", size=9_464_212
    ),
    "images_evaluation": Download(
        f"{_REPOSITORY}/images_evaluation.zip", md5="6b91aef0f799c5bb55b94e3f2daec811", size=6_462_886
    ),
    "all_runs": Download(
        f"{_REPOSITORY}/one-shot-classification/all_runs.zip", md5="e8996daecdf12afeeb4a53a179f06b19", size=352_787
    ),
}
"""What each archive is called, without its ending, and where it comes from."""

_SHA256 = {
    "images_background": "024f4aa75a1dcad363f0f2799af6dcb69bdcb8e0627076aeaeaca5dc3d161559",
    "images_evaluation": "a699dc2dd9a759b830037e4ec1b5610a0616701b4f40ea1268d9056042f1c9b6",
    "all_runs": "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
}
_DIGEST = "6f8555331eec4d583fc587cbf02254c36f56919f78947e56148d742e9b959894"
_DIGEST_IN_FORMAT_1 = "2bf7698b2365d0dbf7f6526db94d4f58c9ab6b7a961ab657d9d4e11b9c867f09"
"""Content digests of what these archives hold: their 33,260 files need not be hashed one by one."""

_MOST_BYTES = 64_000_000
_IMAGES = {"images_background": 19_280, "images_evaluation": 13_180}
_DRAWING = re.compile(r"(?P<alphabet>[^/]+)/(?P<character>[^/]+)/[0-9]+_(?P<drawer>[0-9]{2})\.png")
_RUNS = 20
_RUN_WAYS = 20


@dataclass(frozen=True, slots=True)
class Omniglot:
    """Omniglot's files, found but not decoded.

    Attributes:
        drawings: Files of `images_background` and `images_evaluation`, in this order.
        runs: Files of `all_runs`, by name.
        is_published: Whether they are in the archives that were published, bit for bit.
    """

    drawings: tuple[File, ...]
    runs: dict[str, File]
    is_published: bool

    @property
    def digest(self) -> str:
        """Digest of the content."""
        return _DIGEST if self.is_published else content_digest([*self.drawings, *self.runs.values()])

    @property
    def digest_in_format_1(self) -> str:
        """The digest that format 1 has instead."""
        return _DIGEST_IN_FORMAT_1 if self.is_published else checksum_digest([*self.drawings, *self.runs.values()])

    def read(self, on_progress: OnProgress) -> ImageSet:
        """Decode every drawing.

        Raises:
            DamagedFileError: A file is not what it should be.
        """
        n = len(self.drawings)
        pixels = np.empty((n, 105, 105), dtype=np.uint8)
        for i, file in enumerate(self.drawings):
            pixels[i] = decode_drawing(file.read(), place=file.place)
            if i % 1000 == 0:
                on_progress(Progress("Reading Omniglot", i, n, "images"))
        labels = _labels([file.name for file in self.drawings])
        return ImageSet(pixels, labels, _read_runs(self.runs, pixels, labels))


def find(folder: Path, *, offline: bool, on_progress: OnProgress = silent) -> Omniglot:
    """Find the three archives, zipped or unpacked, and download those that are missing.

    Args:
        folder: Where they lie, or are put.
        offline: Forbids the download.
        on_progress: Receives the progress of a download.

    Raises:
        UnavailableError: An archive is missing and cannot be downloaded.
        DamagedFileError: An archive is damaged or incomplete.
    """
    missing = [name for name in ARCHIVES if not place_of(folder, name).exists()]
    for name in missing:
        try:
            if offline:
                raise UnavailableError("OMNISHOT_OFFLINE forbids the download")
            download(ARCHIVES[name], folder / f"{name}.zip", on_progress=on_progress)
        except UnavailableError as error:
            raise UnavailableError(
                f"Omniglot is not in {folder} ({', '.join(missing)} missing) and could not be downloaded: {error}",
                hint=f"Put {', '.join(f'{name}.zip' for name in missing)} there, use --source PATH for images of "
                "your own, or --source glyphs for the built-in ones.",
            ) from None
    drawings: list[File] = []
    archives = _published(folder)
    for name, expected in _IMAGES.items():
        found = [file for file in _files(folder, name, archives.get(name)) if file.name.endswith(".png")]
        if len(found) != expected:
            raise DamagedFileError(
                f"{place_of(folder, name)} holds {len(found)} drawings, expected {expected}",
                hint="Delete it and fetch it again.",
            )
        drawings += found
    runs = {file.name: file for file in _files(folder, "all_runs", archives.get("all_runs"))}
    return Omniglot(tuple(drawings), runs, is_published=bool(archives))


def _published(folder: Path) -> dict[str, bytes]:
    """Return the bytes of the archives if all three are those that were published, else nothing."""
    found = {}
    for name, digest in _SHA256.items():
        place = place_of(folder, name)
        try:
            content = place.read_bytes() if place.is_file() and place.stat().st_size <= _MOST_BYTES else b""
        except OSError:  # Opening it again will say why.
            return {}
        if hashlib.sha256(content).hexdigest() != digest:
            return {}
        found[name] = content
    return found


def place_of(folder: Path, name: str) -> Path:
    """Return where an archive is, or would be: unpacked, else zipped.

    Besides the folder itself, it is looked for where a clone of Omniglot's repository, torchvision or a user who names
    the folder too high or too low has it.
    """
    tops = (folder, folder / "python", folder.parent / "python", folder.parent / "omniglot-py", folder.parent)
    for place in (top / inner for top in tops for inner in ("", "one-shot-classification")):
        if (place / name).is_dir():
            return place / name
        if (place / f"{name}.zip").exists():
            return place / f"{name}.zip"
    return folder / f"{name}.zip"


def _files(folder: Path, name: str, content: bytes | None) -> list[File]:
    """List an archive's files by their names below it, whichever way it is packed; `content` as for `files_of_zip`."""
    place = place_of(folder, name)
    listing = files_of_folder(place) if place.is_dir() else files_of_zip(place, content=content)
    if listing.problems:
        raise listing.problems[0]
    return [replace(file, name=file.name.removeprefix(f"{name}/")) for file in listing.files]


def _labels(names: list[str]) -> Labels:
    """Read labels from names such as `Greek/character01/0394_17.png`; the last number is the drawer."""
    parts = []
    for name in names:
        found = _DRAWING.fullmatch(name)
        if not found:
            raise DamagedFileError(f"{brief(repr(name))} in Omniglot is not named alphabet/characterNN/NNNN_DD.png")
        parts.append(found)
    alphabets = [part["alphabet"] for part in parts]
    characters = [f"{part['alphabet']}/{part['character']}" for part in parts]
    return Labels.from_names(alphabets, characters, [int(part["drawer"]) - 1 for part in parts])


def _read_runs(files: dict[str, File], pixels: NDArray[np.uint8], labels: Labels) -> Runs:
    """Find each of the runs' images among the drawings, pixel for pixel."""

    def digest(drawing: NDArray[np.uint8]) -> bytes:
        return hashlib.blake2b(drawing.tobytes(), digest_size=16).digest()

    where = {digest(drawing): i for i, drawing in enumerate(pixels)}

    def index(name: str) -> int:
        if name not in files:
            raise DamagedFileError(f"all_runs lacks {name}", hint="Delete it and fetch it again.")
        drawing = decode_drawing(files[name].read(), place=files[name].place)
        found = where.get(digest(drawing))
        if found is None:
            raise DamagedFileError(f"{files[name].place} is not one of Omniglot's drawings")
        return found

    names = range(1, _RUN_WAYS + 1)
    runs = range(1, _RUNS + 1)
    support = np.array([[index(f"run{run:02d}/training/class{k:02d}.png") for k in names] for run in runs])
    query = np.array([[index(f"run{run:02d}/test/item{k:02d}.png") for k in names] for run in runs])
    answer = np.argmax(labels.character[support][:, None, :] == labels.character[query][:, :, None], axis=2)
    if (labels.character[np.take_along_axis(support, answer, axis=1)] != labels.character[query]).any():
        raise DamagedFileError("all_runs has a query of a class that its run does not show")
    return Runs(support.astype(np.int32), query.astype(np.int32), answer.astype(np.int32))
