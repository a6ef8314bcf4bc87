"""A folder of pictures so small that every stage takes about a second, and the options that keep it so."""

from pathlib import Path

import numpy as np
from PIL import Image

_CHANGES = ("epochs=2", "max_minutes=null", "objective.batches_per_epoch=2", "objective.classes_per_batch=10")
TRAIN = ["--preset", "quick", "--device", "cpu", "--set", "validation_trials=20"]
"""Options of `omnishot train`: four steps, the same weights every time."""
TRAIN += [part for change in _CHANGES for part in ("--set", change)]


def draw_blots(folder: Path, *, n_alphabets: int = 5, n_classes: int = 25) -> Path:
    """Write classes of four PNG files, each a few blots away from its class, as many in each alphabet."""
    rng = np.random.default_rng(0)
    for number in range(n_classes):
        target = folder / f"A{number % n_alphabets}" / f"c{number}"
        target.mkdir(parents=True)
        blots = rng.random((7, 7)) < 0.4
        for drawing in range(4):
            drawn = blots ^ (rng.random((7, 7)) < 0.05)
            Image.fromarray(~drawn.repeat(15, 0).repeat(15, 1)).save(target / f"{drawing}.png")
    return folder
