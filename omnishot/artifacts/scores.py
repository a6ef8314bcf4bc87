"""`scores.h5` of an evaluation: what was asked, and how every method scored it."""

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.artifacts.hdf5 import damaged, values
from omnishot.data.episodes import Trials
from omnishot.data.pairs import Pairs


def read_trials(file: h5py.File) -> Trials:
    """Read the trials of a one-shot evaluation.

    Raises:
        DamagedFileError: Arrays are missing or do not fit each other.
    """
    query, episode = (values(file, f"trials/{name}", np.int32, 1) for name in ("query", "episode"))
    support = values(file, "trials/support", np.int32, 3)
    if not 0 < len(query) == len(episode) == len(support) or not support.size:
        shapes = f"{query.shape}, {episode.shape} and {support.shape}"
        raise damaged(file, f"query, episode and support of its trials have the shapes {shapes}")
    return Trials(query, support, episode)


def read_scored_pairs(file: h5py.File) -> Pairs:
    """Read the pairs of a verification.

    Raises:
        DamagedFileError: Arrays are missing or of different lengths, or all pairs are of one kind.
    """
    left, right = (values(file, f"pairs/{side}", np.int32, 1) for side in ("left", "right"))
    same = values(file, "pairs/same", np.bool_, 1)
    if not 0 < len(left) == len(right) == len(same) or same.all() or not same.any():
        lengths = f"{len(left):,}, {len(right):,} and {len(same):,}"
        raise damaged(file, f"left, right and same of its pairs have {lengths} entries, {same.sum():,} of them same")
    return Pairs(left, right, same)


def read_scores(file: h5py.File, method: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Read the scores of a model or a baseline.

    Args:
        file: The file.
        method: Reference of the model, or name of the baseline.
        shape: (n_trials, n_way), or (n_pairs,) for verification.

    Raises:
        DamagedFileError: There are none of this shape.
    """
    name = f"{method.replace('/', '|')}/scores"  # As `write_evaluation` calls them.
    scores = values(file, name, np.float32, len(shape))
    if scores.shape != shape:
        raise damaged(file, f"{name} has the shape {scores.shape}, expected {shape}")
    return scores
