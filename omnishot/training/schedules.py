"""Learning rate and momentum as plain functions of how far a run has come."""

import math

from omnishot.config.optimization import CyclicSchedule, ExponentialSchedule, ScheduleSettings, SgdSettings


def rate_factor(schedule: ScheduleSettings, *, step: int, epoch: int, done: float) -> float:
    """Return what the learning rate is multiplied with.

    Args:
        schedule: Kind and values.
        step: Steps taken before this one.
        epoch: Epochs finished before this one.
        done: Share of the run that is over, in [0, 1].

    Source: Koch et al. 2015, section 3.2 (exponential per epoch); Loshchilov & Hutter 2017 (cosine); Smith
    2017, section 3 (triangular).
    """
    warmup = min(1.0, (step + 1) / schedule.warmup_steps) if schedule.warmup_steps else 1.0
    if isinstance(schedule, ExponentialSchedule):
        return warmup * schedule.decay**epoch
    if isinstance(schedule, CyclicSchedule):
        cycle, place = divmod(step, 2 * schedule.steps)
        rise = 1 - abs(place / schedule.steps - 1)
        if schedule.kind == "triangular2":
            rise /= 2**cycle
        return warmup * (schedule.lowest + (1 - schedule.lowest) * rise)
    if schedule.kind == "cosine":
        return warmup * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return warmup


def momentum_at(optimizer: SgdSettings, final: float, *, epoch: int, epochs: int) -> float:
    """Return the momentum after some of the run's epochs: it rises linearly from `momentum_start` to a final value.

    Source: Koch et al. 2015, section 3.2.
    """
    share = epoch / (epochs - 1) if epochs > 1 else 1.0
    return optimizer.momentum_start + (final - optimizer.momentum_start) * share
