"""What an objective gives the training loop: batches as recipes, and the loss of their vectors."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from omnishot.data.render import elastic_displacement, render
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process takes part of a step with, before any pixel is touched.

    Attributes:
        images: Image indices, shape (n,).
        matrices: Affine distortion of each, as `render` takes it, shape (n, 2, 3).
        control: Control points of each one's elastic distortion, shape (n, 2, 5, 5), or None.
        truth: What the images show, as far as the loss has to be told; shape (n_pairs,) or (0,).
    """

    images: Tensor
    matrices: Tensor
    control: Tensor | None
    truth: Tensor


class Objective(Protocol):
    """What a step minimises; a batch is a function of the seed, the epoch and the step.

    Attributes:
        steps_per_epoch: Steps in an epoch.
        pairs_per_step: Pairs compared in a step, by all processes together.
        images_per_step: Images that pass the twin in a step, likewise.
    """

    steps_per_epoch: int
    pairs_per_step: int
    images_per_step: int

    def batch(self, epoch: int, step: int) -> Batch:
        """Return this process's share of a batch; epochs, and steps within them, count from 0."""

    def loss(self, network: SiameseNetwork, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss and the share of right answers of this process's share, shape (2,).

        Args:
            network: The network whose twin made the vectors.
            vectors: Of the batch's images, shape (n, d), float32.
            batch: From `batch`.
        """


def rendered(pixels: Tensor, batch: Batch, side: int) -> Tensor:
    """Return a batch's images as the twin takes them.

    Args:
        pixels: Of the batch's images, shape (n, h, h), uint8, on the device.
        batch: What to make of them, on the device or in main memory.
        side: Side of the result, pixels.

    Returns:
        Shape (n, 1, side, side), float32 in [0, 1], on the device.
    """
    displacement = None
    if batch.control is not None:
        displacement = elastic_displacement(batch.control.to(pixels.device, non_blocking=True), side)
    return render(pixels, batch.matrices.to(pixels.device, non_blocking=True), side, displacement)


class Step(nn.Module):
    """Everything of a step that gradients flow through, as one module: render, embed in one pass, compare."""

    def __init__(self, network: SiameseNetwork, objective: Objective, compute: Compute) -> None:
        """Take the network, what it is trained for, and where."""
        super().__init__()
        self.network = network
        self._objective, self._compute = objective, compute

    def forward(self, pixels: Tensor, batch: Batch) -> Tensor:
        """Return loss and share of right answers, shape (2,), on the device; arguments as for `rendered`."""
        images = rendered(pixels, batch, self.network.twin.side)
        with self._compute.autocast():
            vectors = self.network.twin(images.to(memory_format=torch.channels_last))
        return self._objective.loss(self.network, vectors.float(), batch)
