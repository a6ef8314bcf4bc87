"""How numbers and names are put into sentences: percents, counts, and what was probably meant."""

import difflib
from collections.abc import Iterable, Sequence


def percent(share: float, *, decimals: int = 1) -> str:
    """Return 0.955 as 95.5 %."""
    return f"{100 * share:.{decimals}f} %"


def interval(ci95: tuple[float, float]) -> str:
    """Return (0.932, 0.971) as 93.2-97.1, percents."""
    return f"{100 * ci95[0]:.1f}-{100 * ci95[1]:.1f}"


def p_value(p: float) -> str:
    """Return 0.0312 as p = 0.031, and what is less than a thousandth as p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def with_questions(trials: int, questions: int | None) -> str:
    """Return 10000 trials and 160 questions as 10,000 (160 different); the trials alone where none repeats."""
    repeats = questions is not None and questions < trials
    return f"{trials:,} ({questions:,} different)" if repeats else f"{trials:,}"


def counted(number: int, noun: str) -> str:
    """Return 1 and "trial" as 1 trial, 4000 as 4,000 trials, 2 and "class" as 2 classes."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def short_count(number: int) -> str:
    """Return 90000 as 90k and 1500000 as 1.5M, and what is not round as it is."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit and number * 10 % unit == 0:
            return f"{number / unit:g}{letter}"
    return str(number)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `". Did you mean '...'?"` with the nearest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f". Did you mean '{close[0]}'?" if close else ""


def listed(names: Sequence[str], *, shown: int) -> str:
    """Return the first names and the number of the others: `a, b and 3 more`."""
    first = ", ".join(names[:shown])
    return first if len(names) <= shown else f"{first} and {len(names) - shown:,} more"
