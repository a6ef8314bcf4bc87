"""Vectors of images in one file: npz, HDF5 or tab-separated text, with the names of the images and of the model."""

import csv
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.errors import UsageError
from omnishot.formats.hdf5 import create_hdf5
from omnishot.store.atomic_write import replaced

SUFFIXES = (".npz", ".h5", ".hdf5", ".tsv")


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors, and what they are of.

    Attributes:
        names: Of the images.
        vectors: Shape (n, d), float32.
        model: Name of the model that made them.
        digest: Its `Recognizer.digest`: only vectors of the same one are comparable.
    """

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    model: str
    digest: str


def check_suffix(path: Path) -> None:
    """Check that a file's ending says a format.

    Raises:
        UsageError: It does not.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"--out {path} ends with none of {', '.join(SUFFIXES)}", hint="The ending says the format.")


def write_embeddings(path: Path, embeddings: Embeddings) -> None:
    """Write vectors in the format that the file's ending says; a file that is there is replaced, as a whole.

    Raises:
        UsageError: The ending says none.
        OSError: The file cannot be written.
    """
    check_suffix(path)
    write = {".npz": _write_npz, ".tsv": _write_tsv}.get(path.suffix, _write_hdf5)
    with replaced(path) as aside:
        write(aside, embeddings)


def _write_npz(path: Path, embeddings: Embeddings) -> None:
    with path.open("wb") as file:  # A path would be given another ending.
        np.savez(
            file,
            names=np.array(embeddings.names, dtype=np.str_),
            vectors=embeddings.vectors,
            model=np.str_(embeddings.model),
            digest=np.str_(embeddings.digest),
        )


def _write_hdf5(path: Path, embeddings: Embeddings) -> None:
    with create_hdf5(path) as file:
        file.create_dataset("names", data=list(embeddings.names), dtype=h5py.string_dtype())
        file.create_dataset("vectors", data=embeddings.vectors)
        file.attrs["model"], file.attrs["digest"] = embeddings.model, embeddings.digest


def _write_tsv(path: Path, embeddings: Embeddings) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# model {embeddings.model}, digest {embeddings.digest}\n")
        writer = csv.writer(file, "excel-tab", lineterminator="\n")
        writer.writerow(["name", *(f"v{number}" for number in range(embeddings.vectors.shape[1]))])
        for name, vector in zip(embeddings.names, embeddings.vectors, strict=True):
            writer.writerow([name, *(f"{value:.9g}" for value in vector)])
