"""How a long stage reports its progress, without knowing a terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """One report.

    Attributes:
        task: What is being done, in a few words; a new task starts a new bar.
        done: Units finished so far.
        total: Units in all, or 0 where the end is not known.
        unit: What is counted: images, steps, bytes.
        figures: Figures of the moment, already named as they are shown: `{"loss": 0.31}`.
    """

    task: str
    done: float
    total: float
    unit: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict)


def short(number: float) -> str:
    """Return a figure that changes all the time with one digit after the point, or none from a hundred on."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.1f}"


OnProgress = Callable[[Progress], None]
"""Takes a progress report; called often, so it has to be cheap."""


def silent(progress: Progress) -> None:
    """Report nothing."""
