"""`scores.h5`: what every method said of every query of an evaluation."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from omnishot.formats.hdf5 import contains, damaged, open_hdf5, read_array
from omnishot.formats.images import refuse_strays


@dataclass(frozen=True, slots=True)
class TrialScores:
    """Scores of N-way trials.

    Attributes:
        query: Image indices, shape (n_trials,).
        support: Image indices, shape (n_trials, n_way, k_shot); the first class is the right one.
        episode: Trials of one number share their support images, shape (n_trials,).
        scores: By method, shape (n_trials, n_way).
    """

    query: NDArray[np.int32]
    support: NDArray[np.int32]
    episode: NDArray[np.int32]
    scores: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class PairScores:
    """Scores of pairs.

    Attributes:
        left: Image indices, shape (n_pairs,).
        right: Image indices, shape (n_pairs,).
        same: Whether a pair shows one class, shape (n_pairs,).
        scores: By model, shape (n_pairs,).
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    same: NDArray[np.bool_]
    scores: dict[str, NDArray[np.float32]]


ANY_NUMBER = 1 << 31
"""Images that indices may point at where nothing is looked up by them."""


def read_trial_scores(path: Path, methods: Iterable[str], *, n_images: int) -> TrialScores:
    """Read the trials of an evaluation and some methods' scores.

    Args:
        path: A `scores.h5` that was checked.
        methods: References of models and names of baselines; those that were not measured are left out.
        n_images: How many images the indices may point at.

    Raises:
        DamagedFileError: The file does not hold trials, or not in these shapes.
    """
    with open_hdf5(path) as file:
        query, episode = (read_array(file, f"trials/{name}", np.int32, 1) for name in ("query", "episode"))
        support = read_array(file, "trials/support", np.int32, 3)
        shape = support.shape[:2]
        if not 0 < len(query) == len(episode) == len(support) or not support.size:
            raise damaged(file, f"{len(query):,} queries have support sets of the shape {support.shape}")
        refuse_strays(file, "trials/query", query, n_images)
        refuse_strays(file, "trials/support", support, n_images)
        return TrialScores(query, support, episode, _scores(file, methods, shape))


def read_pair_scores(path: Path, models: Iterable[str], *, n_images: int = ANY_NUMBER) -> PairScores:
    """Read the pairs of a verification and some models' scores; arguments as for `read_trial_scores`.

    Raises:
        DamagedFileError: The file does not hold pairs, or not in these shapes, or a score is not finite.
    """
    with open_hdf5(path) as file:
        left, right = (read_array(file, f"pairs/{name}", np.int32, 1) for name in ("left", "right"))
        same = read_array(file, "pairs/same", np.bool_, 1)
        if not 0 < len(left) == len(right) == len(same):
            raise damaged(file, f"left, right and same have {len(left):,}, {len(right):,} and {len(same):,} entries")
        refuse_strays(file, "pairs/left", left, n_images)
        refuse_strays(file, "pairs/right", right, n_images)
        scores = _scores(file, models, same.shape)
        for model, found in scores.items():
            # Unlike a trial, where it is wrong, a pair without a score can be neither above a threshold nor below.
            if not np.isfinite(found).all():
                raise damaged(file, f"{np.sum(~np.isfinite(found)):,} scores of {model} are not finite")
        return PairScores(left, right, same, scores)


def _scores(file: h5py.File, methods: Iterable[str], shape: tuple[int, ...]) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for method in methods:
        group = method.replace("/", "|")  # A slash in a reference would open a group.
        if not contains(file, group):
            continue
        found[method] = read_array(file, f"{group}/scores", np.float32, len(shape))
        if found[method].shape != shape:
            raise damaged(file, f"the scores of {method} have the shape {found[method].shape}, not {shape}")
    return found
