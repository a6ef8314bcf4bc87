"""Evaluations as tables: the N-way sweep, 20-way beside published figures, verification beside Koch's table 1."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omnishot.formats.evaluation import Result
from omnishot.reporting.published import MNIST, TWENTY_WAY, VERIFICATION, Published
from omnishot.vocabulary import BASELINES
from omnishot.wording import percent

_FIGURE = re.compile(r"[+-]?[0-9][0-9,.]*((-| to )[+-]?[0-9.]+)?( (%|s|MB))?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print.

    Attributes:
        title: What it shows, with the protocol.
        columns: Headings.
        rows: Cells as text, one for each column.
        notes: What has to be said below it.
        emphasised: Numbers of the rows that hold our own networks.
        about: `sweep`, `20-way`, `mnist` or `verification`, whose tables have a place of their own on a page.
        shares: For each row the accuracies, in [0, 1], of the columns after the first, where those are curves.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    emphasised: frozenset[int] = frozenset()
    about: str = ""
    shares: tuple[tuple[float | None, ...], ...] = ()

    @property
    def numeric(self) -> frozenset[int]:
        """Numbers of the columns that hold nothing but figures, which belong below each other digit by digit."""
        columns = enumerate(zip(*self.rows, strict=True))
        return frozenset(i for i, cells in columns if any(cells) and all(map(_FIGURE.fullmatch, filter(None, cells))))


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much more accurate a model is than another one on the same trials.

    Attributes:
        against: Reference of the other model.
        difference: Between the accuracies, in [-1, 1].
        ci95: Paired 95 % interval of it.
    """

    against: str
    difference: float
    ci95: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One result with what its evaluation says of it.

    Attributes:
        result: The accuracy.
        evaluation: Reference of the evaluation.
        data: Reference of the data it was measured on.
        source: Source of that data's images.
        seed: Seed of the trials.
        device: Where the network ran.
        trained_on: What the model had seen, as `stages.evaluate.trained_on` gives it; empty for baselines.
        paired: The difference to the first model of the evaluation, where this is a later one.
    """

    result: Result
    evaluation: str
    data: str
    source: str
    seed: int
    device: str
    trained_on: Mapping[str, Any]
    paired: PairedDifference | None = None


def tables_of(measured: Sequence[Measured]) -> list[Table]:
    """Return the tables that the results can fill, in the order they are read."""
    sweeps = sweeps_of(measured)
    official = [item for item in measured if item.result.protocol == "lake" and item.result.ways == 20]
    verified = [item for item in measured if item.result.protocol == "verification"]
    digits = [item for item in measured if item.source == "mnist" and (item.result.ways, item.result.shots) == (10, 1)]
    shown = {id(item) for item in (*(item for sweep in sweeps for item in sweep), *official, *verified, *digits)}
    others = [item for item in measured if id(item) not in shown]
    tables = [_sweep(items) for items in sweeps]
    tables += [_twenty_way(official)] if official else []
    tables += [_mnist(digits)] if digits else []
    tables += [_results(others)] if others else []
    tables += [_verification(verified)] if verified else []
    paired = [item for item in measured if item.paired]
    tables += [_paired(paired)] if paired else []
    return tables


def _interval(result: Result) -> str:
    return f"{100 * result.ci95[0]:.1f}-{100 * result.ci95[1]:.1f}"


def is_baseline(method: str) -> bool:
    """Tell baselines from models."""
    return method in BASELINES


def describe_training(trained_on: Mapping[str, Any]) -> str:
    """Return in a few words what a model was trained on."""
    if not trained_on:
        return "nothing"
    if "source" not in trained_on:
        return str(trained_on.get("pairs") or "?")
    source, split = trained_on["source"], trained_on["split"]
    kind = "background " if source == "omniglot" else ""
    said = f"{source}: {trained_on['train_alphabets']} {kind}alphabets x {trained_on['train_drawers']} drawers"
    if trained_on.get("validation_alphabets"):
        said += f", {trained_on['validation_alphabets']} x {trained_on['validation_drawers']} to validate"
    return f"{said} (split {split})"


def sweeps_of(measured: Sequence[Measured]) -> list[list[Measured]]:
    """Group results by data, seed, protocol, shots and trials, and keep the groups with several numbers of ways."""
    groups: dict[tuple[Any, ...], list[Measured]] = {}
    for item in measured:
        if item.result.ways is not None:
            groups.setdefault(_sweep_of(item), []).append(item)
    return [items for items in groups.values() if len({item.result.ways for item in items}) > 2]


def _sweep_of(item: Measured) -> tuple[Any, ...]:
    return item.data, item.seed, item.result.protocol, item.result.shots, item.result.trials


def _sweep(items: Sequence[Measured]) -> Table:
    first = items[0]
    series: dict[tuple[bool, str, str], dict[int, Result]] = {}
    for item in items:
        result = item.result
        if is_baseline(result.model) and result.on != "test" and any(other.result.on == "test" for other in items):
            continue  # The comparison everyone draws has the baselines on test images only.
        series.setdefault((is_baseline(result.model), result.model, result.on), {})[result.ways or 0] = result
    keys = sorted(series, key=lambda key: (key[0], key[1], key[2] == "test"))
    ways = sorted({way for values in series.values() for way in values})
    rows = [
        (str(way), *[percent(series[key][way].accuracy) if way in series[key] else "" for key in keys]) for way in ways
    ]
    counts = {result.trials for values in series.values() for result in values.values()}
    widths = [max((r.ci95[1] - r.ci95[0]) / 2 for r in series[key].values()) for key in keys]
    shown = " or ".join(f"{count:,}" for count in sorted(counts))
    return Table(
        title=f"N-way one-shot accuracy on {first.source}, protocol {first.result.protocol}, "
        f"{first.result.shots} shot{'s' if first.result.shots != 1 else ''}",
        columns=("ways", *[series_name(method, on) for _, method, on in keys]),
        rows=tuple(rows),
        notes=(
            f"{shown} trials on {first.data}, seed {first.seed}, {first.device}; 95 % intervals are at most "
            f"± {100 * max(widths):.1f} points wide.",
            *_training_notes(items),
        ),
        about="sweep",
        shares=tuple(tuple(series[key][way].accuracy if way in series[key] else None for key in keys) for way in ways),
    )


def series_name(method: str, on: str) -> str:
    """Return what a curve or a column of a sweep is called."""
    return method if is_baseline(method) else f"{method.removeprefix('models/')} on {on}"


def _training_notes(items: Sequence[Measured]) -> list[str]:
    notes = {}
    for item in items:
        if not is_baseline(item.result.model):
            notes[item.result.model] = f"{item.result.model} was trained on {describe_training(item.trained_on)}."
    return list(notes.values())


def _twenty_way(official: Sequence[Measured]) -> Table:
    note = (
        "Protocol lake: the 20 official runs, 400 trials within alphabets, which resolve 0.25 points; "
        "intervals resample runs."
    )
    title = "20-way one-shot accuracy on Lake's runs, ours beside published figures"
    return _beside(title, official, TWENTY_WAY, note, about="20-way")


def _mnist(digits: Sequence[Measured]) -> Table:
    note = (
        "All digits are one alphabet, by drawers nobody knows, so that the protocols within and between draw alike. "
        "The networks have seen no digit."
    )
    title = "10-way one-shot accuracy on MNIST, ours beside Koch's table 3"
    return _beside(title, digits, MNIST, note, about="mnist")


def _beside(title: str, ours: Sequence[Measured], published: Sequence[Published], note: str, *, about: str) -> Table:
    """Return our figures among the published ones, the best first."""
    lines: list[tuple[float, bool, tuple[str, ...]]] = []
    for item in ours:
        result = item.result
        cells = (result.model, percent(result.accuracy), result.protocol, _interval(result), f"{result.trials:,}")
        origin = f"{item.evaluation}, seed {item.seed}, {item.device}"
        is_network = not is_baseline(result.model)
        lines.append((result.accuracy, is_network, (*cells, describe_training(item.trained_on), origin)))
    for other in published:
        figure = (other.method, percent(other.accuracy), other.protocol, "", "")
        lines.append((other.accuracy, False, (*figure, other.trained_on, other.source)))
    lines.sort(key=lambda line: -line[0])
    return Table(
        title=title,
        columns=("method", "accuracy", "protocol", "95 % interval", "trials", "trained on", "source"),
        rows=tuple(cells for _, _, cells in lines),
        notes=(note,),
        emphasised=frozenset(i for i, line in enumerate(lines) if line[1]),
        about=about,
    )


def summary_tables(measured: Sequence[Measured]) -> list[Table]:
    """Return the results of one evaluation by themselves: a sweep where there are many ways, else one row each."""
    return [_sweep(rows) for rows in sweeps_of(measured)] or [_results(measured)]


def _results(measured: Sequence[Measured]) -> Table:
    rows: list[tuple[str, ...]] = []
    emphasised = set()
    for item in measured:
        result = item.result
        if not is_baseline(result.model):
            emphasised.add(len(rows))
        cells = (result.model, _task(result), percent(result.accuracy), result.protocol, result.on, item.source)
        rows.append((*cells, _interval(result), f"{result.correct:,}", f"{result.trials:,}"))
    columns = ("method", "task", "accuracy", "protocol", "on", "images", "95 % interval", "correct", "trials")
    return Table(title="Accuracy", columns=columns, rows=tuple(rows), emphasised=frozenset(emphasised))


def _task(result: Result) -> str:
    return f"{result.ways}-way {result.shots}-shot" if result.ways else "same or different"


def _paired(measured: Sequence[Measured]) -> Table:
    rows = []
    for item in measured:
        if item.paired:
            result, (low, high) = item.result, item.paired.ci95
            points = (f"{100 * item.paired.difference:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}")
            cells = (result.model, item.paired.against, *points, _task(result), result.protocol, result.on)
            rows.append((*cells, item.source, f"{result.trials:,}"))
    return Table(
        title="Paired differences: two networks on the same trials",
        columns=("method", "against", "points", "95 % interval", "task", "protocol", "on", "images", "trials"),
        rows=tuple(rows),
        notes=("An interval that holds 0 is no difference that these trials can show.",),
    )


def _verification(measured: Sequence[Measured]) -> Table:
    ours = [item for item in measured if item.result.ways is None]
    rows: list[tuple[str, ...]] = []
    emphasised = set()
    published = VERIFICATION if any(item.source == "omniglot" for item in ours) else {}
    for (pairs, variants), accuracy in published.items():
        named = ("Koch et al. 2015, table 1", f"{pairs:,}", f"x {variants}" if variants else "none")
        rows.append((*named, percent(accuracy), "", "", "10,000", "test", "40 alphabets (split koch)"))
    for item in ours:
        result, said = item.result, item.trained_on
        emphasised.add(len(rows))
        rows.append(
            (
                result.model,
                f"{said['train_pairs']:,}"
                if "train_pairs" in said and said.get("objective") == "pairs"
                else "on the fly",
                f"x {said['affine']}" if said.get("affine") and said.get("objective") == "pairs" else "none",
                percent(result.accuracy),
                _interval(result),
                f"{100 * (result.equal_error_rate or 0):.1f} %",
                f"{result.trials:,}",
                result.on,
                describe_training(said),
            )
        )
    return Table(
        title="Verification accuracy (same or different)" + (", ours beside Koch's table 1" if published else ""),
        columns=("method", "pairs", "affine", "accuracy", "95 % interval", "EER", "test pairs", "on", "trained on"),
        rows=tuple(rows),
        notes=("The threshold is chosen on validation pairs.",),
        emphasised=frozenset(emphasised),
        about="verification",
    )
