"""From a pair dataset of photographs to a fitted network: each image is seen once, and the rest is a closed form."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.config import TrainSettings, WhiteningObjective
from omnishot.evaluation.embedding import embed
from omnishot.formats.model import write_model
from omnishot.machine import peak_memory
from omnishot.model.device import Compute
from omnishot.model.imagenet_weights import pretrained_network
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork
from omnishot.model.whitening import fit_whitening
from omnishot.progress import OnProgress, Progress, silent
from omnishot.stages.photo_data import Examination, PhotoData
from omnishot.store.artifact import Artifact, Staging
from omnishot.training.history import EpochRecord
from omnishot.training.pair_head import fit_cosine_head, fit_l1_head, log_loss
from omnishot.vocabulary import HeadName
from omnishot.wording import counted, percent

_AT_ONCE = 256


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


def write_fitted(
    staging: Staging,
    pairs: Artifact,
    settings: TrainSettings,
    compute: Compute,
    *,
    on_progress: OnProgress = silent,
    tell: Callable[[str], None],
) -> None:
    """Fill a staging folder with a model that was fitted to a pair dataset; see `fit_to_photos`.

    `tell` receives what the user should know.
    """
    fitted = fit_to_photos(pairs.file("pairs.h5"), settings, compute, on_progress=on_progress)
    write_model(staging.path, fitted.network.state_dict(), fitted.settings, [fitted.record])
    staging.environment |= compute.describe()
    staging.summary |= fitted.summary
    for note in fitted.notes:
        tell(note)


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
        SamplingError: The data allows no fit.
    """
    began, objective = time.perf_counter(), settings.objective
    if not isinstance(objective, WhiteningObjective):
        raise TypeError(f"the objective {objective.kind} is not fitted in closed form")
    cosine = pretrained_network(objective.image_size).to(compute.device)
    data = PhotoData.read(pairs_file)
    examination = Examination.of(data, settings)
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


def _seen(network: SiameseNetwork, data: PhotoData, compute: Compute, on_progress: OnProgress) -> Tensor:
    """Return a vector of each image that is used, not whitened yet, shape (n, d), on the device."""
    parts = []
    for start in range(0, len(data.used), _AT_ONCE):
        on_progress(Progress("Looking at the images", start, len(data.used), "images"))
        some = data.used[start : start + _AT_ONCE].astype(np.int64)
        parts.append(embed(network, data.pixels, some, compute))
    return torch.cat(parts)


def _whitened(network: SiameseNetwork, vectors: Tensor, data: PhotoData, objective: WhiteningObjective) -> Tensor:
    """Fit the network's whitening to the training images, and return the vectors as the network has them then."""
    train, values = data.places(data.split.train), vectors.cpu().numpy()
    fitted = fit_whitening(values[train], data.labels.character[data.split.train], shrinkage=objective.shrinkage)
    twin = network.twin
    if isinstance(twin, PhotoTwin):
        twin.whiten(fitted)
    whitened = torch.from_numpy(fitted.apply(values)).float().to(vectors.device)
    return torch.nn.functional.normalize(whitened, dim=1)


def _with_head(
    cosine: SiameseNetwork, whitened: Tensor, data: PhotoData, settings: TrainSettings, examination: Examination
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


def _in_words(
    data: PhotoData,
    examination: Examination,
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
