"""What both engines train on: the same network, pairs, distortions and order, from one pair dataset."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engines.usual import PairDataset
from omnishot.config import PrepareSettings, TrainSettings
from omnishot.data.affine import IDENTITY
from omnishot.data.sources import open_source
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_pixels
from omnishot.formats.pairs import read_pairs, read_split, read_variants
from omnishot.model.device import Compute
from omnishot.seeding import derived_seed
from omnishot.settings_text import check
from omnishot.stages.prepare import prepare
from omnishot.stages.trainer import build_trainer
from omnishot.store.store import Store
from omnishot.training.loop import Trainer

RATE = 0.01
MOMENTUM = 0.5


@dataclass(frozen=True, slots=True)
class Task:
    """What to train.

    Attributes:
        pairs_file: A `pairs.h5`.
        twin: The network.
        batch_size: Pairs per step.
        precision: As in the settings.
        compile: As in the settings.
    """

    pairs_file: Path
    twin: str
    batch_size: int
    precision: str = "auto"
    compile: str = "none"

    def settings(self) -> TrainSettings:
        """Return the paper's optimisation at one rate, without validation."""
        values = {
            "twin": self.twin,
            "objective": {"kind": "pairs", "batch_size": self.batch_size},
            "optimizer": {"kind": "sgd", "learning_rate": RATE, "momentum_start": MOMENTUM, "momentum": MOMENTUM},
            "validation_trials": 0,
            "precision": self.precision,
            "compile": self.compile,
        }
        return check(TrainSettings, values, origin="bench")

    def trainer(self, compute: Compute) -> Trainer:
        """Return the engine, ready to train."""
        return build_trainer(self.pairs_file, self.settings(), compute)

    def dataset(self, folder: Path, side: int) -> PairDataset:
        """Return the same samples for the usual loop, its images written to a folder as PNG files."""
        with open_hdf5(self.pairs_file) as file:
            split, pairs, variants = read_split(file), read_pairs(file, "train"), read_variants(file)
            pixels = read_pixels(file, split.train)
        if pairs is None:
            raise RuntimeError(f"{self.pairs_file} holds no training pairs")
        folder.mkdir(parents=True, exist_ok=True)
        for number in split.train.tolist():
            path = folder / f"{number}.png"
            if not path.exists():
                Image.fromarray(pixels[number]).save(path, compress_level=1)
        identity = np.broadcast_to(IDENTITY, (len(pairs), 1, len(IDENTITY)))
        affine = np.stack([np.concatenate([identity, side_], axis=1) for side_ in variants])
        n_samples = affine.shape[1] * affine.shape[2]
        # As in the engine: the order of an epoch is a function of seed and epoch.
        generator = torch.Generator().manual_seed(derived_seed(0, "epoch", 0))
        order = torch.randperm(n_samples, generator=generator).numpy()
        both = np.stack([pairs.left, pairs.right], axis=1).astype(np.int64)
        return PairDataset(folder, both, pairs.same, affine, order, side)


def prepare_pairs(store: Path, source: str, data_folder: Path, *, pairs: int, affine: int) -> Path:
    """Make a pair dataset, or find it made, and return its file."""
    settings = PrepareSettings(split="koch" if source == "omniglot" else "alphabets", pairs=pairs, affine=affine)
    images = open_source(source, data_folder=data_folder, offline=True)
    made = prepare(Store(store), settings, source=images)
    return made.artifact.file("pairs.h5")
