"""A gate on the accuracy of networks, which a pipeline can stop at."""

import re
from dataclasses import dataclass

from omnishot.errors import QualityGateError, UsageError
from omnishot.formats.evaluation import Result
from omnishot.reporting.results import Measured, is_baseline, trials_of
from omnishot.wording import interval, percent


@dataclass(frozen=True, slots=True)
class Gate:
    """An accuracy that networks have to reach.

    Attributes:
        ways: In N-way trials, or None for verification.
        least: The accuracy, in [0, 1].
        protocol: Under this protocol, or None for every one that was measured.
    """

    ways: int | None
    least: float
    protocol: str | None = None

    @property
    def command(self) -> str:
        """What measures it."""
        if not self.ways:
            return "omnishot eval --protocol verification"
        return f"omnishot eval --ways {self.ways}" + (f" --protocol {self.protocol}" if self.protocol else "")

    @property
    def task(self) -> str:
        """What has to be measured."""
        task = f"{self.ways}-way" if self.ways else "verification"
        return f"{self.protocol}:{task}" if self.protocol else task


def parse_gate(text: str) -> Gate:
    """Read `20-way=0.90`, `lake:20-way=0.90` or `verification=0.90`.

    Raises:
        UsageError: The text is neither.
    """
    task = r"(?:(?:(lake|within|between):)?([1-9][0-9]{0,5})-way|verification)"
    match = re.fullmatch(task + r"=(0?\.[0-9]+|1(?:\.0*)?|0(?:\.0*)?)", text)
    if not match:
        raise UsageError(
            f"--fail-under {text!r} cannot be read",
            hint="Write 20-way=0.90, lake:20-way=0.90 or verification=0.90, with a fraction between 0 and 1.",
        )
    return Gate(int(match[2]) if match[2] else None, float(match[3]), match[1])


def check_gate(measured: list[Measured], gate: Gate) -> str:
    """Return a sentence that says that every network's test accuracy reaches the gate.

    Raises:
        UsageError: Nothing was measured that the gate speaks of.
        QualityGateError: A network is below it.
    """
    networks = [item.result for item in measured if not is_baseline(item.result.model) and item.result.on == "test"]
    judged = [result for result in networks if result.ways == gate.ways and gate.protocol in {None, result.protocol}]
    if not judged:
        has = sorted({f"{result.ways}-way" if result.ways else "verification" for result in networks})
        raise UsageError(
            f"--fail-under {gate.task}={gate.least:g}: no network was measured at {gate.task} on test images",
            hint=f"There is {', '.join(has) or 'nothing but baselines'}; `{gate.command}` measures it.",
        )
    below = [result for result in judged if result.accuracy < gate.least]
    reached = "; ".join(_described(result) for result in below or judged)
    if below:
        raise QualityGateError(
            f"{gate.task} accuracy is below {percent(gate.least)}: {reached}",
            hint="Train longer or with other settings, or lower the gate.",
        )
    return f"{gate.task} accuracy is at least {percent(gate.least)}: {reached}"


def _described(result: Result) -> str:
    what = f"{trials_of(result)} {'trials' if result.ways else 'pairs'}"
    return f"{result.model} {percent(result.accuracy)} ({result.protocol}), {interval(result.ci95)} by {what}"
