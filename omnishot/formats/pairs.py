"""`pairs.h5`: images, split, pairs and affine recipes; the one file that training and evaluation need."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.data.affine import COMPONENTS
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.formats.hdf5 import contains, create_hdf5, damaged, open_dataset, open_hdf5, read_array, reading_from
from omnishot.formats.images import IMAGES, RUNS, pixels_of, refuse_strays
from omnishot.vocabulary import PARTS

_FARTHEST = 1e6


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
        pairs: Pairs of each part; a part without images, or without two of one class, has none.
        n_variants: Affine variants of each training pair.
        variants: Affine parameters of the training pairs, `left` and `right`, in blocks of shape (n, n_variants, 7).
    """
    with create_hdf5(path) as file:
        with open_hdf5(images_file) as source:
            _copy_images(source, file)
        for part in PARTS:
            file.create_dataset(f"split/{part}", data=getattr(split, part))
        for drawn_part, drawn in pairs.items():
            for name in ("left", "right", "same"):
                file.create_dataset(f"pairs/{drawn_part}/{name}", data=getattr(drawn, name))
        for side, blocks in variants.items():
            shape = (len(pairs["train"]) if "train" in pairs else 0, n_variants, len(COMPONENTS))
            stored, start = file.create_dataset(f"variants/{side}", shape, np.float32), 0
            for block in blocks:
                stored[start : start + len(block)] = block
                start += len(block)


def _copy_images(source: h5py.File, target: h5py.File) -> None:
    copied = {f"images/{name}": kind for name, kind in IMAGES.items()}
    if contains(source, "runs"):
        copied |= {f"runs/{name}": kind for name, kind in RUNS.items()}
    for name, kind in copied.items():
        stored = open_dataset(source, name, *kind)
        with reading_from(source):
            group, _, last = name.partition("/")
            source.copy(stored, target.require_group(group), last, without_attrs=True)


def read_split(file: h5py.File) -> Split:
    """Read which images belong to which part.

    Raises:
        DamagedFileError: A part is missing, an index is none of an image, or an image comes twice.
    """
    n = len(pixels_of(file))
    split = Split(*(read_array(file, f"split/{part}", np.int32, 1) for part in PARTS))
    parts = [getattr(split, part) for part in PARTS]
    for name, indices in zip(PARTS, parts, strict=True):
        refuse_strays(file, f"split/{name}", indices, n)
        if (np.diff(indices) <= 0).any():
            raise damaged(file, f"split/{name} is not in ascending order")
    if np.bincount(np.concatenate(parts), minlength=1).max() > 1:
        raise damaged(file, "an image is in two parts of its split")
    return split


def read_pairs(file: h5py.File, part: str) -> Pairs | None:
    """Read the pairs of one part, or None where the part is empty.

    Raises:
        DamagedFileError: Arrays are missing or of different lengths, an index is none of an image, or a pair holds one
            image twice.
    """
    if not contains(file, f"pairs/{part}"):
        return None
    n = len(pixels_of(file))
    left, right = (read_array(file, f"pairs/{part}/{side}", np.int32, 1) for side in ("left", "right"))
    pairs = Pairs(left, right, read_array(file, f"pairs/{part}/same", np.bool_, 1))
    if not 0 < len(left) == len(right) == len(pairs.same):
        lengths = f"{len(left):,}, {len(right):,} and {len(pairs.same):,}"
        raise damaged(file, f"left, right and same of pairs/{part} have {lengths} entries")
    refuse_strays(file, f"pairs/{part}/left", left, n)
    refuse_strays(file, f"pairs/{part}/right", right, n)
    if (left == right).any():
        raise damaged(file, f"pair {int((left == right).argmax()):,} of pairs/{part} holds one image twice")
    return pairs


def read_variants(file: h5py.File) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the affine parameters of the training pairs, left and right, each of shape (n_train_pairs, k, 7).

    Raises:
        DamagedFileError: They are missing, of another shape, or no distortions that can be rendered.
    """
    n = len(open_dataset(file, "pairs/train/left", np.int32, 1))
    left, right = (read_array(file, f"variants/{side}", np.float32, 3) for side in ("left", "right"))
    for name, stored in (("left", left), ("right", right)):
        if stored.shape != (n, left.shape[1], len(COMPONENTS)):
            raise damaged(file, f"variants/{name} has the shape {stored.shape} for {n:,} training pairs")
        # Not a number compares as false, so this refuses it too.
        within_reach = stored.max(initial=0) <= _FARTHEST and stored.min(initial=0) >= -_FARTHEST
        if not (within_reach and stored[..., 3:5].min(initial=1) > 0):
            raise damaged(file, f"variants/{name} holds distortions that cannot be rendered")
    return left, right
