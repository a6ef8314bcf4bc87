"""Accuracy in N-way trials, from one scoring for all N."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnishot.data.episodes import Trials
from omnishot.data.pixels import Pixels
from omnishot.evaluation.embedding import embed
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork

_VALUES_PER_CHUNK = 1 << 23


@torch.no_grad()
def score_trials(network: SiameseNetwork, pixels: Pixels, trials: Trials, compute: Compute) -> NDArray[np.float32]:
    """Score each trial's query against each of its classes: the mean logit over the class's support images.

    Returns:
        Shape (n_trials, n_way); column 0 is the right class. Arguments are those of `embed`.
    """
    images, places = np.unique(np.concatenate([trials.query, trials.support.reshape(-1)]), return_inverse=True)
    vectors = embed(network, pixels, images.astype(np.int64), compute)
    return score_vectors(network, vectors, places[: len(trials)], places[len(trials) :].reshape(trials.support.shape))


@torch.no_grad()
def score_vectors(
    network: SiameseNetwork, vectors: Tensor, queries: NDArray[np.integer], supports: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Score trials of which the images are vectors already, shape (n, d), named by their places among them."""
    query, support = (torch.from_numpy(places).to(vectors.device) for places in (queries, supports))
    n_trials, n_way, k_shot = support.shape
    scores = torch.empty(n_trials, n_way, device=vectors.device)
    chunk = max(1, _VALUES_PER_CHUNK // (n_way * k_shot * vectors.shape[1]))
    for start in range(0, n_trials, chunk):
        some = slice(start, start + chunk)
        scores[some] = network.compare(vectors[query[some], None, None], vectors[support[some]]).mean(dim=2)
    return scores.cpu().numpy()


def correct_trials(scores: NDArray[np.float32], n_way: int) -> NDArray[np.bool_]:
    """Tell of each trial whether it is right when only the first N classes are offered, shape (n_trials,).

    Scores have the shape (n_trials, at least n_way); column 0 is the right class. A tie with a wrong class is wrong,
    and so is a score that is not a number.
    """
    if n_way == 1:
        return np.isfinite(scores[:, 0])
    right: NDArray[np.bool_] = scores[:, 0] > scores[:, 1:n_way].max(axis=1)
    return right


def margins(scores: NDArray[np.float32], n_way: int) -> NDArray[np.float32]:
    """Return by how much the right class leads the best wrong one: above 0 exactly where `correct_trials` is true.

    Scores are as there, and `n_way` is 2 or more; the result, shape (n_trials,), is minus infinity where a score is not
    a number.
    """
    lead: NDArray[np.float32] = scores[:, 0] - scores[:, 1:n_way].max(axis=1)
    return np.where(np.isnan(lead), -np.inf, lead).astype(np.float32)
