"""Results as tables, a function each; `tables_of` builds every one that they can fill, once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omnishot.formats.evaluation import Result
from omnishot.reporting.published import MNIST, TWENTY_WAY, VERIFICATION, Published
from omnishot.reporting.results import Measured, describe_training, is_baseline, losses_in, trials_of
from omnishot.reporting.sweeps import curves_of, sweeps_of
from omnishot.wording import counted, interval, p_value, percent

_NUMBER = re.compile(r"[+-]?[0-9][0-9,.]*((-| to )[+-]?[0-9.]+)?( (%|s|MB))?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print.

    Attributes:
        title: What it shows, with the protocol.
        columns: Headings.
        rows: Cells as text, one for each column.
        notes: What has to be said below it.
        emphasised: Numbers of the rows that hold our own networks.
        shares: For each row the accuracies, in [0, 1], of the columns after the first, where those are curves.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    emphasised: frozenset[int] = frozenset()
    shares: tuple[tuple[float | None, ...], ...] = ()

    @property
    def numeric(self) -> frozenset[int]:
        """Numbers of the columns that hold nothing but numbers, which belong below each other digit by digit."""
        columns = enumerate(zip(*self.rows, strict=True))
        return frozenset(i for i, cells in columns if any(cells) and all(map(_NUMBER.fullmatch, filter(None, cells))))


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that some results fill; each result is in one of them, and paired differences in one more.

    Attributes:
        sweeps: Accuracy by ways, one table for each set of trials.
        twenty_way: 20-way on Lake's runs, beside published results.
        mnist: 10-way on MNIST, beside published results.
        others: Accuracies that belong in no other table.
        verification: Same or different, beside published results.
        paired: Differences between networks on the same trials.
    """

    sweeps: tuple[Table, ...]
    twenty_way: Table | None
    mnist: Table | None
    others: Table | None
    verification: Table | None
    paired: Table | None

    @property
    def in_order(self) -> tuple[Table, ...]:
        """The tables that there are, in the order they are read."""
        others = (self.twenty_way, self.mnist, self.others, self.verification, self.paired)
        return (*self.sweeps, *(table for table in others if table))


def tables_of(measured: Sequence[Measured]) -> Tables:
    """Return the tables that the results can fill."""
    sweeps = sweeps_of(measured)
    official = [item for item in measured if item.result.protocol == "lake" and item.result.ways == 20]
    verified = [item for item in measured if item.result.protocol == "verification"]
    digits = [item for item in measured if item.source == "mnist" and (item.result.ways, item.result.shots) == (10, 1)]
    shown = {id(item) for item in (*(item for sweep in sweeps for item in sweep), *official, *verified, *digits)}
    others = [item for item in measured if id(item) not in shown]
    return Tables(
        sweeps=tuple(sweep_table(items) for items in sweeps),
        twenty_way=twenty_way_table(official) if official else None,
        mnist=mnist_table(digits) if digits else None,
        others=accuracy_table(others) if others else None,
        verification=verification_table(verified) if verified else None,
        paired=paired_table(measured),
    )


def summary_tables(measured: Sequence[Measured]) -> list[Table]:
    """Return the results of one evaluation by themselves: a sweep where there are many ways, else one row each."""
    return [sweep_table(items) for items in sweeps_of(measured)] or [accuracy_table(measured)]


def sweep_table(sweep: Sequence[Measured]) -> Table:
    """Return accuracy by ways, a column for each method and part of the split."""
    first, curves = sweep[0], curves_of(sweep)
    columns = [dict(zip(curve.ways, curve.accuracy, strict=True)) for curve in curves]
    ways = sorted({way for column in columns for way in column})
    shares = tuple(tuple(column.get(way) for column in columns) for way in ways)
    widest = max((high - low) / 2 for curve in curves for low, high in curve.ci95)
    return Table(
        title=f"N-way one-shot accuracy on {first.source}, protocol {first.result.protocol}, "
        f"{counted(first.result.shots or 0, 'shot')}",
        columns=("ways", *(curve.name for curve in curves)),
        rows=tuple(
            (str(way), *("" if share is None else percent(share) for share in row))
            for way, row in zip(ways, shares, strict=True)
        ),
        notes=(
            f"{trials_of(first.result)} trials on {first.data}, seed {first.seed}, {first.device}; 95 % intervals are "
            f"at most ± {100 * widest:.1f} points.",
            *_training_notes(sweep),
            *losses_in(sweep),
        ),
        shares=shares,
    )


def _training_notes(items: Sequence[Measured]) -> list[str]:
    trained_on = {item.result.model: item.trained_on for item in items if not is_baseline(item.result.model)}
    return [f"{model} was trained on {describe_training(said)}." for model, said in trained_on.items()]


def twenty_way_table(official: Sequence[Measured]) -> Table:
    """Return results on Lake's runs among the published ones."""
    note = (
        "Protocol lake: the 20 official runs, 400 trials within alphabets, which resolve 0.25 points; "
        "intervals allow for what the queries of a run share."
    )
    title = "20-way one-shot accuracy on Lake's runs, ours beside published figures"
    return _beside(title, official, TWENTY_WAY, note)


def mnist_table(digits: Sequence[Measured]) -> Table:
    """Return results on MNIST among the published ones."""
    note = (
        "All digits are one alphabet, by drawers nobody knows, so that the protocols within and between draw alike. "
        "The networks have seen no digit."
    )
    title = "10-way one-shot accuracy on MNIST, ours beside Koch's table 3"
    return _beside(title, digits, MNIST, note)


def _beside(title: str, ours: Sequence[Measured], published: Sequence[Published], note: str) -> Table:
    """Return our results among the published ones, the best first."""
    lines: list[tuple[float, bool, tuple[str, ...]]] = []
    for item in ours:
        result = item.result
        cells: tuple[str, ...] = (
            result.model,
            percent(result.accuracy),
            result.protocol,
            interval(result.ci95),
            trials_of(result),
        )
        origin = f"{item.evaluation}, seed {item.seed}, {item.device}"
        is_network = not is_baseline(result.model)
        lines.append((result.accuracy, is_network, (*cells, describe_training(item.trained_on), origin)))
    for other in published:
        cells = (other.method, percent(other.accuracy), other.protocol, "", "")
        lines.append((other.accuracy, False, (*cells, other.trained_on, other.source)))
    lines.sort(key=lambda line: -line[0])
    return Table(
        title=title,
        columns=("method", "accuracy", "protocol", "95 % interval", "trials", "trained on", "source"),
        rows=tuple(cells for _, _, cells in lines),
        notes=(note, *losses_in(ours)),
        emphasised=frozenset(i for i, line in enumerate(lines) if line[1]),
    )


def accuracy_table(measured: Sequence[Measured]) -> Table:
    """Return results, one a row."""
    rows = []
    for item in measured:
        result = item.result
        cells = (result.model, task_of(result), percent(result.accuracy), result.protocol, result.on, item.source)
        rows.append((*cells, interval(result.ci95), f"{result.correct:,}", trials_of(result)))
    columns = ("method", "task", "accuracy", "protocol", "on", "images", "95 % interval", "correct", "trials")
    networks = frozenset(i for i, item in enumerate(measured) if not is_baseline(item.result.model))
    return Table(title="Accuracy", columns=columns, rows=tuple(rows), notes=losses_in(measured), emphasised=networks)


def task_of(result: Result) -> str:
    """Return what was asked of a method, in a few words."""
    return f"{result.ways}-way {result.shots}-shot" if result.ways else "same or different"


def paired_table(measured: Sequence[Measured]) -> Table | None:
    """Return the differences between networks on the same trials, or None where nothing was compared."""
    rows = []
    for item in measured:
        if item.paired:
            result, (low, high) = item.result, item.paired.ci95
            points = (f"{100 * item.paired.difference:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}")
            tested = "" if item.paired.mcnemar_p is None else p_value(item.paired.mcnemar_p)
            cells = (result.model, item.paired.against, *points, tested, task_of(result), result.protocol, result.on)
            rows.append((*cells, item.source, trials_of(result)))
    if not rows:
        return None
    where = ("task", "protocol", "on", "images", "trials")
    return Table(
        title="Paired differences: two networks on the same trials",
        columns=("method", "against", "points", "95 % interval", "McNemar", *where),
        rows=tuple(rows),
        notes=("An interval that holds 0 is no difference that these trials can show.",),
    )


def verification_table(ours: Sequence[Measured]) -> Table:
    """Return results at verification below the published ones."""
    rows: list[tuple[str, ...]] = []
    published = VERIFICATION if any(item.source == "omniglot" for item in ours) else {}
    for (pairs, variants), accuracy in published.items():
        named = ("Koch et al. 2015, table 1", f"{pairs:,}", f"x {variants}" if variants else "none")
        rows.append((*named, percent(accuracy), "", "", "10,000", "test", "40 alphabets (split koch)"))
    for item in ours:
        result, training = item.result, item.trained_on
        from_dataset = training if training and training.objective == "pairs" and training.describes_pairs else None
        n_pairs = f"{from_dataset.train_pairs:,}" if from_dataset else "on the fly"
        affine = "on the fly" if from_dataset is None else f"x {from_dataset.affine}" if from_dataset.affine else "none"
        results = (percent(result.accuracy), interval(result.ci95), percent(result.equal_error_rate or 0))
        where = (trials_of(result), result.on, describe_training(training))
        rows.append((result.model, n_pairs, affine, *results, *where))
    return Table(
        title="Verification accuracy (same or different)" + (", ours beside Koch's table 1" if published else ""),
        columns=("method", "pairs", "affine", "accuracy", "95 % interval", "EER", "test pairs", "on", "trained on"),
        rows=tuple(rows),
        notes=("The threshold is chosen on validation pairs.",),
        emphasised=frozenset(range(len(published), len(rows))),
    )
