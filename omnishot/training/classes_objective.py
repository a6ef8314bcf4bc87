"""Cross-entropy over the batch: every image is compared with all others, among which are those of its own class.

Source: Sohn 2016 (multi-class n-pair loss); Snell et al. 2017, section 2.7 (squared distance as logit) and section 3.1
(rotated characters as new classes); Simard et al. 2003 (elastic distortion).
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import ClassesObjective
from omnishot.data.affine import IDENTITY, draw_affine
from omnishot.data.class_index import ClassIndex, draw_distinct
from omnishot.data.render import affine_matrices
from omnishot.errors import SamplingError
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import generator
from omnishot.training.objective import Batch
from omnishot.training.processes import SINGLE_PROCESS, Processes, equal_share
from omnishot.wording import counted

_QUARTER_TURNS = torch.tensor([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]]).float()
_MIRROR = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])


class ClassesLoss:
    """Loss over batches of classes that are drawn anew each step; an `Objective`."""

    def __init__(
        self, settings: ClassesObjective, index: ClassIndex, *, seed: int, processes: Processes = SINGLE_PROCESS
    ) -> None:
        """Take the training images by class; the seed decides every batch, and the processes share it.

        Classes of fewer images than a batch holds of each, `n_left_out`, are left out.

        Raises:
            SamplingError: Fewer than two classes have as many images.
            SettingsError: A batch cannot be shared equally.
        """
        self._settings, self._seed, self._processes = settings, seed, processes
        self._index = index.with_images(settings.drawers_per_class)
        self.n_left_out = index.n_classes - self._index.n_classes
        n_classes = self._index.n_classes * settings.rotations
        if n_classes < 2:
            is_lowest = settings.drawers_per_class == 2 or self._index.n_classes == index.n_classes
            raise SamplingError(
                f"A batch holds {settings.drawers_per_class} images of each of 2 classes or more, rotations included, "
                f"but {self._index.n_classes} of {counted(index.n_classes, 'class')} have as many; the largest has "
                f"{index.class_sizes.max()}",
                hint="Add images." if is_lowest else "Add images, or lower --set objective.drawers_per_class.",
            )
        self._classes_per_batch = min(settings.classes_per_batch, n_classes)
        self.steps_per_epoch = settings.batches_per_epoch
        self.images_per_step = self._classes_per_batch * settings.drawers_per_class
        self.pairs_per_step = self.images_per_step * (self.images_per_step - 1) // 2
        setting = "objective.classes_per_batch"
        self._share = equal_share(self.images_per_step, processes, what="images", setting=setting)

    def batch(self, epoch: int, step: int) -> Batch:
        """Return this process's share of a batch, class by class."""
        settings, rng = self._settings, generator(self._seed, "batch", epoch, step)
        images, turns, together = self._draw(rng)
        n = images.size
        frames = self._frames(turns, together, rng)
        parameters = IDENTITY + (draw_affine((n,), rng) - IDENTITY) * np.float32(settings.affine)
        control = None
        if settings.elastic:
            control = rng.standard_normal((n, 2, 5, 5), dtype=np.float32) * np.float32(settings.elastic)
        # Everything is drawn for the whole batch, so that it does not depend on who shares it.
        mine = slice(self._processes.rank * self._share, (self._processes.rank + 1) * self._share)
        of_classes = frames.repeat_interleave(images.shape[1], dim=0)[mine]
        return Batch(
            images=torch.from_numpy(images.reshape(-1)[mine]),
            matrices=of_classes @ affine_matrices(torch.from_numpy(parameters[mine])),
            control=None if control is None else torch.from_numpy(control[mine]),
            truth=torch.empty(0),
        )

    def _draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """Draw the images of a batch, shape (n_classes, n_drawers).

        The other two say of each class how many quarter turns it is shown at, and with which others it is mirrored.
        """
        settings, index = self._settings, self._index
        wanted, turns = self._classes_per_batch, settings.rotations
        chosen, together = np.empty(0, dtype=np.int64), np.arange(wanted)
        if rng.random() < settings.within_alphabet:
            for group in self._groups(rng):
                n = min(wanted - len(chosen), len(group))
                if settings.turning == "alphabets":
                    together[len(chosen) : len(chosen) + n] = len(chosen)
                chosen = np.append(chosen, rng.choice(group, n, replace=False))
                if len(chosen) == wanted:
                    break
        else:
            chosen = rng.choice(index.n_classes * turns, wanted, replace=False)
        classes = chosen // turns
        places = draw_distinct(index.class_sizes[classes], settings.drawers_per_class, rng)
        images = index.images[index.class_start[classes][:, None] + places]
        return images, chosen % turns * (4 // turns), together

    def _frames(self, turns: NDArray[np.int64], together: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """Return how each class is turned, mirrored and distorted, shape (n_classes, 2, 2), as `render` takes it."""
        settings, frames = self._settings, _QUARTER_TURNS[torch.from_numpy(turns)]
        if settings.mirroring:
            is_mirrored = (rng.random(len(turns)) < settings.mirroring)[together]
            frames = torch.where(torch.from_numpy(is_mirrored)[:, None, None], _MIRROR @ frames, frames)
        if settings.class_affine:
            drawn = IDENTITY + (draw_affine((len(turns),), rng) - IDENTITY) * np.float32(settings.class_affine)
            frames = frames @ affine_matrices(torch.from_numpy(drawn))[:, :, :2]
        return frames

    def _groups(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Yield the classes of one alphabet after the other: of all its turns, or of one where it turns as a whole."""
        index, turns = self._index, self._settings.rotations
        step = turns if self._settings.turning == "alphabets" else 1
        for number in rng.permutation(index.n_alphabets * step):
            alphabet, turn = divmod(int(number), step)
            first, last = index.alphabet_start[alphabet : alphabet + 2] * turns
            yield np.arange(first + turn, last, step)

    def loss(self, network: SiameseNetwork, vectors: Tensor, batch: Batch) -> Tensor:
        """Return mean loss and share of right answers, shape (2,); see `Objective`.

        The loss is the mean negative log-probability that an image gives to the others of its class, among all others.
        """
        gathered = self._processes.all_gather(vectors)
        index = torch.arange(len(gathered), device=vectors.device)
        mine = index[self._processes.rank * self._share :][: self._share, None]
        per_class = self._settings.drawers_per_class
        is_itself = mine == index
        is_of_its_class = (mine // per_class == index // per_class) & ~is_itself
        logits = network.compare_all(vectors, gathered).masked_fill(is_itself, -torch.inf)
        log_probabilities = F.log_softmax(logits, dim=1)
        right_answers = is_of_its_class.gather(1, logits.argmax(dim=1, keepdim=True)).float().mean()
        return torch.stack([-log_probabilities[is_of_its_class].mean(), right_answers])
