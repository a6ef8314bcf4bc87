"""One seed becomes independent, named generators, so that adding a draw in one place changes no other."""

import hashlib

import numpy as np


def derived_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed that depends on the user's seed and every name, for example `"pairs", "train"`."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for one named purpose; equal arguments give equal numbers."""
    return np.random.default_rng(derived_seed(seed, *names))
