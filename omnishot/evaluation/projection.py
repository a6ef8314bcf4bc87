"""The projection of vectors onto the plane in which they vary most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Projection:
    """Vectors as points.

    Attributes:
        points: Shape (n, 2).
        shares: Share of the variance that each of the two directions has, in [0, 1], shape (2,).
    """

    points: NDArray[np.float64]
    shares: NDArray[np.float64]


def principal_plane(vectors: NDArray[np.floating]) -> Projection:
    """Project vectors, shape (n, d), n and d 2 or more, onto their first two principal components.

    The sign of a component makes its largest weight positive.

    Source: Pearson 1901.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(axis=1)])
    total = float((strengths**2).sum())
    return Projection(
        points=left[:, :2] * strengths[:2] * np.where(signs == 0, 1, signs),
        shares=strengths[:2] ** 2 / total if total > 0 else np.zeros(2),
    )


def neighbours_agree(vectors: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of at least two vectors, shape (n, d), whose nearest neighbour has the same label."""
    wide = vectors.astype(np.float64)
    squares = (wide**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * wide @ wide.T
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())
