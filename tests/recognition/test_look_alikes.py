"""Two who look alike are noticed, also among few; who merely differ are not."""

import numpy as np
import pytest

from omnishot.formats.gallery import Provisional
from omnishot.recognition.look_alikes import limit_without


def test_the_limit_without_two_is_that_of_the_others() -> None:
    nearest = np.array([0.9, 0.9, 0.1, 0.2, 0.35, 0.3])
    whole = Provisional(threshold=9.0, mean=nearest.mean(), deviation=nearest.std(), examples=6)
    assert limit_without(whole, 0.9) == pytest.approx(nearest[2:].mean() + 2 * nearest[2:].std())


def test_among_four_nobody_looks_alike() -> None:
    assert limit_without(Provisional(threshold=9.0, mean=0.5, deviation=0.4, examples=4), 0.9) == np.inf
