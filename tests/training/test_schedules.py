"""Rates and momentum follow their closed forms."""

import pytest

from omnishot.config import ExponentialSchedule, PlainSchedule, SgdSettings
from omnishot.training.schedules import momentum_at, rate_factor


def test_the_exponential_schedule_decays_by_epoch() -> None:
    schedule = ExponentialSchedule(decay=0.99)
    assert rate_factor(schedule, step=12345, epoch=100, done=0.5) == pytest.approx(0.3660323)  # 0.99^100


@pytest.mark.parametrize(("done", "factor"), [(0, 1), (0.5, 0.5), (1, 0), (1.2, 0), (1 / 3, 0.75)])
def test_the_cosine_schedule_ends_at_zero(done: float, factor: float) -> None:
    assert rate_factor(PlainSchedule(kind="cosine"), step=999, epoch=1, done=done) == pytest.approx(factor)


def test_warmup_rises_linearly() -> None:
    schedule = PlainSchedule(warmup_steps=4)
    assert [rate_factor(schedule, step=step, epoch=0, done=0) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]


def test_momentum_rises_linearly_from_the_first_epoch_to_the_last() -> None:
    settings = SgdSettings(momentum_start=0.5)
    assert [momentum_at(settings, 0.9, epoch=epoch, epochs=5) for epoch in range(5)] == pytest.approx(
        [0.5, 0.6, 0.7, 0.8, 0.9]
    )
