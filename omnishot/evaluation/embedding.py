"""Every image passes the twin once, however many trials use it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.data.pixels import Pixels
from omnishot.data.render import normalize, shrink
from omnishot.errors import DamagedFileError
from omnishot.model.device import Compute
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork

_BATCH = 256
_PHOTO_BATCH = 32
"""The largest maps of a photograph take megabytes."""


@torch.no_grad()
def embed(network: SiameseNetwork, pixels: Pixels, indices: NDArray[np.int64], compute: Compute) -> Tensor:
    """Return the twin's vectors of the images of k indices, shape (k, d), float32, on the device.

    Pixels are those of all images, uint8, on any device or in a file. The twin is put into evaluation mode.
    """
    network.twin.eval()
    vectors = torch.empty(len(indices), network.twin.dimension, device=compute.device)
    chosen = torch.from_numpy(indices).to(pixels.device)
    batch = _PHOTO_BATCH if isinstance(network.twin, PhotoTwin) else _BATCH
    for start in range(0, len(indices), batch):
        images = as_input(pixels[chosen[start : start + batch]].to(compute.device), network)
        with compute.autocast():
            vectors[start : start + batch] = network.twin(images.to(memory_format=torch.channels_last))
    return vectors


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
