"""Affine distortions as seven numbers each, drawn once and rendered where they are used.

Source: Koch et al. 2015, section 3.2.
"""

import numpy as np
from numpy.typing import NDArray

COMPONENTS = ("rotation", "shear x", "shear y", "scale x", "scale y", "shift x", "shift y")
"""Degrees counter-clockwise, two shear factors, two scale factors, and pixels of a 105-pixel image."""

IDENTITY = np.array([0, 0, 0, 1, 1, 0, 0], dtype=np.float32)
REACH = np.array([10, 0.3, 0.3, 0.2, 0.2, 2, 2], dtype=np.float32)
"""How far each component goes to either side of the identity."""

PROBABILITY = 0.5
"""Chance of each component to take part in a distortion."""

SHIFT_SIDE = 105
"""Image side that shifts refer to, pixels."""


def draw_affine(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw as many distortions as `shape` says; the result is (*shape, 7), float32, in the order of `COMPONENTS`."""
    amount = rng.random((*shape, len(COMPONENTS)), dtype=np.float32)
    amount *= 2
    amount -= 1
    amount *= rng.random(amount.shape, dtype=np.float32) < PROBABILITY
    amount *= REACH
    amount += IDENTITY
    return amount
