"""From a pair dataset of photographs to a fitted network: each image is seen once, and the rest is a closed form."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import TrainSettings, WhiteningObjective
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, draw_between, draw_within_by_class
from omnishot.data.image_set import Labels
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError
from omnishot.evaluation.embedding import embed
from omnishot.evaluation.intervals import difference_interval
from omnishot.evaluation.oneshot import correct_trials, score_vectors
from omnishot.evaluation.verification import best_threshold, verify
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels
from omnishot.formats.pairs import read_pairs, read_split
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.machine import peak_memory
from omnishot.model.device import Compute
from omnishot.model.imagenet_weights import pretrained_network
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork
from omnishot.model.whitening import fit_whitening
from omnishot.progress import OnProgress, Progress, silent
from omnishot.seeding import generator
from omnishot.training.history import EpochRecord
from omnishot.training.pair_head import fit_cosine_head, fit_l1_head, log_loss
from omnishot.vocabulary import HeadName
from omnishot.wording import counted, percent

_AT_ONCE = 256
_PAIRS = 10_000
"""That a head is fitted to, at most."""


@dataclass(frozen=True, slots=True)
class _Data:
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
    def read(cls, pairs_file: Path) -> "_Data":
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
class Fitted:
    """What came of a fit.

    Attributes:
        network: The network, with everything in it.
        settings: Those asked for, with the head that was chosen.
        record: What is known of it, as if it were an epoch.
        summary: What a manifest says of it.
        notes: What the user should know, one sentence each.
    """

    network: SiameseNetwork
    settings: TrainSettings
    record: EpochRecord
    summary: dict[str, Any]
    notes: tuple[str, ...]


def fit_to_photos(
    pairs_file: Path, settings: TrainSettings, compute: Compute, *, on_progress: OnProgress = silent
) -> Fitted:
    """Fit the whitening on the training classes, and choose what compares two vectors on the validation classes.

    Args:
        pairs_file: A `pairs.h5` that was checked.
        settings: Everything that decides the result; their objective is the whitening.
        compute: Where and how.
        on_progress: Receives progress.

    Raises:
        UnavailableError: The package with the pretrained weights is not installed.
        DamagedFileError: A file does not hold what it should.
        SamplingError: The data allows no fit, or not the validation asked for.
    """
    began, objective = time.perf_counter(), settings.objective
    if not isinstance(objective, WhiteningObjective):
        raise TypeError(f"the objective {objective.kind} is not fitted in closed form")
    cosine = pretrained_network(objective.image_size).to(compute.device)
    data = _Data.read(pairs_file)
    examination = _Examination.of(data, settings)
    vectors = _seen(cosine, data, compute, on_progress)
    seconds_of_looking = time.perf_counter() - began
    on_progress(Progress("Fitting the whitening", 0, 0))
    before = examination.outcomes(cosine, vectors)
    whitened = _whitened(cosine, vectors, data, objective)
    network, head = _with_head(cosine, whitened, data, settings, examination)
    after = examination.outcomes(network, whitened)
    accuracy, accuracy_before = (None if found is None else float(found.mean()) for found in (after, before))
    seconds = time.perf_counter() - began
    judged = data.placed(data.validation_pairs or data.train_pairs, compute.device)
    return Fitted(
        network=network,
        settings=settings.model_copy(update={"objective": objective.model_copy(update={"head": head})}),
        record=EpochRecord(
            epoch=1,
            loss=log_loss(network, whitened, *judged),
            validation_accuracy=accuracy,
            learning_rate=0.0,
            seconds=seconds,
        ),
        summary={
            "twin": settings.twin,
            "head": head,
            "parameters": sum(parameter.numel() for parameter in network.state_dict().values()),
            "epochs": 1,
            "training_seconds": round(seconds, 1),
            "validation_accuracy": accuracy,
            "accuracy_before_fit": accuracy_before,
            "best_epoch": 1,
            "cut_short": False,
            "processes": 1,
            "images_per_second": round(len(vectors) / seconds_of_looking, 1),
            "peak_memory": peak_memory(),
        },
        notes=tuple(_in_words(data, examination, before, after, head)),
    )


def _seen(network: SiameseNetwork, data: _Data, compute: Compute, on_progress: OnProgress) -> Tensor:
    """Return a vector of each image that is used, not whitened yet, shape (n, d), on the device."""
    parts = []
    for start in range(0, len(data.used), _AT_ONCE):
        on_progress(Progress("Looking at the images", start, len(data.used), "images"))
        some = data.used[start : start + _AT_ONCE].astype(np.int64)
        parts.append(embed(network, data.pixels, some, compute))
    return torch.cat(parts)


def _whitened(network: SiameseNetwork, vectors: Tensor, data: _Data, objective: WhiteningObjective) -> Tensor:
    """Fit the network's whitening to the training images, and return the vectors as the network has them then."""
    train, values = data.places(data.split.train), vectors.cpu().numpy()
    fitted = fit_whitening(values[train], data.labels.character[data.split.train], shrinkage=objective.shrinkage)
    twin = network.twin
    if isinstance(twin, PhotoTwin):
        twin.whiten(fitted)
    whitened = torch.from_numpy(fitted.apply(values)).float().to(vectors.device)
    return torch.nn.functional.normalize(whitened, dim=1)


def _with_head(
    cosine: SiameseNetwork, whitened: Tensor, data: _Data, settings: TrainSettings, examination: "_Examination"
) -> tuple[SiameseNetwork, HeadName]:
    """Return the network with the head that was asked for, or the better one, and which that is.

    The cosine's scale and shift, which do not change what is nearest, are fitted to validation pairs where there are
    any: the whitening has seen the training images.
    """
    asked = settings.objective.head if isinstance(settings.objective, WhiteningObjective) else "cosine"
    fit_cosine_head(cosine, whitened, *data.placed(data.validation_pairs or data.train_pairs, whitened.device))
    if asked == "cosine" or (asked == "auto" and examination.is_empty):
        return cosine, "cosine"
    weighted = SiameseNetwork(cosine.twin, "l1").to(whitened.device).eval()
    fit_l1_head(weighted, whitened, *data.placed(data.train_pairs, whitened.device))
    if asked == "l1" or examination.is_better(weighted, cosine, whitened):
        return weighted, "l1"
    return cosine, "cosine"


@dataclass(frozen=True, slots=True)
class _Examination:
    """What networks are compared by: trials or pairs of the validation classes, or nothing where there are none.

    Attributes:
        data: The images.
        settings: Of the run.
        trials: One-shot trials, or None.
        pairs: Pairs, or None.
    """

    data: _Data
    settings: TrainSettings
    trials: Trials | None = None
    pairs: Pairs | None = None

    @classmethod
    def of(cls, data: _Data, settings: TrainSettings) -> "_Examination":
        """Draw what the settings ask for.

        Raises:
            SamplingError: The validation classes are too few for it.
        """
        n_trials, n_way = settings.validation_trials, settings.validation_ways
        if not n_trials or not len(data.split.validation):
            return cls(data, settings)
        if settings.validation_protocol == "verification":
            return cls(data, settings, pairs=data.validation_pairs and data.validation_pairs.first(n_trials))
        index = ClassIndex.of(data.labels, data.split.validation)
        if not (index.class_sizes > 1).any():
            return cls(data, settings)  # One image of each class asks nothing.
        rng = generator(settings.seed, "validation trials")
        if settings.validation_protocol == "between":
            n_way = min(n_way, int((index.class_sizes > 1).sum()))
            return cls(data, settings, draw_between(index, n_trials, n_way, 1, rng=rng))
        n_way = min(n_way, int(index.alphabet_sizes.max()))
        return cls(data, settings, draw_within_by_class(index, n_trials, n_way, 1, rng=rng))

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
        mine, theirs = self.outcomes(network, vectors), self.outcomes(other, vectors)
        if mine is None or theirs is None:
            return False
        rng = generator(self.settings.seed, "choice of the head")
        return difference_interval(mine, theirs, np.arange(len(mine), dtype=np.int32), rng)[0] > 0


def _in_words(
    data: _Data,
    examination: _Examination,
    before: NDArray[np.bool_] | None,
    after: NDArray[np.bool_] | None,
    head: HeadName,
) -> Iterator[str]:
    n_classes = len(np.unique(data.labels.character[data.split.train]))
    yield (
        f"Fitted to {counted(len(data.split.train), 'image')} of {counted(n_classes, 'class')}; "
        f"two vectors are compared by {'their cosine' if head == 'cosine' else 'weighted |u - v|'}"
    )
    if before is not None and after is not None:
        yield f"{examination.what}: {percent(before.mean())} before the fit, {percent(after.mean())} after it"
        if after.mean() < before.mean():
            yield "The fit made it worse there: more classes or images would help, or use the model `photos` as it is"
