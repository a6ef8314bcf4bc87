"""What a fit to photographs sees of a pair dataset, and the validation classes that networks are compared on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import TrainSettings
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, count_questions, draw_between, draw_within_by_class, most_ways
from omnishot.data.image_set import Labels
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError
from omnishot.evaluation.intervals import (
    Dependence,
    dependence_of_pairs,
    dependence_of_trials,
    difference_interval,
)
from omnishot.evaluation.oneshot import correct_trials, score_vectors
from omnishot.evaluation.verification import best_threshold, verify
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels
from omnishot.formats.pairs import read_pairs, read_split
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.model.siamese import SiameseNetwork
from omnishot.seeding import generator

_PAIRS = 10_000
"""That a head is fitted to, at most."""


@dataclass(frozen=True, slots=True)
class PhotoData:
    """What a fit needs of a pair dataset.

    Attributes:
        pixels: The images, which stay in the file.
        labels: What each shows.
        split: Their parts.
        used: Images that are looked at, in ascending order, shape (n,); vectors are in this order.
        train_pairs: Pairs of training images.
        validation_pairs: Pairs of validation images, or None where there are none.
    """

    pixels: StoredPixels
    labels: Labels
    split: Split
    used: NDArray[np.int32]
    train_pairs: Pairs
    validation_pairs: Pairs | None

    @classmethod
    def read(cls, pairs_file: Path) -> "PhotoData":
        """Read everything but the images."""
        with open_hdf5(pairs_file) as file:
            labels, split = read_labels(file), read_split(file)
            train_pairs, validation_pairs = (read_pairs(file, part) for part in ("train", "validation"))
        if train_pairs is None:
            raise DamagedFileError(f"{pairs_file} holds no training pairs")
        used = np.sort(np.concatenate([split.train, split.validation]))
        return cls(StoredPixels(pairs_file), labels, split, used, train_pairs, validation_pairs)

    def places(self, images: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return where images are among the vectors."""
        return np.searchsorted(self.used, images)

    def placed(self, pairs: Pairs, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Return pairs as places among the vectors, and whether each shows one class."""
        few = pairs.first(_PAIRS)
        sides = (torch.from_numpy(self.places(side)).to(device) for side in (few.left, few.right))
        return (*sides, torch.from_numpy(few.same).to(device))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Examination:
    """What networks are compared by: trials or pairs of the validation classes, or nothing where there are none.

    Attributes:
        data: The images.
        settings: Of the run.
        trials: One-shot trials, or None.
        pairs: Pairs, or None.
    """

    data: PhotoData
    settings: TrainSettings
    trials: Trials | None = None
    pairs: Pairs | None = None

    @classmethod
    def of(cls, data: PhotoData, settings: TrainSettings) -> "Examination":
        """Draw what the settings ask for, as far as the validation classes allow it."""
        n_trials, n_way = settings.validation_trials, settings.validation_ways
        if not n_trials or not len(data.split.validation):
            return cls(data, settings)
        if settings.validation_protocol == "verification":
            return cls(data, settings, pairs=data.validation_pairs and data.validation_pairs.first(n_trials))
        index = ClassIndex.of(data.labels, data.split.validation)
        n_way = min(n_way, most_ways(index, settings.validation_protocol, 1))
        if n_way < 2:
            return cls(data, settings)  # One image of each class asks nothing.
        draw = draw_between if settings.validation_protocol == "between" else draw_within_by_class
        rng = generator(settings.seed, "validation trials")
        return cls(data, settings, draw(index, n_trials, n_way, 1, rng=rng))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is measured."""
        return self.trials is None and self.pairs is None

    @property
    def what(self) -> str:
        """What is measured, in words."""
        n_way = self.trials.support.shape[1] if self.trials else 0
        return f"{n_way}-way accuracy on the validation classes" if n_way else "accuracy on validation pairs"

    def outcomes(self, network: SiameseNetwork, vectors: Tensor) -> NDArray[np.bool_] | None:
        """Return what of it a network has right, shape (n,), or None where nothing is measured."""
        if self.trials:
            query, support = self.data.places(self.trials.query), self.data.places(self.trials.support)
            return correct_trials(score_vectors(network, vectors, query, support), support.shape[1])
        if self.pairs:
            left, right, same = self.data.placed(self.pairs, vectors.device)
            with torch.no_grad():
                scores = network.compare(vectors[left], vectors[right]).cpu().numpy()
            truth = same.cpu().numpy()
            return verify(scores, truth, best_threshold(scores, truth)).correct
        return None

    def is_better(self, network: SiameseNetwork, other: SiameseNetwork, vectors: Tensor) -> bool:
        """Tell whether a network is clearly better than another: by more than chance would have it."""
        mine, theirs, dependence = self.outcomes(network, vectors), self.outcomes(other, vectors), self._dependence
        if mine is None or theirs is None or dependence is None:
            return False
        return difference_interval(mine, theirs, dependence)[0] > 0

    @property
    def _dependence(self) -> Dependence | None:
        """What the trials or pairs have in common."""
        of_class = self.data.labels.character
        if self.trials:
            query, support = self.trials.query, self.trials.support
            return dependence_of_trials(query, self.trials.episode, count_questions(query, support), of_class)
        return dependence_of_pairs(self.pairs.left, self.pairs.right, of_class) if self.pairs else None
