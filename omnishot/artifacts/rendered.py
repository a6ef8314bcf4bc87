"""The pixels of every training pair and variant inside `pairs.h5`, for readers that want plain arrays."""

from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.artifacts.images import read_pixels
from omnishot.artifacts.pairs import read_pairs, read_variants
from omnishot.data.affine import IDENTITY
from omnishot.data.render import affine_matrices, render
from omnishot.progress import Progress, Report

_PAIRS_PER_BLOCK = 64


def write_rendered(path: Path, *, report: Report) -> None:
    """Add `/rendered/left` and `/rendered/right` to a pair dataset that has not been published yet.

    Each has shape (n_train_pairs, 1 + k, h, w), uint8; the first of a pair's images is the undistorted one.

    Args:
        path: The `pairs.h5`.
        report: Receives the number of pairs rendered.
    """
    with h5py.File(path, "r+", libver="v110") as file:
        pixels, pairs, variants = torch.from_numpy(read_pixels(file)), read_pairs(file, "train"), read_variants(file)
        if pairs is None:
            return
        side, per_pair = pixels.shape[-1], 1 + variants[0].shape[1]
        for name, indices, parameters in (("left", pairs.left, variants[0]), ("right", pairs.right, variants[1])):
            shape = (len(pairs), per_pair, side, side)
            target = file.create_dataset(
                f"rendered/{name}", shape, np.uint8, chunks=(1, *shape[1:]), compression="gzip", compression_opts=1
            )
            for start in range(0, len(pairs), _PAIRS_PER_BLOCK):
                block = slice(start, start + _PAIRS_PER_BLOCK)
                target[block] = _render_block(pixels[torch.from_numpy(indices[block])], parameters[block])
                report(Progress(f"Rendering {name} images", start, len(pairs), "pairs"))


def _render_block(pixels: torch.Tensor, parameters: NDArray[np.float32]) -> NDArray[np.uint8]:
    n, k, side = len(pixels), parameters.shape[1], pixels.shape[-1]
    identity = np.broadcast_to(IDENTITY, (n, 1, len(IDENTITY)))
    matrices = affine_matrices(torch.from_numpy(np.concatenate([identity, parameters], axis=1)).flatten(0, 1))
    images = render(pixels.repeat_interleave(1 + k, dim=0), matrices, side)
    rendered: NDArray[np.uint8] = images.mul_(255).round_().to(torch.uint8).view(n, 1 + k, side, side).numpy()
    return rendered
