"""Every image passes the twin once, however many trials use it; with test-time augmentation, a few times."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.data.affine import IDENTITY, draw_affine
from omnishot.data.pixels import Pixels
from omnishot.data.render import affine_matrices, normalize, render, shrink
from omnishot.errors import DamagedFileError
from omnishot.model.device import Compute
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import generator

VARIANT_STRENGTH = 0.7
"""How far variants at test time go, as a multiple of the ranges of Koch et al.; chosen on validation alphabets."""

_BATCH = 256
_PHOTO_BATCH = 32
"""The largest maps of a photograph take megabytes."""


@torch.no_grad()
def embed(network: SiameseNetwork, pixels: Pixels, indices: NDArray[np.int64], compute: Compute) -> Tensor:
    """Return the twin's vectors of the images of k indices, shape (k, d), float32, on the device.

    Where the network has `test_variants`, a vector is the mean over the image and as many affine variants of it. These
    are the same for every image and in every call, so that equal images have equal vectors.

    Pixels are those of all images, uint8, on any device or in a file. The twin is put into evaluation mode.

    Source: Krizhevsky et al. 2012, section 4.1 (averaging over distortions at test time).
    """
    network.twin.eval()
    vectors = torch.empty(len(indices), network.twin.dimension, device=compute.device)
    chosen = torch.from_numpy(indices).to(pixels.device)
    matrices = affine_matrices(torch.from_numpy(fixed_variants(network.test_variants))).to(compute.device)
    size = _PHOTO_BATCH if isinstance(network.twin, PhotoTwin) else _BATCH
    for start in range(0, len(indices), size):
        images = pixels[chosen[start : start + size]].to(compute.device)
        batch = vectors[start : start + size]
        batch[:] = _pass(network, as_input(images, network), compute)
        for matrix in matrices:
            batch += _pass(network, render(images, matrix.expand(len(images), -1, -1), network.twin.side), compute)
    return vectors.div_(1 + network.test_variants)


def _pass(network: SiameseNetwork, images: Tensor, compute: Compute) -> Tensor:
    with compute.autocast():
        vectors: Tensor = network.twin(images.to(memory_format=torch.channels_last))
    return vectors.float()


def fixed_variants(count: int) -> NDArray[np.float32]:
    """Return the parameters of variants that are always the same, shape (count, 7); more of them begin with the fewer.

    Their meaning is that of `omnishot.data.affine`.
    """
    rng = generator(0, "test-time variants")
    drawn = np.array([draw_affine((), rng) for _ in range(count)], dtype=np.float32).reshape(-1, len(IDENTITY))
    weaker: NDArray[np.float32] = IDENTITY + (drawn - IDENTITY) * np.float32(VARIANT_STRENGTH)
    return weaker


def as_input(pixels: Tensor, network: SiameseNetwork) -> Tensor:
    """Return images as the network's twin takes them; pixels are those of `shrink` and `normalize`."""
    return (normalize if isinstance(network.twin, PhotoTwin) else shrink)(pixels, network.twin.side)


def refuse_overflow(values: NDArray[np.float32], what: str) -> None:
    """Check vectors, or scores that a threshold is to be compared with; huge weights are finite and give none.

    Raises:
        DamagedFileError: Not all of them are finite.
    """
    if not np.isfinite(values).all():
        n_overflowing = int(np.sum(~np.isfinite(values)))
        raise DamagedFileError(
            f"{n_overflowing:,} of {values.size:,} {what} are not finite: the weights of the network are too large",
            hint="Train it again, at a lower --set optimizer.learning_rate.",
        )
