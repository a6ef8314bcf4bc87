"""What needs no training: nearest neighbour on pixels, modified Hausdorff distance, and chance."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from omnishot.data.episodes import Trials
from omnishot.evaluation.hausdorff import modified_hausdorff, prepare_drawing
from omnishot.progress import OnProgress, Progress, silent
from omnishot.vocabulary import Baseline

THUMBNAIL = 32
"""Side of what nearest neighbour compares of photographs, pixels."""

_PAIRS_PER_CHUNK = 1024


def score_baseline(
    name: Baseline,
    pixels: NDArray[np.uint8] | NDArray[np.float32],
    trials: Trials,
    *,
    rng: np.random.Generator,
    on_progress: OnProgress = silent,
) -> NDArray[np.float32]:
    """Score each trial's query against each of its classes: the negated distance of the nearest support image.

    Pixels are those of all images, shape (n, side, side), uint8, ink 255 on 0; or of photographs their thumbnails,
    shape (n, 1024), float32, on which there is no Hausdorff distance. Scores have the shape (n_trials, n_way),
    and column 0 is the right class; `random` draws them from `rng`.

    Source: Lake et al. 2015 for both distances on these trials.
    """
    if name == "random":
        return rng.random(trials.support.shape[:2], dtype=np.float32)
    query = np.broadcast_to(trials.query[:, None, None], trials.support.shape).reshape(-1)
    pairs = np.stack([query, trials.support.reshape(-1)], axis=1)
    # Both distances are symmetric, and trials meet the same two images again and again.
    distinct, place = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    distances = _pixel_distances if name == "nearest-neighbour" else _hausdorff_distances
    found = distances(pixels, distinct, on_progress)
    scores: NDArray[np.float32] = -found[place.reshape(-1)].reshape(trials.support.shape).min(axis=2)
    return scores


def thumbnail(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the shades of a photograph, shape (height, width, channels), 32 pixels a side: a vector of length 1."""
    grey = Image.fromarray(np.rint(photo.mean(axis=2)).astype(np.uint8))
    small = np.asarray(grey.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX), dtype=np.float32).reshape(-1)
    return small / max(float(np.linalg.norm(small)), 1.0)


def _pixel_distances(
    pixels: NDArray[np.uint8] | NDArray[np.float32], pairs: NDArray[np.int32], on_progress: OnProgress
) -> NDArray[np.float32]:
    flat = pixels.reshape(len(pixels), -1)
    squares = np.empty(len(pairs), dtype=np.float32)
    exact: DTypeLike
    exact, scale = (np.int32, 255**2) if flat.dtype == np.uint8 else (np.float64, 1)
    for start in range(0, len(pairs), _PAIRS_PER_CHUNK):
        some = pairs[start : start + _PAIRS_PER_CHUNK]
        # Whole numbers, so that equal distances are equal; of ink and paper only, they count differing pixels.
        difference: NDArray[Any] = flat[some[:, 0]].astype(exact) - flat[some[:, 1]].astype(exact)
        squares[start : start + _PAIRS_PER_CHUNK] = np.einsum("ij,ij->i", difference, difference) / scale
        on_progress(Progress("Nearest neighbour", start, len(pairs), "pairs"))
    return squares


def _hausdorff_distances(
    pixels: NDArray[np.uint8] | NDArray[np.float32], pairs: NDArray[np.int32], on_progress: OnProgress
) -> NDArray[np.float32]:
    drawings = {int(image): prepare_drawing(pixels[image]) for image in np.unique(pairs)}
    distances = np.empty(len(pairs), dtype=np.float32)
    for i, (left, right) in enumerate(pairs.tolist()):
        distances[i] = modified_hausdorff(drawings[left], drawings[right])
        if i % 500 == 0:
            on_progress(Progress("Hausdorff distance", i, len(pairs), "pairs"))
    return distances
