"""The pixels of every training pair and variant inside `pairs.h5`, for readers that want plain arrays.

Rendering takes long, and HDF5 files do not survive a killed writer. So blocks of pairs are rendered into files of their
own, each complete or absent, and copied into `pairs.h5` at the end, compressed as they are.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.data.affine import IDENTITY
from omnishot.data.render import affine_matrices, render
from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.formats.hdf5 import create_hdf5, open_hdf5
from omnishot.formats.images import read_pixels
from omnishot.formats.pairs import read_pairs, read_variants
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.atomic_write import flush
from omnishot.store.manifest import file_digest

_PAIRS_PER_BLOCK = 512
_PAIRS_AT_ONCE = 64
_SIDES = ("left", "right")

_Block = dict[str, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What is rendered.

    Attributes:
        pixels: All images, shape (n, h, w), uint8.
        indices: By side, the image of each training pair, shape (n_pairs,).
        parameters: By side, the affine variants of each training pair, shape (n_pairs, k, 7).
    """

    pixels: torch.Tensor
    indices: dict[str, NDArray[np.int32]]
    parameters: dict[str, NDArray[np.float32]]

    def __len__(self) -> int:
        """Return the number of training pairs."""
        return len(self.indices["left"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one pair's images of one side, (1 + k, h, w)."""
        return (1 + self.parameters["left"].shape[1], *self.pixels.shape[1:])

    def blocks(self) -> Iterator[range]:
        """Yield the pairs of each block."""
        for start in range(0, len(self), _PAIRS_PER_BLOCK):
            yield range(start, min(start + _PAIRS_PER_BLOCK, len(self)))


def write_rendered(path: Path, blocks: Path, *, tell: Callable[[str], None], on_progress: OnProgress = silent) -> None:
    """Add `/rendered/left` and `/rendered/right` to a pair dataset that has not been published yet.

    Each has shape (n_train_pairs, 1 + k, h, w), uint8; the first of a pair's images is the undistorted one.

    Args:
        path: The `pairs.h5`.
        blocks: Folder for what has been rendered so far; what an interrupted run left there is used.
        tell: Receives a sentence where an interrupted run is continued.
        on_progress: Receives the number of pairs rendered.

    Raises:
        UnavailableError: The disk is full or the folder cannot be written.
    """
    with open_hdf5(path) as file:
        drawn, variants = read_pairs(file, "train"), read_variants(file)
        if drawn is None:
            return
        indices, parameters = (drawn.left, drawn.right), variants
        pixels = torch.from_numpy(read_pixels(file, *indices))
    pairs = _Pairs(pixels, dict(zip(_SIDES, indices, strict=True)), dict(zip(_SIDES, parameters, strict=True)))
    try:
        rendered = _render_missing(pairs, blocks, tell, on_progress)
        with create_hdf5(path, "r+") as file:
            _assemble(file, pairs, rendered, on_progress)
    except OSError as error:
        raise UnavailableError(
            f"Rendering pairs failed: {error}", hint="What was rendered is kept; the same command continues."
        ) from None


def _render_missing(pairs: _Pairs, folder: Path, tell: Callable[[str], None], on_progress: OnProgress) -> list[Path]:
    """Return the files of all blocks, after rendering those that are not there."""
    done = {block: path for block in pairs.blocks() if (path := _whole(folder, block))}
    if done:
        last = max(done, key=lambda block: block.start)
        if not _equal(_read_block(done[last]), _render_block(pairs, last)):
            for path in done.values():  # Rendered by another torch, which rounds otherwise.
                path.unlink()
            done.clear()
    if done:
        tell(f"Continuing an interrupted rendering: {sum(map(len, done)):,} of {len(pairs):,} pairs are there")
    for block in pairs.blocks():
        if block not in done:
            on_progress(Progress("Rendering pairs", block.start, len(pairs), "pairs"))
            done[block] = _write_block(folder, block, _render_block(pairs, block))
    return [done[block] for block in pairs.blocks()]


def _whole(folder: Path, block: range) -> Path | None:
    """Return the file of a block that is whole, as its name holds the digest of its content."""
    for path in folder.glob(f"{_name(block)}-*.h5"):
        if path.name == f"{_name(block)}-{file_digest(path)}.h5":
            return path
    return None


def _name(block: range) -> str:
    return f"pairs-{block.start:08d}-{block.stop:08d}"


def _equal(one: _Block | None, other: _Block) -> bool:
    return one is not None and all(np.array_equal(one[side], other[side]) for side in _SIDES)


def _render_block(pairs: _Pairs, block: range) -> _Block:
    rendered: _Block = {}
    for side in _SIDES:
        parts = []
        for start in range(block.start, block.stop, _PAIRS_AT_ONCE):
            chosen = slice(start, min(start + _PAIRS_AT_ONCE, block.stop))
            images = pairs.pixels[torch.from_numpy(pairs.indices[side][chosen])]
            parts.append(_render(images, pairs.parameters[side][chosen]))
        rendered[side] = np.concatenate(parts)
    return rendered


def _render(pixels: torch.Tensor, parameters: NDArray[np.float32]) -> NDArray[np.uint8]:
    n, k, side = len(pixels), parameters.shape[1], pixels.shape[-1]
    identity = np.broadcast_to(IDENTITY, (n, 1, len(IDENTITY)))
    matrices = affine_matrices(torch.from_numpy(np.concatenate([identity, parameters], axis=1)).flatten(0, 1))
    images = render(pixels.repeat_interleave(1 + k, dim=0), matrices, side)
    rendered: NDArray[np.uint8] = images.mul_(255).round_().to(torch.uint8).view(n, 1 + k, side, side).numpy()
    return rendered


def _write_block(folder: Path, block: range, rendered: _Block) -> Path:
    """Write a block aside, and move it to the name that holds its digest."""
    for left in folder.glob("block.*.new"):  # By a process that was killed.
        left.unlink()
    aside = folder / f"block.{secrets.token_hex(16)}.new"
    with create_hdf5(aside) as file:
        for side, images in rendered.items():
            _create(file, side, len(images), images.shape[1:])[:] = images
    flush(aside)
    return aside.rename(folder / f"{_name(block)}-{file_digest(aside)}.h5")


def _read_block(path: Path) -> _Block | None:
    """Return a block, or None where its file is damaged."""
    try:
        with open_hdf5(path) as file:
            return {side: file[side][:] for side in _SIDES}
    except (DamagedFileError, KeyError, OSError, ValueError):
        return None


def _create(group: h5py.Group, name: str, n_pairs: int, shape: tuple[int, ...]) -> h5py.Dataset:
    return group.create_dataset(
        name, (n_pairs, *shape), np.uint8, chunks=(1, *shape), compression="gzip", compression_opts=1
    )


def _assemble(file: h5py.File, pairs: _Pairs, blocks: list[Path], on_progress: OnProgress) -> None:
    """Copy the compressed chunks, one per pair and side."""
    targets = {side: _create(file, f"rendered/{side}", len(pairs), pairs.shape) for side in _SIDES}
    first = 0
    for path in blocks:
        on_progress(Progress("Storing rendered pairs", first, len(pairs), "pairs"))
        with open_hdf5(path) as source:
            for side, target in targets.items():
                for i in range(len(source[side])):
                    mask, content = source[side].id.read_direct_chunk((i, 0, 0, 0))
                    target.id.write_direct_chunk((first + i, 0, 0, 0), content, mask)
            first += len(source["left"])
