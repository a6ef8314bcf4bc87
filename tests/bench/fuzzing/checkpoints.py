"""Checkpoints: damaged anywhere, or damaged with a digest that fits, as somebody who means it would make them."""

import hashlib
import random
from pathlib import Path

import torch
from fuzzing import mutations

from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint

_DIGEST = 65


def write(place: Path, rng: random.Random) -> None:
    """Write a damaged checkpoint."""
    state = {"network": {"head.weight": torch.ones(rng.randint(1, 300))}, "position": {"epoch": 1, "history": [{}]}}
    write_checkpoint(place, state)
    content = (place / CHECKPOINT).read_bytes()
    if rng.random() < 0.3:
        damaged = mutations.blindly(content, rng)
    else:
        body = mutations.blindly(content[_DIGEST:], rng)
        damaged = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    (place / CHECKPOINT).write_bytes(damaged)


def read(place: Path) -> None:
    """Read it."""
    read_checkpoint(place)
