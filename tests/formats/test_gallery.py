"""A gallery comes back as it was written; one that is damaged or made up is refused before it is believed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from omnishot.errors import DamagedFileError
from omnishot.formats.gallery import (
    EmbeddedBy,
    Gallery,
    GallerySettings,
    Provisional,
    Thumbnails,
    read_gallery,
    read_thumbnails,
    write_gallery,
)
from omnishot.store.artifact import Artifact
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store

NAMED = '{"reference": "m", "digest": "' + "0" * 64 + '", "preparation": "photo"}'
MODEL = EmbeddedBy(reference="models/m:v1", digest="0" * 64, preparation="photo")
RULE = Provisional(threshold=0.25, mean=0.125, deviation=0.0625, examples=3)
GALLERY = Gallery(
    GallerySettings(model=MODEL, provisional=RULE),
    ("é 1", "b"),
    np.array([0, 0, 1], np.int32),
    np.arange(12, dtype=np.float32).reshape(3, 4),
    np.arange(96, dtype=np.uint8).reshape(3, 32),
    ("a.jpg", "b.jpg", "c.jpg"),
)


def published(
    tmp_path: Path, change: Callable[[Path], object] = lambda folder: None, gallery: Gallery = GALLERY
) -> Artifact:
    store, recipe = Store(tmp_path / "artifacts"), Recipe("galleries", 1, {}, [])
    with store.producing(recipe), store.publish(recipe, "staff") as staging:
        write_gallery(staging.path, gallery, Thumbnails.of([b"one", b"", b"three"]))
        change(staging.path)
    assert staging.published
    return staging.published


def test_a_gallery_comes_back(tmp_path: Path) -> None:
    artifact = published(tmp_path)
    found, thumbnails = read_gallery(artifact), read_thumbnails(artifact)
    assert (found.settings, found.classes, found.files) == (GALLERY.settings, GALLERY.classes, GALLERY.files)
    for name in ("of_class", "embeddings", "digests"):
        assert (getattr(found, name) == getattr(GALLERY, name)).all()
    assert thumbnails
    assert list(thumbnails) == [b"one", b"", b"three"]
    assert found.settings.threshold == 0.25


def test_embeddings_stay_on_the_disk_and_cannot_change_it(tmp_path: Path) -> None:
    artifact = published(tmp_path, arrays(examples__embedding=np.zeros((3, 5000), np.float32)))
    assert isinstance(read_gallery(artifact).embeddings, np.ndarray)  # Wherever another program put it.
    many = replace(GALLERY, embeddings=np.zeros((3, 5000), np.float32))
    artifact = published(tmp_path, gallery=many)
    found = read_gallery(artifact)
    assert isinstance(found.embeddings, np.memmap)
    assert found.embeddings.flags.aligned
    found.embeddings[0, 0] = 7
    assert artifact.is_sound()
    assert read_gallery(artifact).embeddings[0, 0] == 0


def arrays(**changes: Any) -> Callable[[Path], None]:
    """Return what replaces data sets of gallery.h5, or removes those that are None."""

    def change(folder: Path) -> None:
        with h5py.File(folder / "gallery.h5", "r+") as file:
            for name, value in changes.items():
                path = name.replace("__", "/")
                del file[path]
                if value is not None:
                    file[path] = value

    return change


def settings(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "gallery.json").write_text(text)


def external(folder: Path) -> None:
    with h5py.File(folder / "gallery.h5", "r+") as file:
        del file["examples/embedding"]
        (folder / "elsewhere").write_bytes(bytes(48))
        file.create_dataset("examples/embedding", (3, 4), np.float32, external=[(str(folder / "elsewhere"), 0, 48)])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no classes": arrays(classes__names=None),
    "a name twice": arrays(classes__names=["a", "a"]),
    "a name of two lines": arrays(classes__names=["a", "b\nc"]),
    "a class without an example": arrays(examples__class=np.array([0, 0, 0], np.int32)),
    "an example of no class": arrays(examples__class=np.array([0, 1, 2], np.int32)),
    "classes in disorder": arrays(examples__class=np.array([0, 1, 0], np.int32)),
    "fewer embeddings": arrays(examples__embedding=np.zeros((2, 4), np.float32)),
    "not a number": arrays(examples__embedding=np.full((3, 4), np.nan, np.float32)),
    "infinite": arrays(examples__embedding=np.full((3, 4), np.inf, np.float32)),
    "of no dimension": arrays(examples__embedding=np.zeros((3, 0), np.float32)),
    "another type": arrays(examples__embedding=np.zeros((3, 4), np.float64)),
    "short digests": arrays(examples__digest=np.zeros((3, 31), np.uint8)),
    "fewer files": arrays(examples__file=["a"]),
    "embeddings elsewhere": external,
    "no settings": settings("{}"),
    "no JSON": settings("{"),
    "another key": settings(f'{{"model": {NAMED}, "x": 1}}'),
    "another preparation": settings(f'{{"model": {NAMED.replace("photo", "x")}}}'),
    "an infinite threshold": settings(
        f'{{"model": {NAMED}, "provisional": {{"threshold": 1e999, "mean": 0, "deviation": 0, "examples": 3}}}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_a_gallery_is_refused(damage: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError):
        read_gallery(published(tmp_path, DAMAGES[damage]))


@pytest.mark.parametrize("ends", [[3, 3, 9], [3, 2, 8], [-1, 3, 8], [3, 8]])
def test_thumbnails_that_do_not_fill_their_bytes_are_refused(ends: list[int], tmp_path: Path) -> None:
    artifact = published(tmp_path, arrays(thumbnails__end=np.array(ends, np.int64)))
    with pytest.raises(DamagedFileError, match="thumbnails"):
        read_thumbnails(artifact)
