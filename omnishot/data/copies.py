"""Which images are the same, pixel for pixel, so that none is asked for and shown at once."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def first_equal(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.int32]:
    """Return the index of the first image equal to each, which is its own where there is no earlier one.

    Args:
        images: Of any shape; an array of shape (n, height, width) will do.

    Returns:
        Shape (n,).
    """
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)], dtype=np.int32)
