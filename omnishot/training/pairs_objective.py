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
from omnishot.data.render import affine_matrices
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import derived_seed
from omnishot.training.objective import Batch
from omnishot.training.processes import SINGLE_PROCESS, Processes, equal_share


@dataclass(frozen=True, slots=True)
class PairTensors:
    """The training pairs, on the device or in main memory.

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
        cls, pairs: Pairs, variants: tuple[NDArray[np.float32], NDArray[np.float32]], device: torch.device
    ) -> "PairTensors":
        """Copy pairs and the affine parameters of both sides, each of shape (n_pairs, k, 7), to a device."""
        n_pairs, n_variants, n_components = variants[0].shape
        both = np.empty((2, n_pairs, 1 + n_variants, n_components), dtype=np.float32)
        both[:, :, 0] = IDENTITY
        for side, parameters in enumerate(variants):
            both[side, :, 1:] = parameters
        return cls(
            images=torch.from_numpy(np.stack([pairs.left, pairs.right])).to(device),
            same=torch.from_numpy(pairs.same).float().to(device),
            variants=torch.from_numpy(both).to(device),
        )


class PairsLoss:
    """Loss over the pair dataset; each pass sees every pair and variant once, but for an incomplete last batch.

    An epoch is a pass, unless the settings give it another number of steps; the next one goes on where it ended.
    It is an `Objective`.
    """

    def __init__(
        self, settings: PairsObjective, pairs: PairTensors, *, seed: int, processes: Processes = SINGLE_PROCESS
    ) -> None:
        """Take the training pairs; the seed decides the order of every pass, and the processes share every batch.

        Raises:
            SettingsError: A batch cannot be shared equally.
        """
        self._pairs, self._seed, self._rank = pairs, seed, processes.rank
        n_pairs, per_pair = pairs.variants.shape[1:3]
        self._n_samples, self._per_pair = n_pairs * per_pair, per_pair
        self.pairs_per_step = min(settings.batch_size, self._n_samples)
        self.images_per_step = 2 * self.pairs_per_step
        self._steps_per_pass = self._n_samples // self.pairs_per_step
        self.steps_per_epoch = settings.steps_per_epoch or self._steps_per_pass
        self._share = equal_share(self.pairs_per_step, processes, what="pairs", setting="objective.batch_size")
        self._orders: dict[int, Tensor] = {}

    def batch(self, epoch: int, step: int) -> Batch:
        """Return this process's share of a batch, all left images before all right ones."""
        number, place = divmod(epoch * self.steps_per_epoch + step, self._steps_per_pass)
        start = place * self.pairs_per_step + self._rank * self._share
        chosen = self._order(number)[start : start + self._share]
        pair, variant = chosen // self._per_pair, chosen % self._per_pair
        parameters = self._pairs.variants[:, pair, variant].flatten(0, 1)
        images = self._pairs.images[:, pair].flatten()
        return Batch(images, affine_matrices(parameters), None, self._pairs.same[pair])

    def _order(self, number: int) -> Tensor:
        """Return the order of a pass; two are kept, as readers are in the next one before a step is."""
        if number not in self._orders:
            generator = torch.Generator().manual_seed(derived_seed(self._seed, "epoch", number))
            order = torch.randperm(self._n_samples, generator=generator).to(self._pairs.images.device)
            self._orders = {kept: self._orders[kept] for kept in list(self._orders)[-1:]} | {number: order}
        return self._orders[number]

    def loss(self, network: SiameseNetwork, vectors: Tensor, batch: Batch) -> Tensor:
        """Return mean loss and share of right answers, shape (2,); see `Objective`."""
        left, right = vectors.chunk(2)
        logits = network.compare(left, right)
        same = batch.truth.to(logits.device, non_blocking=True)
        loss = F.binary_cross_entropy_with_logits(logits, same)
        right_answers = ((logits > 0) == (same > 0.5)).float().mean()
        return torch.stack([loss, right_answers])
