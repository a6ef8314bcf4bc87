"""From a pair dataset's file and settings to a trainer that is ready to run; the same in every process."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from omnishot.config import ClassesObjective, PairsObjective, TrainSettings
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import draw_between, draw_within, draw_within_by_class, most_ways
from omnishot.data.image_set import Labels
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.errors import DamagedFileError, OmnishotError, SamplingError, SettingsError, UnavailableError
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.evaluation.verification import best_threshold, score_pairs, verify
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import holds_photos, pixels_of, read_labels, read_pixels
from omnishot.formats.model import load_weights
from omnishot.formats.pairs import read_pairs, read_split, read_variants
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.model.device import Compute, free_memory
from omnishot.model.siamese import SiameseNetwork, network_for
from omnishot.seeding import derived_seed, generator
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.image_loading import Images, ResidentImages, StreamedImages
from omnishot.training.loop import Trainer
from omnishot.training.objective import Objective
from omnishot.training.pairs_objective import PairsLoss, PairTensors
from omnishot.training.processes import SINGLE_PROCESS, Processes


@dataclass(frozen=True, slots=True)
class _Data:
    """What a run needs of a pair dataset; images that do not fit on the device stay in the file."""

    pixels: Tensor | StoredPixels
    labels: Labels
    split: Split
    pairs: PairTensors | None
    validation_pairs: Pairs | None
    has_drawers: bool


def build_trainer(
    pairs_file: Path,
    settings: TrainSettings,
    compute: Compute,
    *,
    has_drawers: bool = True,
    weights_file: Path | None = None,
    processes: Processes = SINGLE_PROCESS,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Trainer:
    """Read what a run needs and prepare its beginning.

    Args:
        pairs_file: A `pairs.h5` that was checked.
        settings: Everything that decides the result.
        compute: Where and how.
        has_drawers: Whether the images say who drew them.
        weights_file: Weights to start from.
        processes: Those that train together.
        tell: Takes what the user should know.

    Raises:
        DamagedFileError: A file does not hold what it should.
        SamplingError: The data does not allow the batches or the validation asked for.
        SettingsError: The processes cannot share a batch.
        UnavailableError: Another process failed.
    """
    try:
        if settings.compile == "reduce-overhead" and compute.device.type != "cuda":
            hint = "Use --set compile=default."
            raise SettingsError("compile = reduce-overhead records CUDA graphs, but this run is on a CPU", hint=hint)
        data = _read(pairs_file, settings, compute, has_drawers=has_drawers, tell=tell)
        network = _network(settings, weights_file)
        objective = _objective(data, settings, processes, tell)
        validate = _validation(data, settings, compute, tell)
    except OmnishotError:
        processes.any_failed(True)
        raise
    if processes.any_failed(False):
        raise UnavailableError(
            "Another process could not read what it needs, and says so",
            hint="The store has to be on a file system that all machines see, under the same name.",
        )
    images: Images
    if isinstance(data.pixels, Tensor):
        images = ResidentImages(data.pixels)
    else:
        images = StreamedImages(data.pixels, objective, settings.data, compute)
    return Trainer(network, objective, images, settings, compute, validate, processes)


def _network(settings: TrainSettings, weights_file: Path | None) -> SiameseNetwork:
    with torch.random.fork_rng(devices=[]):  # torch's layers draw their initial weights from its global generator.
        torch.manual_seed(derived_seed(settings.seed, "weights"))
        network = network_for(settings)
    if weights_file:
        load_weights(network, weights_file)
    return network


def _read(
    pairs_file: Path, settings: TrainSettings, compute: Compute, *, has_drawers: bool, tell: Callable[[str], None]
) -> _Data:
    with open_hdf5(pairs_file) as file:
        labels, split = read_labels(file), read_split(file)
        if holds_photos(file):
            raise SettingsError(
                f"The twin {settings.twin} is trained on drawings, but {pairs_file} holds photographs",
                hint="Use --preset photos, or prepare the images without --colour and --image-size.",
            )
        n_bytes = pixels_of(file).nbytes
        limit = _limit(settings, compute)
        pixels: Tensor | StoredPixels
        if n_bytes <= limit:
            pixels = torch.from_numpy(read_pixels(file, split.train, split.validation)).to(compute.device)
        else:
            pixels = StoredPixels(pairs_file)
            tell(
                f"The images need {n_bytes / 1e9:.3g} GB, more than data.memory_gb = {limit / 1e9:.3g}: "
                f"{settings.data.readers} processes read them from the disk as they are needed"
            )
        tensors = None
        if settings.objective.kind == "pairs":
            drawn = read_pairs(file, "train")
            if drawn is None:
                raise DamagedFileError(f"{pairs_file} holds no training pairs")
            tensors = PairTensors.of(drawn, read_variants(file), pixels.device)
        validation_pairs = read_pairs(file, "validation")
    return _Data(pixels, labels, split, tensors, validation_pairs, has_drawers)


def _limit(settings: TrainSettings, compute: Compute) -> float:
    if settings.data.memory_gb is not None:
        return settings.data.memory_gb * 1e9
    free = free_memory(compute.device)
    sharing = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if compute.device.type == "cpu" else 1
    return float("inf") if free is None else free / 2 / sharing


def _objective(data: _Data, settings: TrainSettings, processes: Processes, tell: Callable[[str], None]) -> Objective:
    if isinstance(settings.objective, ClassesObjective):
        index = ClassIndex.of(data.labels, data.split.train)
        loss = ClassesLoss(settings.objective, index, seed=settings.seed, processes=processes)
        if loss.n_left_out:
            have = "class has" if loss.n_left_out == 1 else "classes have"
            tell(
                f"{loss.n_left_out:,} of {index.n_classes:,} training {have} fewer than "
                f"{settings.objective.drawers_per_class} images, which a batch holds of each: left out"
            )
        return loss
    if data.pairs is None or not isinstance(settings.objective, PairsObjective):
        raise RuntimeError("the pairs objective was given no pairs")
    return PairsLoss(settings.objective, data.pairs, seed=settings.seed, processes=processes)


def _validation(
    data: _Data, settings: TrainSettings, compute: Compute, tell: Callable[[str], None]
) -> Callable[[SiameseNetwork], float] | None:
    """Return a function that measures accuracy on the validation part, or None where nothing can be measured."""
    if not settings.validation_trials or not len(data.split.validation):
        return None
    if settings.validation_protocol == "verification":
        return _verification(data, settings.validation_trials, compute)
    index = ClassIndex.of(data.labels, data.split.validation)
    n_way = min(settings.validation_ways, _most_ways(index, settings, has_drawers=data.has_drawers))
    if n_way < 2 and not data.has_drawers:
        tell(
            "Nothing is validated, as no 2 classes can be told apart on the validation part: the last weights are kept"
        )
        return None
    draw = draw_between
    if settings.validation_protocol == "within":
        draw = draw_within if data.has_drawers else draw_within_by_class
    rng = generator(settings.seed, "validation trials")
    try:
        trials = draw(index, settings.validation_trials, n_way, 1, rng=rng)
    except SamplingError as error:
        hint = "Use --set validation_trials=0 to train without validation."
        raise SamplingError(f"In the validation part of the split: {error}", hint=hint) from None

    def accuracy(network: SiameseNetwork) -> float:
        return float(correct_trials(score_trials(network, data.pixels, trials, compute), n_way).mean())

    return accuracy


def _most_ways(index: ClassIndex, settings: TrainSettings, *, has_drawers: bool) -> int:
    """Return as many ways as the images allow: small sources have few classes, and the paper's 20 ways need 20."""
    if not has_drawers:
        return most_ways(index, "between" if settings.validation_protocol == "between" else "within", 1)
    if settings.validation_protocol == "within":
        return int(index.alphabet_sizes.max())
    return settings.validation_ways


def _verification(data: _Data, n_pairs: int, compute: Compute) -> Callable[[SiameseNetwork], float]:
    if data.validation_pairs is None:
        raise DamagedFileError("The pair dataset holds no validation pairs")
    pairs = data.validation_pairs.first(n_pairs)

    def accuracy(network: SiameseNetwork) -> float:
        scores = score_pairs(network, data.pixels, pairs, compute)
        return float(verify(scores, pairs.same, best_threshold(scores, pairs.same)).correct.mean())

    return accuracy
