"""Cross-entropy over a batch's classes: every image is paired with every other and has to find its own kind.

Source: Sohn 2016 (multi-class n-pair loss); Snell et al. 2017, section 2.7 (squared distance as logit) and section 3.1
(rotated characters as new classes); Simard et al. 2003 (elastic distortion).
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import ClassesObjective
from omnishot.data.affine import IDENTITY, draw_affine
from omnishot.data.class_index import ClassIndex, draw_distinct
from omnishot.data.render import affine_matrices, elastic_displacement, render
from omnishot.errors import SamplingError
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import generator

_QUARTER_TURNS = torch.tensor([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]]).float()


class ClassesLoss:
    """Loss over batches of classes that are drawn anew each step.

    Attributes:
        steps_per_epoch: Steps in an epoch.
        pairs_per_step: Pairs compared in a step.
    """

    def __init__(self, settings: ClassesObjective, pixels: Tensor, index: ClassIndex, *, seed: int) -> None:
        """Take the data.

        Args:
            settings: What a batch holds.
            pixels: All images, shape (n, h, h), uint8, on the device.
            index: The training images by class.
            seed: Decides every batch.

        Raises:
            SamplingError: There is one class only, or one has too few images.
        """
        self._settings, self._pixels, self._index, self._seed = settings, pixels, index, seed
        n_classes, fewest = index.n_classes * settings.rotations, int(index.class_sizes.min())
        if n_classes < 2 or fewest < settings.drawers_per_class:
            raise SamplingError(
                f"A batch holds {settings.drawers_per_class} images of each of 2 classes or more, but there are "
                f"{n_classes} classes (rotations included) and the smallest has {fewest} images",
                hint="Add images, or lower --set objective.drawers_per_class.",
            )
        self._classes_per_batch = min(settings.classes_per_batch, n_classes)
        self.steps_per_epoch = settings.batches_per_epoch
        n_images = self._classes_per_batch * settings.drawers_per_class
        self.pairs_per_step = n_images * (n_images - 1) // 2

    def loss(self, network: SiameseNetwork, compute: Compute, *, epoch: int, step: int) -> Tensor:
        """Return the mean loss of one batch, a scalar on the device.

        Args:
            network: In training mode.
            compute: Where and how.
            epoch: Counted from 0.
            step: Step within the epoch, counted from 0.
        """
        rng = generator(self._seed, "batch", epoch, step)
        images, turns = self._draw(rng)
        rendered = self._render(images.reshape(-1), np.repeat(turns, images.shape[1]), network.twin.side, rng)
        with compute.autocast():
            vectors = network.twin(rendered.to(memory_format=torch.channels_last))
        return self._cross_entropy(network, vectors.float())

    def _draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Draw the images of a batch, shape (n_classes, n_drawers), and the quarter turns of its classes."""
        settings, index = self._settings, self._index
        wanted, turns = self._classes_per_batch, settings.rotations
        chosen = np.empty(0, dtype=np.int64)
        if rng.random() < settings.within_alphabet:
            for alphabet in rng.permutation(index.n_alphabets):
                first, last = index.alphabet_start[alphabet : alphabet + 2] * turns
                n = min(wanted - len(chosen), last - first)
                chosen = np.append(chosen, rng.choice(np.arange(first, last), n, replace=False))
                if len(chosen) == wanted:
                    break
        else:
            chosen = rng.choice(index.n_classes * turns, wanted, replace=False)
        classes = chosen // turns
        places = draw_distinct(index.class_sizes[classes], settings.drawers_per_class, rng)
        return index.images[index.class_start[classes][:, None] + places], chosen % turns * (4 // turns)

    def _render(
        self, images: NDArray[np.int32], turns: NDArray[np.int64], side: int, rng: np.random.Generator
    ) -> Tensor:
        settings, device = self._settings, self._pixels.device
        parameters = IDENTITY + (draw_affine((len(images),), rng) - IDENTITY) * np.float32(settings.affine)
        matrices = _QUARTER_TURNS[torch.from_numpy(turns)] @ affine_matrices(torch.from_numpy(parameters))
        displacement = None
        if settings.elastic:
            displacement = elastic_displacement(len(images), side, strength=settings.elastic, rng=rng, device=device)
        pixels = self._pixels[torch.from_numpy(images).to(device, non_blocking=True)]
        return render(pixels, matrices.to(device, non_blocking=True), side, displacement)

    def _cross_entropy(self, network: SiameseNetwork, vectors: Tensor) -> Tensor:
        """Return how surprised each image is, on average, by which other image shows its class."""
        n_classes, n_drawers = self._classes_per_batch, self._settings.drawers_per_class
        n_images = n_classes * n_drawers
        kind = torch.arange(n_images, device=vectors.device) // n_drawers
        itself = torch.eye(n_images, dtype=torch.bool, device=vectors.device)
        partner = (kind[:, None] == kind[None]) & ~itself
        logits = network.compare_all(vectors, vectors).masked_fill(itself, -torch.inf)
        chances = F.log_softmax(logits, dim=1)
        return -chances[partner].mean()
