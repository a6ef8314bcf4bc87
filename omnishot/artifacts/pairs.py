"""`pairs.h5`: images, split, pairs and affine recipes; the one file that training and evaluation need."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.artifacts.images import created, opened, reading
from omnishot.data.affine import COMPONENTS
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError

PARTS = ("train", "validation", "test")
"""The parts of a split."""


def write_pairs(
    path: Path,
    *,
    images_file: Path,
    split: Split,
    pairs: dict[str, Pairs],
    n_variants: int,
    variants: Mapping[str, Iterable[NDArray[np.float32]]],
) -> None:
    """Write a pair dataset to a new file.

    Args:
        path: The file.
        images_file: An `images.h5`; its compressed images are copied as they are.
        split: Image indices of the parts.
        pairs: Pairs of each part; a part without images has none.
        n_variants: Affine variants of each training pair.
        variants: Affine parameters of the training pairs, `left` and `right`, in blocks of shape (n, n_variants, 7).
    """
    with created(path) as file:
        with opened(images_file) as source, reading(source):
            for name in source:
                source.copy(name, file)
        for part in PARTS:
            file.create_dataset(f"split/{part}", data=getattr(split, part))
        for part, drawn in pairs.items():
            for name in ("left", "right", "same"):
                file.create_dataset(f"pairs/{part}/{name}", data=getattr(drawn, name))
        for side, blocks in variants.items():
            shape = (len(pairs["train"]), n_variants, len(COMPONENTS))
            stored, start = file.create_dataset(f"variants/{side}", shape, np.float32), 0
            for block in blocks:
                stored[start : start + len(block)] = block
                start += len(block)


def read_split(file: h5py.File) -> Split:
    """Read which images belong to which part.

    Raises:
        DamagedFileError: A part is missing, or an index is none of an image.
    """
    with reading(file):
        n = len(file["images/pixels"])
        split = Split(*(file[f"split/{part}"][:] for part in PARTS))
    for part in PARTS:
        _refuse_strays(file, f"split/{part}", getattr(split, part), n)
    return split


def read_pairs(file: h5py.File, part: str) -> Pairs | None:
    """Read the pairs of one part, or None where the part is empty.

    Raises:
        DamagedFileError: Arrays are missing or of different lengths, or an index is none of an image.
    """
    with reading(file):
        if part not in file["pairs"]:
            return None
        n = len(file["images/pixels"])
        pairs = Pairs(*(file[f"pairs/{part}/{name}"][:] for name in ("left", "right", "same")))
    if not len(pairs.left) == len(pairs.right) == len(pairs.same):
        raise DamagedFileError(f"{file.filename}: left, right and same of pairs/{part} have different lengths")
    _refuse_strays(file, f"pairs/{part}/left", pairs.left, n)
    _refuse_strays(file, f"pairs/{part}/right", pairs.right, n)
    return pairs


def read_variants(file: h5py.File) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the affine parameters of the training pairs, left and right, each of shape (n_train_pairs, k, 7)."""
    with reading(file):
        return file["variants/left"][:], file["variants/right"][:]


def _refuse_strays(file: h5py.File, name: str, indices: NDArray[np.int32], n: int) -> None:
    if len(indices) and (int(indices.min()) < 0 or int(indices.max()) >= n):
        raise DamagedFileError(
            f"{file.filename}: {name} points at image {int(indices.max())}, but there are {n} images"
        )
