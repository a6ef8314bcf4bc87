"""`images.h5`, and the same group inside `pairs.h5`: every image once, with its labels and runs."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.artifacts.deferred import DeferredErrors
from omnishot.data.image_set import ImageSet, Labels, Runs
from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.progress import Progress, Report

_BLOCK = 1024


def write_images(path: Path, images: ImageSet, *, report: Report) -> None:
    """Write an image set to a new file.

    Args:
        path: The file.
        images: What to write.
        report: Receives the number of images written.
    """
    n, height, width = images.pixels.shape
    with created(path) as file:
        group = file.create_group("images")
        pixels = group.create_dataset(
            "pixels", images.pixels.shape, np.uint8, chunks=(1, height, width), compression="gzip", compression_opts=1
        )
        for start in range(0, n, _BLOCK):
            pixels[start : start + _BLOCK] = images.pixels[start : start + _BLOCK]
            report(Progress("Storing images", start, n, "images"))
        labels = images.labels
        for name, values in (("alphabet", labels.alphabet), ("character", labels.character), ("drawer", labels.drawer)):
            group.create_dataset(name, data=values)
        group.create_dataset("alphabet_names", data=list(labels.alphabet_names), dtype=h5py.string_dtype())
        group.create_dataset("character_names", data=list(labels.character_names), dtype=h5py.string_dtype())
        if images.runs:
            for name in ("support", "query", "answer"):
                file.create_dataset(f"runs/{name}", data=getattr(images.runs, name))


def read_labels(file: h5py.File) -> Labels:
    """Read what each image shows.

    Raises:
        DamagedFileError: A data set is missing or has another shape.
    """
    with reading(file):
        group = file["images"]
        return Labels(
            alphabet=group["alphabet"][:],
            character=group["character"][:],
            drawer=group["drawer"][:],
            alphabet_names=tuple(group["alphabet_names"].asstr()[:]),
            character_names=tuple(group["character_names"].asstr()[:]),
        )


def read_runs(file: h5py.File) -> Runs | None:
    """Read the published runs, or None where the source has none."""
    with reading(file):
        if "runs" not in file:
            return None
        return Runs(*(file[f"runs/{name}"][:] for name in ("support", "query", "answer")))


def read_pixels(file: h5py.File, *chosen: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Read images.

    Args:
        file: The file.
        chosen: Indices of the images to read, in any number of arrays of any shape; without any, all are read.

    Returns:
        Shape (n, side, side), uint8, with n the number of all images, so that indices stay what they are. Images that
        were not chosen are blank, and cost no memory until they are written to.

    Raises:
        DamagedFileError: An image cannot be read.
    """
    with reading(file):
        stored = file["images/pixels"]
        wanted = np.zeros(len(stored) + 2, dtype=np.int8)
        wanted[1:-1] = not chosen
        for indices in chosen:
            wanted[indices.reshape(-1) + 1] = 1
        edges = np.flatnonzero(np.diff(wanted))
        pixels = np.zeros(stored.shape, dtype=np.uint8)
        for first, last in edges.reshape(-1, 2):
            stored.read_direct(pixels, np.s_[first:last], np.s_[first:last])
        return pixels


@contextlib.contextmanager
def created(path: Path, mode: Literal["w", "r+"] = "w") -> Iterator[h5py.File]:
    """Create an HDF5 file for writing, or open one that is not published yet.

    Raises:
        UnavailableError: The disk is full or the folder cannot be written.
    """
    try:
        with (
            DeferredErrors(path, "w+b" if mode == "w" else "r+b") as target,
            h5py.File(target, mode, libver="v110") as file,
        ):
            yield file
    except (OSError, RuntimeError) as error:  # h5py raises the latter where it reads back what could not be written.
        raise UnavailableError(f"{path} cannot be written: {error}", hint="Nothing was published.") from None


@contextlib.contextmanager
def reading(file: h5py.File) -> Iterator[None]:
    """Turn what h5py raises over a damaged file into the error that says which file it is."""
    try:
        yield
    except (KeyError, OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise DamagedFileError(f"{file.filename} does not hold what it should: {error}") from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises:
        DamagedFileError: It is none.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DamagedFileError(f"{path} is not a readable HDF5 file: {error}") from None
    with file:
        yield file
