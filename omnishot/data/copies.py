"""Which images are the same, pixel for pixel, so that none is asked for and shown at once."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def first_equal(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the index of the first image equal to each, which is its own where there is no earlier one.

    Args:
        pixels: Shape (n, height, width).

    Returns:
        Shape (n,).
    """
    first: dict[bytes, int] = {}
    indices = np.empty(len(pixels), dtype=np.int32)
    for i, image in enumerate(pixels):
        indices[i] = first.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), i)
    return indices
