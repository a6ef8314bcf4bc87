"""Binary cross-entropy on the pair dataset, its pairs and variants gathered and rendered on the device.

Source: Koch et al. 2015, sections 3.2 and 4.2.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import PairsObjective
from omnishot.data.affine import IDENTITY
from omnishot.data.pairs import Pairs
from omnishot.data.render import affine_matrices, render
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import derived_seed


@dataclass(frozen=True, slots=True)
class PairTensors:
    """The training pairs on the device.

    Attributes:
        images: Image indices, left and right, shape (2, n_pairs).
        same: 1.0 where both show one class, shape (n_pairs,).
        variants: Affine parameters with the identity first, shape (2, n_pairs, 1 + k, 7).
    """

    images: Tensor
    same: Tensor
    variants: Tensor

    @classmethod
    def of(
        cls, pairs: Pairs, variants: tuple[NDArray[np.float32], NDArray[np.float32]], compute: Compute
    ) -> "PairTensors":
        """Copy pairs and the affine parameters of both sides, each of shape (n_pairs, k, 7), to the device."""
        identity = np.broadcast_to(IDENTITY, (len(pairs), 1, len(IDENTITY)))
        sides = [torch.from_numpy(np.concatenate([identity, side], axis=1)) for side in variants]
        return cls(
            images=torch.from_numpy(np.stack([pairs.left, pairs.right])).to(compute.device),
            same=torch.from_numpy(pairs.same).float().to(compute.device),
            variants=torch.stack(sides).to(compute.device),
        )


class PairsLoss:
    """Loss over the pair dataset; one epoch sees every pair and variant once, but for an incomplete last batch.

    Attributes:
        steps_per_epoch: Steps in an epoch.
        pairs_per_step: Pairs compared in a step.
    """

    def __init__(self, settings: PairsObjective, pixels: Tensor, pairs: PairTensors, *, seed: int) -> None:
        """Take the data.

        Args:
            settings: The batch size.
            pixels: All images, shape (n, h, h), uint8, on the device.
            pairs: The training pairs.
            seed: Decides the order of every epoch.
        """
        self._pixels, self._pairs, self._seed = pixels, pairs, seed
        n_pairs, per_pair = pairs.variants.shape[1:3]
        self._n_samples, self._per_pair = n_pairs * per_pair, per_pair
        self.pairs_per_step = min(settings.batch_size, self._n_samples)
        self.steps_per_epoch = self._n_samples // self.pairs_per_step
        self._order, self._order_of = torch.empty(0, dtype=torch.int64), -1

    def loss(self, network: SiameseNetwork, compute: Compute, *, epoch: int, step: int) -> Tensor:
        """Return the mean loss of one batch, a scalar on the device.

        Args:
            network: In training mode.
            compute: Where and how.
            epoch: Counted from 0.
            step: Step within the epoch, counted from 0.
        """
        images, same = self.batch(network.twin.side, epoch=epoch, step=step)
        with compute.autocast():
            vectors = network.twin(images.to(memory_format=torch.channels_last))
        left, right = vectors.float().chunk(2)
        return F.binary_cross_entropy_with_logits(network.compare(left, right), same)

    def batch(self, side: int, *, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return rendered images, all left ones before all right ones, and what is the same."""
        if self._order_of != epoch:
            generator = torch.Generator().manual_seed(derived_seed(self._seed, "epoch", epoch))
            self._order = torch.randperm(self._n_samples, generator=generator).to(self._pixels.device)
            self._order_of = epoch
        chosen = self._order[step * self.pairs_per_step :][: self.pairs_per_step]
        pair, variant = chosen // self._per_pair, chosen % self._per_pair
        parameters = self._pairs.variants[:, pair, variant].flatten(0, 1)
        pixels = self._pixels[self._pairs.images[:, pair].flatten()]
        return render(pixels, affine_matrices(parameters), side), self._pairs.same[pair]
