"""Rates and momentum follow their closed forms."""

import math

import pytest

from omnishot.config.optimization import CyclicSchedule, ExponentialSchedule, PlainSchedule, SgdSettings
from omnishot.training.schedules import momentum_at, rate_factor


def test_the_exponential_schedule_decays_by_epoch() -> None:
    schedule = ExponentialSchedule(decay=0.99)
    assert rate_factor(schedule, step=12345, epoch=100, done=0.5) == pytest.approx(0.3660323)  # 0.99^100


@pytest.mark.parametrize(("done", "factor"), [(0, 1), (0.5, 0.5), (1, 0), (1.2, 0), (1 / 3, 0.75)])
def test_the_cosine_schedule_ends_at_zero(done: float, factor: float) -> None:
    assert rate_factor(PlainSchedule(kind="cosine"), step=999, epoch=1, done=done) == pytest.approx(factor)


def test_the_triangular_schedule_is_smiths() -> None:
    # Smith 2017, section 3.2: rate 0.001 to 0.006 over steps of 2,000, in his own formula.
    schedule = CyclicSchedule(kind="triangular", lowest=0.001 / 0.006, steps=2000)
    for step in (0, 1, 500, 2000, 3000, 4000, 4001, 9000):
        cycle = math.floor(1 + step / (2 * 2000))
        x = abs(step / 2000 - 2 * cycle + 1)
        expected = 0.001 + (0.006 - 0.001) * max(0, 1 - x)
        assert 0.006 * rate_factor(schedule, step=step, epoch=0, done=0) == pytest.approx(expected)


def test_triangular2_halves_the_rise_with_every_cycle() -> None:
    schedule = CyclicSchedule(kind="triangular2", lowest=0.0, steps=10)
    tops = [rate_factor(schedule, step=step, epoch=0, done=0) for step in (10, 30, 50, 70)]
    assert tops == [1, 0.5, 0.25, 0.125]
    assert [rate_factor(schedule, step=step, epoch=0, done=0) for step in (0, 20, 40)] == [0, 0, 0]


def test_warmup_rises_linearly() -> None:
    schedule = PlainSchedule(warmup_steps=4)
    assert [rate_factor(schedule, step=step, epoch=0, done=0) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]


def test_momentum_rises_linearly_from_the_first_epoch_to_the_last() -> None:
    settings = SgdSettings(momentum_start=0.5)
    assert [momentum_at(settings, 0.9, epoch=epoch, epochs=5) for epoch in range(5)] == pytest.approx(
        [0.5, 0.6, 0.7, 0.8, 0.9]
    )
