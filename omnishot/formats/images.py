"""`images.h5`, and the same group inside `pairs.h5`: every image once, with its labels and runs."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.data.image_set import ImageSet, Labels, Runs
from omnishot.data.sources.decoding import SIDE
from omnishot.data.sources.photos import LARGEST, SMALLEST
from omnishot.formats.hdf5 import (
    Dimensions,
    contains,
    create_hdf5,
    damaged,
    open_dataset,
    open_hdf5,
    read_array,
    read_names,
    reading_from,
)
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.artifact import Artifact

IMAGES: dict[str, tuple[Any, Dimensions]] = {
    "pixels": (np.uint8, (3, 4)),
    "alphabet": (np.int16, 1),
    "character": (np.int32, 1),
    "drawer": (np.int32, 1),
    "alphabet_names": (None, 1),
    "character_names": (None, 1),
}
"""The data sets of the group `images`: type, or None for texts, and number of dimensions; photographs have four."""

RUNS: dict[str, tuple[Any, Dimensions]] = {"support": (np.int32, 2), "query": (np.int32, 2), "answer": (np.int32, 2)}
"""The data sets of the group `runs`, likewise."""

_BLOCK = 1024
_MOST_SCORES = 10_000_000
_MOST_PIXELS_PER_STORED_BYTE = 256
"""Of large sets of images, on average; a stroke on an empty ground takes a hundredth of its pixels."""


def write_images(path: Path, images: ImageSet, *, on_progress: OnProgress = silent) -> None:
    """Write an image set to a new file; `on_progress` receives the number of images written."""
    n, *shape = images.pixels.shape
    with create_hdf5(path) as file:
        group = file.create_group("images")
        pixels = group.create_dataset(
            "pixels", images.pixels.shape, np.uint8, chunks=(1, *shape), compression="gzip", compression_opts=1
        )
        for start in range(0, n, _BLOCK):
            pixels[start : start + _BLOCK] = images.pixels[start : start + _BLOCK]
            on_progress(Progress("Storing images", start, n, "images"))
        labels = images.labels
        for name in ("alphabet", "character", "drawer"):
            group.create_dataset(name, data=getattr(labels, name))
        for name in ("alphabet_names", "character_names"):
            group.create_dataset(name, data=list(getattr(labels, name)), dtype=h5py.string_dtype())
        if images.runs:
            for name in RUNS:
                file.create_dataset(f"runs/{name}", data=getattr(images.runs, name))


def read_labels(file: h5py.File) -> Labels:
    """Read what each image shows.

    Raises:
        DamagedFileError: A data set is missing or of another type or shape, an index names nothing, or the images are
            not in the order alphabet, character, drawer.
    """
    n = len(pixels_of(file))
    labels = Labels(
        alphabet=read_array(file, "images/alphabet", *IMAGES["alphabet"]),
        character=read_array(file, "images/character", *IMAGES["character"]),
        drawer=read_array(file, "images/drawer", *IMAGES["drawer"]),
        alphabet_names=read_names(file, "images/alphabet_names"),
        character_names=read_names(file, "images/character_names"),
    )
    for name, indices, end in (
        ("alphabet", labels.alphabet, len(labels.alphabet_names)),
        ("character", labels.character, len(labels.character_names)),
        ("drawer", labels.drawer, 1 << 31),
    ):
        if len(indices) != n:
            raise damaged(file, f"images/{name} has {len(indices):,} entries for {n:,} images")
        refuse_strays(file, f"images/{name}", indices, end)
    for name, texts in (("alphabet", labels.alphabet_names), ("character", labels.character_names)):
        if len(set(texts)) < len(texts):
            raise damaged(file, f"images/{name}_names holds a name twice")
    _refuse_disorder(file, labels)
    return labels


def _refuse_disorder(file: h5py.File, labels: Labels) -> None:
    order = np.stack([labels.alphabet, labels.character, labels.drawer], axis=1)
    steps = np.diff(order, axis=0)
    first = steps[np.arange(len(steps)), (steps != 0).argmax(axis=1)]  # The most significant label that changes.
    alphabet_of = np.zeros(len(labels.character_names), dtype=np.int16)
    alphabet_of[labels.character] = labels.alphabet
    if (first < 0).any() or (alphabet_of[labels.character] != labels.alphabet).any():
        raise damaged(file, "its images are not in the order alphabet, character, drawer")


def read_runs(file: h5py.File) -> Runs | None:
    """Read the published runs, or None where the source has none.

    Raises:
        DamagedFileError: A data set is missing or of another type or shape, or an index names nothing.
    """
    if not contains(file, "runs"):
        return None
    n = len(pixels_of(file))
    runs = Runs(*(read_array(file, f"runs/{name}", *RUNS[name]) for name in RUNS))
    (n_runs, n_way), n_query = runs.support.shape, runs.query.shape[1]
    if runs.query.shape != runs.answer.shape or len(runs.query) != n_runs or not runs.support.size * runs.query.size:
        shapes = ", ".join(str(part.shape) for part in (runs.support, runs.query, runs.answer))
        raise damaged(file, f"support, query and answer of its runs have the shapes {shapes}")
    if n_runs * n_query * n_way > _MOST_SCORES:
        what = f"{n_runs:,} runs of {n_query:,} queries and {n_way:,} classes"
        raise damaged(file, f"{what} are more than {_MOST_SCORES:,} scores")
    refuse_strays(file, "runs/support", runs.support, n)
    refuse_strays(file, "runs/query", runs.query, n)
    refuse_strays(file, "runs/answer", runs.answer, n_way)
    return runs


def pixels_of(file: h5py.File) -> h5py.Dataset:
    """Return the images as they are stored, uint8: drawings, (n, 105, 105), or photographs, (n, side, side, 1 or 3).

    Raises:
        DamagedFileError: There are none, or they are of no such shape.
    """
    stored = open_dataset(file, "images/pixels", *IMAGES["pixels"], most_density=_MOST_PIXELS_PER_STORED_BYTE)
    shape = stored.shape[1:]
    is_photo = len(shape) == 3 and shape[0] == shape[1] and SMALLEST <= shape[0] <= LARGEST and shape[2] in {1, 3}
    if not len(stored) or not (is_photo or shape == (SIDE, SIDE)):
        expected = f"(n, {SIDE}, {SIDE}), or (n, side, side, 3) with {SMALLEST} to {LARGEST} pixels a side"
        raise damaged(file, f"images/pixels has the shape {stored.shape}, expected {expected}")
    return stored


def holds_photos(file: h5py.File) -> bool:
    """Tell whether a file's images are photographs, whose shades and colours are as they were, and not ink.

    Raises:
        DamagedFileError: As `pixels_of` does.
    """
    return bool(pixels_of(file).ndim == 4)


def read_pixels(file: h5py.File, *chosen: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Read images.

    Args:
        file: The file.
        chosen: Indices of the images to read, in any number of arrays of any shape; without any, all are read.

    Returns:
        Shape as stored (`pixels_of`), with n the number of all images, so that indices stay what they are. Images that
        were not chosen are blank, and cost no memory until they are written to.

    Raises:
        DamagedFileError: An image cannot be read.
    """
    stored = pixels_of(file)
    with reading_from(file):
        wanted = np.zeros(len(stored) + 2, dtype=np.int8)
        wanted[1:-1] = not chosen
        for indices in chosen:
            wanted[indices.reshape(-1) + 1] = 1
        edges = np.flatnonzero(np.diff(wanted))
        pixels = np.zeros(stored.shape, dtype=np.uint8)
        for first, last in edges.reshape(-1, 2).tolist():
            for start in range(first, last, _BLOCK):  # HDF5 keeps seven kilobytes for each chunk it reads.
                some = np.s_[start : min(start + _BLOCK, last)]
                stored.read_direct(pixels, some, some)
        return pixels


def refuse_strays(file: h5py.File, name: str, indices: NDArray[np.integer], end: int) -> None:
    """Check that indices count from 0 to below an end.

    Raises:
        DamagedFileError: One does not.
    """
    if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= end):
        stray = int(indices.min()) if int(indices.min()) < 0 else int(indices.max())
        raise damaged(file, f"{name} points at {stray:,}, but there are {end:,} to point at")


def labels_of(images: Artifact) -> Labels:
    """Read what each image of an images artifact shows."""
    with open_hdf5(images.file("images.h5")) as file:
        return read_labels(file)
