"""Data sets and networks of any size, and what it takes to write, train and test them; `scaling.py` compares them."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from measuring import timed
from numpy.typing import NDArray
from torch import Tensor, nn

from omnishot.config import PairsObjective, TrainSettings
from omnishot.data.affine import draw_affine
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, draw_within
from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.pairs import draw_pairs
from omnishot.data.splits import Split
from omnishot.evaluation.embedding import embed
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels, write_images
from omnishot.formats.pairs import read_pairs, read_split, read_variants, write_pairs
from omnishot.model.device import choose_compute
from omnishot.model.koch import PUBLISHED, KochTwin
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.presets import preset_text
from omnishot.seeding import generator
from omnishot.settings_text import check, with_changes
from omnishot.stages.trainer import build_trainer
from omnishot.strict_yaml import read_yaml
from omnishot.training.image_loading import ResidentImages
from omnishot.training.loop import Trainer
from omnishot.training.pairs_objective import PairsLoss, PairTensors

MOST_WAYS = 20
WARM_STEPS = 4
PAIRS = 30_000
READERS = 2

_SIDE, _GRID = 105, 15
_INK, _FLIPPED = 0.2, 0.05
_NOISES = 4099
_CLASS_SIZE, _ALPHABET_SIZE = 20, 50
_FEWEST = 2 * MOST_WAYS * _CLASS_SIZE


class _Drawings:
    """Images that are drawn when they are sliced, block by block, as `write_images` does; all of them may be 11 GB."""

    def __init__(self, n_images: int) -> None:
        self.shape = (n_images, _SIDE, _SIDE)
        n_classes = -(-n_images // _CLASS_SIZE)
        rng = generator(0, "drawings")
        self._classes = rng.random((n_classes, _GRID, _GRID), dtype=np.float32) < _INK
        self._noise = rng.random((_NOISES, _GRID, _GRID), dtype=np.float32) < _FLIPPED

    def __getitem__(self, chosen: slice) -> NDArray[np.uint8]:
        numbers = np.arange(self.shape[0])[chosen]
        drawn = (self._classes[numbers // _CLASS_SIZE] ^ self._noise[numbers % _NOISES]) * np.uint8(255)
        return drawn.repeat(_SIDE // _GRID, axis=1).repeat(_SIDE // _GRID, axis=2)


def drawn_images(n_images: int) -> tuple[ImageSet, Split]:
    """Return images of blots that each drawing flips some of, and their split: a fifth of the alphabets tests.

    Args:
        n_images: How many; 20 are a class, up to 50 classes an alphabet, and there are two alphabets at least.

    Raises:
        ValueError: They are too few for trials of 20 ways.
    """
    if n_images < _FEWEST:
        raise ValueError(f"trials of {MOST_WAYS} ways need {_FEWEST} images, not {n_images}")
    number = np.arange(n_images)
    character = number // _CLASS_SIZE
    n_classes = int(character[-1]) + 1
    n_alphabets = max(2, -(-n_classes // _ALPHABET_SIZE))
    alphabet = character * n_alphabets // n_classes
    labels = Labels(
        alphabet=alphabet.astype(np.int16),
        character=character.astype(np.int32),
        drawer=(number % _CLASS_SIZE).astype(np.int32),
        alphabet_names=tuple(f"A{i}" for i in range(n_alphabets)),
        character_names=tuple(f"c{i}" for i in range(n_classes)),
    )
    tests = alphabet >= n_alphabets - max(1, n_alphabets // 5)
    train, test = (np.flatnonzero(chosen).astype(np.int32) for chosen in (~tests, tests))
    pixels = cast("NDArray[np.uint8]", _Drawings(n_images))
    return ImageSet(pixels, labels), Split(train=train, validation=train[:0], test=test)


def write_dataset(pairs_file: Path, n_images: int) -> dict[str, Any]:
    """Write `images.h5` and `pairs.h5` as `prepare` does, and keep the latter; return seconds and size."""
    images, split = drawn_images(n_images)
    images_file = pairs_file.with_name("images.h5")
    began = time.perf_counter()
    write_images(images_file, images)
    index = ClassIndex.of(images.labels, split.train)
    pairs = draw_pairs(index, PAIRS, negatives="any", rng=generator(0, "pairs"))
    no_variants = {side: [draw_affine((PAIRS, 0), generator(0, "affine"))] for side in ("left", "right")}
    write_pairs(
        pairs_file, images_file=images_file, split=split, pairs={"train": pairs}, n_variants=0, variants=no_variants
    )
    seconds = time.perf_counter() - began
    images_file.unlink()
    return {"seconds": seconds, "file_bytes": pairs_file.stat().st_size}


def training_settings(batch_size: int, memory_gb: float) -> TrainSettings:
    """Return the preset koch35 without validation, its images on the device if they need no more memory than that."""
    changes = [f"objective.batch_size={batch_size}", "validation_trials=0"]
    changes += [f"data.memory_gb={memory_gb}", f"data.readers={READERS}"]
    values = read_yaml(preset_text("koch35"), origin="koch35")
    return check(TrainSettings, with_changes(values, changes), origin="bench")


def train_file(pairs_file: Path, batch_size: int, seconds: float, *, stream: bool) -> dict[str, Any]:
    """Train koch35 on a pair dataset for a while, with its images on the device or streamed from the file."""
    settings = training_settings(batch_size, 0 if stream else 1e6)
    compute = choose_compute("cpu", settings.precision)
    return trained(lambda: build_trainer(pairs_file, settings, compute), batch_size, seconds)


def trained(build: Callable[[], Trainer], batch_size: int, seconds: float) -> dict[str, Any]:
    """Train for a while; the first steps count for the loss, and those after them for the speed.

    Args:
        build: Returns the trainer, on a CPU.
        batch_size: Its pairs per step.
        seconds: Time of the steps that are timed; there is one at least.

    Returns:
        Seconds until the first step is done, pairs per second, mean loss of the first steps, and the memory of the
        processes that read images, or None where there are none.
    """
    began = time.perf_counter()
    trainer = build()
    ends: list[float] = []
    found: dict[str, Any] = {}

    with trainer.steps() as steps:
        for position in steps:
            ends.append(time.perf_counter())
            if len(ends) == WARM_STEPS:
                found["loss"] = float(trainer.state()["sums"][0]) / position.step
            if len(ends) > WARM_STEPS and ends[-1] - ends[WARM_STEPS - 1] >= seconds:
                found["readers_bytes"] = sum(_peak_bytes(reader.pid) for reader in multiprocessing.active_children())
                break
    timed_steps = len(ends) - WARM_STEPS
    return {
        "first_step_seconds": ends[0] - began,
        "pairs_per_second": batch_size * timed_steps / (ends[-1] - ends[WARM_STEPS - 1]),
        "loss": found["loss"],
        "readers_bytes": found["readers_bytes"] or None,
    }


def _peak_bytes(pid: int | None) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def run_trials(pairs_file: Path, n_trials: int) -> dict[str, Any]:
    """Do what `omnishot eval --protocol within --ways 1..20` does with a fresh network; return seconds and images."""
    compute = choose_compute("cpu", "fp32")
    network = build_network("koch35")

    def sweep(n_trials: int) -> Trials:
        with open_hdf5(pairs_file) as file:
            index = ClassIndex.of(read_labels(file), read_split(file).test)
            trials = draw_within(index, n_trials, MOST_WAYS, 1, rng=generator(0, "trials"))
            pixels = torch.from_numpy(read_pixels(file, trials.query, trials.support))
        scores = score_trials(network, pixels, trials, compute)
        for n_way in range(1, MOST_WAYS + 1):
            correct_trials(scores, n_way).mean()
        return trials

    with compute.tuned():
        sweep(MOST_WAYS)  # What is slow the first time does not depend on the size.
        timing = timed(lambda: sweep(n_trials), repeats=1)
    return {"seconds": timing.median, "images_embedded": len(images_of(timing.result))}


def images_of(trials: Trials) -> NDArray[np.int64]:
    """Return the distinct images of trials, ascending, as they are embedded."""
    return np.unique(np.concatenate([trials.query, trials.support.reshape(-1)])).astype(np.int64)


def network_of(dimension: int) -> SiameseNetwork:
    """Return koch35 with vectors of another length."""
    torch.manual_seed(0)
    return SiameseNetwork(KochTwin(replace(PUBLISHED["koch35"], dense_units=dimension)), "l1")


class _Embedded(nn.Module):
    """Stands in for the twin: gives vectors that are known already, in their order."""

    side = 1

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.dimension, self._left = vectors.shape[1], vectors

    def forward(self, images: Tensor) -> Tensor:
        vectors, self._left = self._left[: len(images)], self._left[len(images) :]
        return vectors


def score_embedded(network: SiameseNetwork, vectors: Tensor, trials: Trials) -> NDArray[np.float32]:
    """Score trials without the twin.

    Args:
        network: Whose head compares.
        vectors: Of `images_of(trials)`, shape (k, d).
        trials: The trials.
    """
    headed = SiameseNetwork(cast(KochTwin, _Embedded(vectors)), network.distance)
    headed.head = network.head
    no_pixels = torch.zeros(1, dtype=torch.uint8).expand(int(images_of(trials)[-1]) + 1, 1, 1)
    return score_trials(headed, no_pixels, trials, choose_compute("cpu", "fp32"))


def use_dimension(
    pairs_file: Path, dimension: int, batch_size: int, seconds: float, *, n_trials: int
) -> dict[str, Any]:
    """Train koch35 with vectors of some length, embed the test images, and score trials among them."""
    settings, network = training_settings(batch_size, 1e6), network_of(dimension)
    with open_hdf5(pairs_file) as file:
        labels, split, variants = read_labels(file), read_split(file), read_variants(file)
        pairs, pixels = read_pairs(file, "train"), torch.from_numpy(read_pixels(file))
    if pairs is None or not isinstance(settings.objective, PairsObjective):
        raise RuntimeError("there is nothing to train on")
    objective = PairsLoss(settings.objective, PairTensors.of(pairs, variants, pixels.device), seed=0)
    compute = choose_compute("cpu", settings.precision)
    trainer = Trainer(network, objective, ResidentImages(pixels), settings, compute, None)
    speed = trained(lambda: trainer, batch_size, seconds)
    trials = draw_within(ClassIndex.of(labels, split.test), n_trials, MOST_WAYS, 1, rng=generator(0, "trials"))
    single, images = choose_compute("cpu", "fp32"), images_of(trials)
    with single.tuned():
        embedding = timed(lambda: embed(network, pixels, images, single), repeats=3)
        scoring = timed(lambda: score_embedded(network, embedding.result, trials), repeats=3)
    return {
        "parameters": trainer.n_parameters,
        "pairs_per_second": speed["pairs_per_second"],
        "images_per_second": len(images) / embedding.median,
        "trials_seconds": scoring.median,
    }
