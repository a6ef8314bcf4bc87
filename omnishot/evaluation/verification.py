"""Accuracy at telling same pairs from different ones, at a threshold chosen on other pairs."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.data.pairs import Pairs
from omnishot.data.pixels import Pixels
from omnishot.evaluation.embedding import embed
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork

_PAIRS_PER_CHUNK = 2048


@torch.no_grad()
def score_pairs(network: SiameseNetwork, pixels: Pixels, pairs: Pairs, compute: Compute) -> NDArray[np.float32]:
    """Return the logit of each pair, shape (n_pairs,); each image is embedded once."""
    images, places = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
    vectors = embed(network, pixels, images.astype(np.int64), compute)
    left, right = torch.from_numpy(places).to(compute.device).view(2, -1)
    chunks = zip(left.split(_PAIRS_PER_CHUNK), right.split(_PAIRS_PER_CHUNK), strict=True)
    return torch.cat([network.compare(vectors[a], vectors[b]) for a, b in chunks]).cpu().numpy()


@dataclass(frozen=True, slots=True)
class Verification:
    """Outcome of verification.

    Attributes:
        threshold: Pairs that score higher are called the same.
        correct: Outcome of each pair, shape (n_pairs,).
        equal_error_rate: Where false acceptances and false rejections are equally frequent on these pairs.
    """

    threshold: float
    correct: NDArray[np.bool_]
    equal_error_rate: float


def best_threshold(scores: NDArray[np.float32], same: NDArray[np.bool_]) -> float:
    """Return a threshold with the most correct decisions, midway between two neighbouring scores."""
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order].astype(np.float64), same[order]
    # Calling the first k different and the rest the same: right differents below plus right sames above.
    right = np.concatenate([[0], np.cumsum(~truth)]) + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    edges = np.concatenate([[ranked[0] - 1], (ranked[:-1] + ranked[1:]) / 2, [ranked[-1] + 1]])
    cuttable = np.concatenate([[True], ranked[:-1] < ranked[1:], [True]])
    return float(edges[np.argmax(np.where(cuttable, right, -1))])


def verify(scores: NDArray[np.float32], same: NDArray[np.bool_], threshold: float) -> Verification:
    """Decide pairs by a threshold that `best_threshold` chose on others; `same`, the truth, has both values in it."""
    ranked = np.sort(scores)
    rejected = np.searchsorted(np.sort(scores[same]), ranked, side="right") / same.sum()
    accepted = 1 - np.searchsorted(np.sort(scores[~same]), ranked, side="right") / (~same).sum()
    crossing = int(np.argmin(np.abs(rejected - accepted)))
    return Verification(
        threshold=threshold,
        correct=(scores > threshold) == same,
        equal_error_rate=float((rejected[crossing] + accepted[crossing]) / 2),
    )
