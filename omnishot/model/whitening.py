"""Within-class whitening: directions in which images of one class differ count less, in closed form.

Source: Hatch & Stolcke 2006, section 3 (within-class covariance normalisation); Ledoit & Wolf 2004 for the shrinkage.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.errors import SamplingError


@dataclass(frozen=True, slots=True)
class Whitening:
    """An affine map after which images of one class spread alike in all directions.

    Attributes:
        center: What is taken off each vector, shape (d,), float64.
        matrix: What the rest is multiplied with, symmetric, shape (d, d), float64.
    """

    center: NDArray[np.float64]
    matrix: NDArray[np.float64]

    def apply(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return whitened vectors, shape (n, d)."""
        return (vectors - self.center) @ self.matrix


def fit_whitening(vectors: NDArray[np.floating], classes: NDArray[np.integer], *, shrinkage: float = 0.7) -> Whitening:
    """Fit to the vectors of images of known classes.

    Args:
        vectors: Shape (n, d).
        classes: Class of each, shape (n,).
        shrinkage: Share of the identity, times the mean variance, in the covariance that is made an identity.

    Returns:
        A map that centres the mean of the classes; its scale is such that the mean variance counts as 1.

    Raises:
        SamplingError: No class has two images that differ.
    """
    values = vectors.astype(np.float64)
    names, place = np.unique(classes, return_inverse=True)
    counts = np.bincount(place)
    means = np.zeros((len(names), values.shape[1]))
    np.add.at(means, place, values)
    means /= counts[:, None]
    deviations = values - means[place]
    freedom = len(values) - len(names)
    covariance = deviations.T @ deviations / max(freedom, 1)
    variance = float(np.trace(covariance)) / len(covariance)
    if variance <= 0:
        raise SamplingError(
            f"Whitening needs classes of two different images, but none of these {len(names):,} has them",
            hint="Add images to the classes, or use the model `photos` as it is.",
        )
    shrunk = (1 - shrinkage) * covariance / variance + shrinkage * np.eye(len(covariance))
    variances, directions = np.linalg.eigh(shrunk)
    smallest = np.finfo(np.float64).eps * len(shrunk) * variances[-1]  # Without shrinkage some may be nothing.
    scale = 1 / np.sqrt(np.maximum(variances, smallest))
    return Whitening(center=means.mean(axis=0), matrix=(directions * scale) @ directions.T)
