"""One scoring serves every number of ways, and ties are never right."""

import numpy as np
import pytest
import torch

from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import draw_within
from omnishot.data.image_set import ImageSet
from omnishot.data.render import shrink
from omnishot.evaluation.oneshot import correct_trials, margins, score_trials
from omnishot.model.device import Compute
from omnishot.model.siamese import build_network

CPU = Compute(torch.device("cpu"), bf16=False)


@pytest.mark.parametrize("k_shot", [1, 2])
def test_scores_are_what_the_network_says_pair_by_pair(images: ImageSet, k_shot: int) -> None:
    torch.manual_seed(0)
    network = build_network("conv4").eval()
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    trials = draw_within(index, 7, 4, k_shot, rng=np.random.default_rng(0))
    pixels = torch.from_numpy(images.pixels)
    scores = score_trials(network, pixels, trials, CPU)
    small = shrink(pixels, 35)
    with torch.no_grad():
        for t in range(7):
            for way in range(4):
                query = small[int(trials.query[t])][None].expand(k_shot, -1, -1, -1)
                expected = network(query, small[torch.from_numpy(trials.support[t, way])]).mean()
                assert scores[t, way] == pytest.approx(float(expected), abs=1e-3)


def test_the_first_n_classes_are_an_n_way_trial() -> None:
    scores = np.array([[2, 1, 3, 0], [5, 4, 3, 2], [1, 2, 0, 0]], dtype=np.float32)
    assert correct_trials(scores, 1).tolist() == [True, True, True]
    assert correct_trials(scores, 2).tolist() == [True, True, False]
    assert correct_trials(scores, 3).tolist() == [False, True, False]


def test_a_tie_is_wrong_and_so_is_what_is_no_number() -> None:
    scores = np.array([[1, 1, 0], [np.nan, 0, 0], [1, np.nan, 0], [0, 0, 0]], dtype=np.float32)
    assert correct_trials(scores, 3).tolist() == [False] * 4


def test_a_margin_is_above_zero_exactly_where_a_trial_is_right() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(-2, 3, size=(200, 5)).astype(np.float32)  # With ties.
    scores[:3, 0], scores[3:6, 2] = np.nan, np.nan
    for n_way in (2, 5):
        lead = margins(scores, n_way)
        np.testing.assert_array_equal(lead > 0, correct_trials(scores, n_way))
    assert margins(np.array([[3, 1, 2.5]], dtype=np.float32), 3).tolist() == [0.5]
    assert margins(np.array([[3, 1, 2.5]], dtype=np.float32), 2).tolist() == [2]
