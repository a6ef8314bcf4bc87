"""A gate on the difference between two evaluations, for pipelines that must not get worse."""

import re
from dataclasses import dataclass

from omnishot.errors import QualityGateError, UsageError
from omnishot.reporting.paired_comparison import PairedComparison

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much less accurate the second evaluation may be.

    Attributes:
        ways: In N-way trials, or None for everything that was measured.
        most: The loss that is tolerated, in [0, 1].
    """

    ways: int | None
    most: float


def parse_tolerance(text: str) -> Tolerance:
    """Read `accuracy=0.005` or `20-way=0.005`.

    Raises:
        UsageError: The text is neither.
    """
    match = re.fullmatch(r"(?:accuracy|([1-9][0-9]{0,5})-way)=(0?\.[0-9]+|1(?:\.0*)?|0(?:\.0*)?)", text)
    if not match:
        raise UsageError(
            f"--tolerance {text!r} cannot be read",
            hint="Write accuracy=0.005 for everything that was measured, or 20-way=0.005; 0.005 is half a point.",
        )
    return Tolerance(int(match[1]) if match[1] else None, float(match[2]))


def check_tolerance(found: list[PairedComparison], tolerance: Tolerance) -> str:
    """Return a sentence that says that no loss is larger than is tolerated, with the largest one.

    Raises:
        UsageError: Nothing was measured that the tolerance speaks of.
        QualityGateError: The second evaluation is worse by more.
    """
    judged = [pair for pair in found if tolerance.ways in {None, pair.ways}]
    if not judged:
        has = ", ".join(pair.task for pair in found)
        raise UsageError(f"--tolerance {tolerance.ways}-way: both evaluations measured {has} only")
    points = f"{100 * tolerance.most:g} points"
    worst = min(judged, key=lambda pair: pair.difference)
    failed = [pair for pair in judged if pair.difference < -tolerance.most - _ROUNDING]
    if failed:
        more = f" ({len(failed)} of {len(judged)} comparisons)" if len(judged) > 1 else ""
        raise QualityGateError(
            f"Accuracy fell by more than the tolerated {points}{more}. {worst.verdict}",
            hint=f"Look for what changed, or raise the tolerance; {worst.advice}.",
        )
    largest = "The largest loss, or smallest gain: " if len(judged) > 1 else ""
    return f"Accuracy fell by no more than the tolerated {points}. {largest}{worst.verdict}"
