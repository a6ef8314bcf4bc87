"""Steps without an end, each giving its loss or None: the engine's and the usual loop's, in training and in use."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import torch

from engines.ours import Part
from engines.setup import MOMENTUM, RATE, Task
from engines.usual import infer_usually, train_usually
from omnishot.data.pairs import Pairs
from omnishot.evaluation.verification import score_pairs
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_pixels
from omnishot.formats.pairs import read_pairs
from omnishot.model.device import Compute


def train(task: Task, part: Part, compute: Compute) -> Iterator[torch.Tensor]:
    """Train with the engine, one part of it left out; losses stay on the device."""
    trainer = task.trainer(compute)
    part.alter(trainer)
    while True:
        before = trainer._sums.clone()
        trainer._step()
        if trainer.position.step == trainer._objective.steps_per_epoch:
            trainer.position.epoch, trainer.position.step = trainer.position.epoch + 1, 0
        measured = trainer._sums - before
        if part.reads_loss:
            measured.tolist()
        yield measured[0]


def train_usual(task: Task, pictures: Path, compute: Compute, *, workers: int) -> Iterator[float]:
    """Train the same network on the same pairs as most do."""
    network = task.trainer(compute)._network
    return train_usually(
        network.to(memory_format=torch.contiguous_format),
        task.dataset(pictures, network.twin.side),
        batch_size=task.batch_size,
        workers=workers,
        rate=RATE,
        momentum=MOMENTUM,
        device=compute.device,
    )


def infer(task: Task, compute: Compute) -> Iterator[None]:
    """Score test pairs, each image embedded once, however many pairs it is in."""
    network = task.trainer(compute)._network
    with open_hdf5(task.pairs_file) as file:
        pairs = read_pairs(file, "test")
        if pairs is None:
            raise RuntimeError(f"{task.pairs_file} holds no test pairs")
        pixels = torch.from_numpy(read_pixels(file, pairs.left, pairs.right)).to(compute.device)
    for start in count(step=task.batch_size):
        chosen = np.arange(start, start + task.batch_size) % len(pairs)
        score_pairs(network, pixels, Pairs(pairs.left[chosen], pairs.right[chosen], pairs.same[chosen]), compute)
        yield None


def infer_usual(task: Task, pictures: Path, compute: Compute, *, workers: int) -> Iterator[None]:
    """Score pairs as most do, both images of each on their way through the network."""
    network = task.trainer(compute)._network
    dataset = task.dataset(pictures, network.twin.side)
    return infer_usually(network, dataset, batch_size=task.batch_size, workers=workers, device=compute.device)
