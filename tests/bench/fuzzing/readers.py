"""Every reader of the program: valid samples, how one is damaged into an input, and how the input is read."""

import contextlib
import io
import json
import os
import random
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
from fuzzing import checkpoints, hostile_hdf5, mutations
from fuzzing.pictures import valid_picture

from omnishot.config import TrainSettings
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import trials_of_runs
from omnishot.data.sources import folder
from omnishot.data.sources.decoding import decode_drawing, decode_picture
from omnishot.data.sources.files import content_digest
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError, NotFoundError, OmnishotError, UsageError
from omnishot.formats.evaluation import read_summary
from omnishot.formats.gallery import read_gallery, read_thumbnails
from omnishot.formats.hdf5 import create_hdf5, open_hdf5
from omnishot.formats.images import read_labels, read_pixels, read_runs
from omnishot.formats.manifest_fields import (
    Facts,
    GalleryFacts,
    ImagesFacts,
    ModelFacts,
    PairsFacts,
    has_runs,
    source_of,
)
from omnishot.formats.model import read_model
from omnishot.formats.pairs import _copy_images, read_pairs, read_split, read_variants
from omnishot.progress import silent
from omnishot.recognition.gallery import rank
from omnishot.recognition.thresholds import threshold_notes
from omnishot.reporting.formats import as_json, as_markdown, as_tsv
from omnishot.reporting.results import Measured
from omnishot.reporting.tables import tables_of
from omnishot.settings_text import check
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import read_manifest
from omnishot.store.reference import check_name, parse
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from omnishot.vocabulary import PARTS

GOLDEN = Path(__file__).parents[2] / "golden" / "v1"
KINDS = {
    "images": "golden",
    "pairs": "golden-20-affine1",
    "models": "golden",
    "evals": "golden-lake",
    "galleries": "golden",
}
_FACTS: dict[str, type[Facts]] = {
    "images": ImagesFacts,
    "pairs": PairsFacts,
    "models": ModelFacts,
    "galleries": GalleryFacts,
}


class Escaped(Exception):  # noqa: N818 - It is what happened, not an error of the program.
    """Something outside the input's folder was read."""


@dataclass(frozen=True)
class Reader:
    """A reader of the program.

    Attributes:
        name: What it is called in the table.
        share: How many of a hundred inputs are for it.
        write: Writes one damaged input into an empty folder; the folder beside it holds the canaries.
        read: Reads what is in the folder.
    """

    name: str
    share: int
    write: Callable[[Path, random.Random], None]
    read: Callable[[Path], None]


def _file_of(kind: str, name: str) -> Path:
    return GOLDEN / kind / KINDS[kind] / "v1" / name


def _write_settings(place: Path, rng: random.Random) -> None:
    text = _file_of("models", "config.yaml").read_text("utf-8")
    (place / "config.yaml").write_bytes(mutations.yaml_text(text, rng))


def _read_settings(place: Path) -> None:
    text = (place / "config.yaml").read_text("utf-8", "replace")
    check(TrainSettings, read_yaml(text, origin="config.yaml"), origin="config.yaml")


def _write_store(place: Path, rng: random.Random) -> None:
    shutil.copytree(GOLDEN, place / "store", ignore=shutil.ignore_patterns("weights*", "*.h5"))
    kind = rng.choice(list(KINDS))
    path = place / "store" / kind / KINDS[kind] / "v1" / "manifest.yaml"
    text = path.read_text("utf-8")
    path.unlink()
    path.write_bytes(mutations.yaml_text(text, rng))


def _read_store(place: Path) -> None:
    store, damaged = Store(place / "store"), dict[Path, DamagedFileError]()
    for artifact in store.artifacts(damaged=damaged):
        manifest = artifact.manifest
        again = place / "again"
        again.mkdir(exist_ok=True)
        (again / "manifest.yaml").write_text(manifest.as_yaml(), "utf-8")
        if read_manifest(again) != manifest:
            raise AssertionError("a manifest that was read does not survive being written")
        json.dumps(manifest.model_dump(), allow_nan=False)
        for name in manifest.files:
            if (artifact.path / name).resolve().parent != artifact.path.resolve():
                raise Escaped(name)
            with contextlib.suppress(DamagedFileError):
                artifact.file(name)
    refusals: list[OmnishotError] = [*damaged.values()]
    for kind, name in KINDS.items():
        try:
            found = store.newest(kind)
            store.find(f"{kind}/{name}:v1")
            if kind in _FACTS:
                _FACTS[kind].of(found.manifest)
            if kind in {"images", "pairs"}:
                source_of(found.manifest)
                has_runs(found.manifest)
            if kind == "pairs":
                hash(PairsFacts.of(found.manifest).division)
        except (DamagedFileError, NotFoundError) as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _write_reference(place: Path, rng: random.Random) -> None:
    valid = rng.choice(("models/koch:v1", "koch", "pairs/omniglot-90k-affine8:latest"))
    text = mutations.blindly(valid.encode(), rng) if rng.random() < 0.7 else rng.choice(mutations.ODD_TEXTS).encode()
    (place / "reference").write_bytes(text)


def _read_reference(place: Path) -> None:
    text = (place / "reference").read_bytes().decode("utf-8", "surrogateescape")
    with contextlib.suppress(UsageError):
        if (place / check_name(text)).resolve().parent != place.resolve():
            raise Escaped(text)
    parse(text)


def _write_summary(place: Path, rng: random.Random) -> None:
    content = _file_of("evals", "summary.json").read_bytes()
    tree = json.loads(content)
    tree["comparisons"] = [{"model": "a", "against": "b", "ways": 2, "difference": 0.1, "ci95": [0.0, 0.2]}]
    changed = json.dumps(mutations.in_a_tree(tree, rng)).encode()
    (place / "summary.json").write_bytes(mutations.blindly(content, rng) if rng.random() < 0.3 else changed)


def _read_summary(place: Path) -> None:
    summary = read_summary(place / "summary.json")
    measured = [
        Measured(result, "evals/e:v1", summary.data, summary.source, summary.seed, summary.device,
                 summary.models.get(result.model)) for result in summary.results
    ]  # fmt: skip
    as_markdown(tables_of(measured).in_order)
    as_json(measured)
    as_tsv(measured).encode("utf-8")
    for row in summary.comparisons:
        f"{row.ways}-way: {row.model} {100 * row.difference:+.1f} {row.against} {sum(row.ci95):.1f}"


def _write_hdf5(kind: str) -> Callable[[Path, random.Random], None]:
    def write(place: Path, rng: random.Random) -> None:
        path = shutil.copyfile(_file_of(kind, f"{kind}.h5"), place / f"{kind}.h5")
        if rng.random() < 0.4:
            path.write_bytes(mutations.blindly(path.read_bytes(), rng))
        else:
            hostile_hdf5.change(path, place.parent / "outside", rng)

    return write


def _read_images(place: Path) -> None:
    with open_hdf5(next(place.glob("*.h5"))) as file:
        labels, runs, pixels = read_labels(file), read_runs(file), read_pixels(file)
        if (pixels == hostile_hdf5.CANARY).all(axis=(1, 2)).any():
            raise Escaped("a picture from outside the file")
        ClassIndex.of(labels, np.arange(len(labels), dtype=np.int32))
        if runs:
            trials_of_runs(runs, runs.support.shape[1], rng=np.random.default_rng(0))
        with create_hdf5(place / "copy") as target:
            _copy_images(file, target)


def _read_pairs(place: Path) -> None:
    _read_images(place)
    with open_hdf5(place / "pairs.h5") as file:
        labels, split = read_labels(file), read_split(file)
        for part in PARTS:
            if len(chosen := getattr(split, part)):
                ClassIndex.of(labels, chosen)
                read_pixels(file, chosen)
            read_pairs(file, part)
        read_variants(file)


def _write_gallery(place: Path, rng: random.Random) -> None:
    arrays = shutil.copyfile(_file_of("galleries", "gallery.h5"), place / "gallery.h5")
    content = _file_of("galleries", "gallery.json").read_bytes()
    if rng.random() < 0.3:
        changed = json.dumps(mutations.in_a_tree(json.loads(content), rng)).encode()
        content = mutations.blindly(content, rng) if rng.random() < 0.3 else changed
    elif rng.random() < 0.4:
        arrays.write_bytes(mutations.blindly(arrays.read_bytes(), rng))
    else:
        hostile_hdf5.change(arrays, place.parent / "outside", rng)
    (place / "gallery.json").write_bytes(content)


def _read_gallery(place: Path) -> None:
    artifact = cast("Artifact", SimpleNamespace(file=lambda name: place / name))
    gallery, thumbnails = read_gallery(artifact), read_thumbnails(artifact)
    if (gallery.digests == hostile_hdf5.CANARY).all(axis=1).any():
        raise Escaped("a digest from outside the file")
    ranking = rank(gallery.embeddings[:1], gallery, lambda queries, examples: queries @ examples.T, n_ranked=2)
    names = [gallery.classes[number] for number in ranking.classes[0]]
    "\n".join([*names, *gallery.files, *threshold_notes(gallery, "golden")]).encode("utf-8")
    json.dumps(gallery.settings.model_dump(mode="json"), allow_nan=False)
    for small in thumbnails or ():
        if bytes([hostile_hdf5.CANARY]) * 64 in small:
            raise Escaped("a thumbnail from outside the file")
        with contextlib.suppress(DamagedFileError):
            decode_picture(small, place="thumbnail")


def _write_model(place: Path, rng: random.Random) -> None:
    content, settings = (_file_of("models", name) for name in ("weights.safetensors", "config.yaml"))
    if rng.random() < 0.1:
        _write_settings(place, rng)
    else:
        shutil.copyfile(settings, place / "config.yaml")
    damage = mutations.blindly if rng.random() < 0.3 else mutations.safetensors_header
    (place / "weights.safetensors").write_bytes(damage(content.read_bytes(), rng))


def _read_model(place: Path) -> None:
    read_model(place / "weights.safetensors", place / "config.yaml")


def _write_picture(place: Path, rng: random.Random) -> None:
    kind = rng.choice(("PNG", "PNG", "PNG", "JPEG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "PPM"))
    content = valid_picture(rng, kind, rng.choice((45, 105, 400)))
    knowing = {"PNG": mutations.png_chunks, "JPEG": mutations.jpeg_segments}.get(kind, mutations.blindly)
    damage = knowing if rng.random() < 0.6 else mutations.blindly
    (place / "picture").write_bytes(damage(content, rng))


def _read_picture(place: Path) -> None:
    ink = decode_picture((place / "picture").read_bytes(), place="picture")
    if ink.shape != (105, 105) or ink.dtype != np.uint8:
        raise AssertionError(f"a picture became {ink.shape} {ink.dtype}")


def _write_zip(place: Path, rng: random.Random) -> None:
    names = ["a/", "a/character01/0001_01.png", "a/character01/0001_02.png", "a/character02/0002_01.png"]
    odd = ("../../x.png", "/x.png", "a//x.png", "a/\x1b[31m.png", "a\\..\\x", "é.png", "\udcff", "x" * 60_000, names[1])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in [*names, *rng.sample(odd, rng.randrange(3))]:
            entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            entry.compress_type = rng.choice((zipfile.ZIP_DEFLATED,) * 8 + (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2))
            entry.external_attr = (stat.S_IFLNK if rng.random() < 0.05 else stat.S_IFREG) << 16
            bomb = rng.random() < 0.01
            archive.writestr(
                entry, bytes(1 << 27) if bomb else b"" if name.endswith("/") else valid_picture(rng, "PNG")
            )
    content = bytearray(packed.getvalue())
    for start in (content.rfind(b"PK\x01\x02"), content.find(b"PK\x03\x04")):
        if rng.random() < 0.5:  # Flags, method, checksum and sizes, in the directory or beside the file.
            field = start + rng.randint(6, 46)
            content[field : field + 4] = rng.choice((b"\x01\x00\x00\x00", b"\xff" * 4, b"\x00" * 4, rng.randbytes(4)))
    final = mutations.blindly(bytes(content), rng) if rng.random() < 0.5 else bytes(content)
    (place / "images.zip").write_bytes(final)


def _read_zip(place: Path) -> None:
    files = files_of_zip(place / "images.zip").files
    content_digest(files)
    for file in files:
        decode_drawing(file.read(), place=file.place)


def _write_folder(place: Path, rng: random.Random) -> None:
    top = os.fsencode(place / rng.choice(("scripts", "omniglot", "a\nb")))
    taken: set[bytes] = set()
    for _ in range(rng.randint(1, 8)):
        depth = rng.choice((1, 2, 2, 2, 3))
        names = [rng.choice((b"a", b"b", b"c d", b"[x]", b".x", b"\xff", b"\x1b[m", b"e" * 200)) for _ in range(depth)]
        parents = {b"/".join(names[:n]) for n in range(1, depth)}
        path = os.fsdecode(top + b"/" + b"/".join(names))
        # Nothing is written below or over what is there: it may be a link to elsewhere.
        if b"/".join(names) in taken or parents & taken or Path(path).exists():
            continue
        taken.add(b"/".join(names))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        match rng.randrange(8):
            case 0:
                Path(path).symlink_to(rng.choice(("/dev/zero", ".", "loop", "nowhere")))
            case 1:
                os.mkfifo(path)
            case 2:
                Path(path).touch(exist_ok=False)
            case _:
                Path(path).write_bytes(valid_picture(rng, "PNG"))


def _read_folder(place: Path) -> None:
    found = folder.find(next((path for path in place.iterdir()), place / "none"))
    images = found.read(silent)
    if len(images.pixels) != len(images.labels):
        raise AssertionError("not every picture has a label")


READERS: tuple[Reader, ...] = (
    Reader("settings", 8, _write_settings, _read_settings),
    Reader("manifest", 14, _write_store, _read_store),
    Reader("reference", 8, _write_reference, _read_reference),
    Reader("summary", 12, _write_summary, _read_summary),
    Reader("images.h5", 12, _write_hdf5("images"), _read_images),
    Reader("pairs.h5", 12, _write_hdf5("pairs"), _read_pairs),
    Reader("gallery", 10, _write_gallery, _read_gallery),
    Reader("model", 8, _write_model, _read_model),
    Reader("checkpoint", 6, checkpoints.write, checkpoints.read),
    Reader("picture", 14, _write_picture, _read_picture),
    Reader("zip", 8, _write_zip, _read_zip),
    Reader("folder", 4, _write_folder, _read_folder),
)
