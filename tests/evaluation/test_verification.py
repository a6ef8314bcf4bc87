"""The threshold is the best there is on the pairs it is chosen from, and is used on others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from omnishot.data.class_index import ClassIndex
from omnishot.data.image_set import ImageSet
from omnishot.data.pairs import draw_pairs
from omnishot.data.render import shrink
from omnishot.evaluation.verification import best_threshold, score_pairs, verify
from omnishot.model.device import Compute
from omnishot.model.siamese import build_network


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=30))
def test_no_other_threshold_is_better(pairs: list[tuple[int, bool]]) -> None:
    scores, same = np.array([s for s, _ in pairs], dtype=np.float32), np.array([y for _, y in pairs])

    def right(threshold: float) -> int:
        return int(((scores > threshold) == same).sum())

    assert right(best_threshold(scores, same)) == max(right(cut) for cut in np.arange(-6.5, 6.5, 0.5))


def test_errors_are_equal_where_they_cross() -> None:
    rng = np.random.default_rng(0)
    same = np.arange(20_000) % 2 == 0
    scores = (rng.standard_normal(20_000) + same * 2).astype(np.float32)
    outcome = verify(scores, same, threshold=1.0)
    # Two normal distributions two standard deviations apart: each errs on one side of one standard deviation.
    assert outcome.equal_error_rate == pytest.approx(0.1587, abs=0.01)
    assert outcome.correct.mean() == pytest.approx(0.8413, abs=0.01)


def test_pairs_are_scored_as_the_network_would(images: ImageSet) -> None:
    torch.manual_seed(0)
    network = build_network("conv4").eval()
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    pairs = draw_pairs(index, 30, negatives="any", rng=np.random.default_rng(0))
    pixels = torch.from_numpy(images.pixels)
    scores = score_pairs(network, pixels, pairs, Compute(torch.device("cpu"), bf16=False))
    small = shrink(pixels, 35)
    with torch.no_grad():
        expected = network(small[torch.from_numpy(pairs.left)], small[torch.from_numpy(pairs.right)])
    assert np.allclose(scores, expected.numpy(), atol=1e-4)
