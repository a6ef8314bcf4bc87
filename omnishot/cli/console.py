"""What a user sees: results on stdout, everything else on stderr."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from omnishot.cli.streams import is_screen, say, width_of
from omnishot.progress import OnProgress, Progress, silent
from omnishot.wording import visible

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID
    from rich.table import Table as RichTable

    from omnishot.cli.layout import Layout
    from omnishot.drawing.blocks import Ink
    from omnishot.reporting.tables import Table
    from omnishot.stages.produce import StageResult

_SECONDS_BETWEEN_LINES = 5
_UNLIMITED = 10_000
_HEIGHT = 25


class Console:
    """Prints one command's output."""

    def __init__(self, *, as_json: bool, quiet: bool, verbose: bool, no_progress: bool) -> None:
        """Take the options that every command has."""
        self.as_json = as_json
        self._quiet, self._verbose = quiet, verbose
        self._shows_progress = not (quiet or no_progress)

    def note(self, text: str) -> None:
        """Print a sentence to stderr, unless quiet."""
        if not self._quiet:
            say(text)

    def detail(self, text: str) -> None:
        """Print a text to stderr if verbose."""
        if self._verbose:
            say(text.rstrip())

    def text(self, text: str) -> None:
        """Print a text to stdout: as it is for programs, with control characters written out for a terminal."""
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()

    def result(self, values: object, text: str) -> None:
        """Print a command's result to stdout: the values as JSON where that was asked for, else the text."""
        self.text(json.dumps(values) + "\n" if self.as_json else text)

    def summary(self, made: "StageResult") -> None:
        """Print what a stage made to stderr."""
        import yaml  # Deferred, as pydantic, which takes tenths of a second.

        from omnishot.formats.manifest_fields import ModelFacts

        manifest, reference = made.artifact.manifest, str(made.artifact.reference)
        for note in made.notes:
            self.note(note)
        size = sum(file.size for file in manifest.files.values())
        what = "Reused" if made.reused else "Made"
        after = " (the same recipe; --force makes a new version)" if made.reused else f" in {made.seconds:.1f} s"
        device, precision = manifest.environment.get("device"), manifest.environment.get("precision")
        where = f", on {device} in {precision}" if device else ""
        self.note(f"{what} {reference}, {size / 1e6:.1f} MB{after}{where}")
        if manifest.kind == "models" and (facts := ModelFacts.of(manifest)).summary.cut_short:
            epochs = f"{facts.summary.epochs} of {facts.settings.epochs} epochs"
            limit = "a time limit" if (minutes := facts.settings.max_minutes) is None else f"max_minutes = {minutes:g}"
            self.note(f"Cut short by {limit} after {epochs}; --set max_minutes=N changes it")
        settings = yaml.safe_dump(manifest.settings, sort_keys=False)
        self.detail(f"{made.artifact.path}\nrecipe {manifest.recipe}\n{settings}")

    def made(self, made: "StageResult", /, **more: Any) -> None:
        """Print what a stage made: its reference to stdout, or a JSON object, and a summary to stderr."""
        self.summary(made)
        reference = str(made.artifact.reference)
        values = {"artifact": reference, "path": str(made.artifact.path), "reused": made.reused}
        self.result(values | {"seconds": round(made.seconds, 3), **more}, reference + "\n")

    def tables(self, tables: "Sequence[Table]", *, to_stderr: bool = False) -> None:
        """Print tables, as wide as they need to be where the stream is no terminal."""
        if to_stderr and self._quiet:
            return
        from rich.console import Console as RichConsole  # Deferred: it takes a tenth of a second.
        from rich.text import Text

        from omnishot.cli.layout import lay_out, legend
        from omnishot.drawing.blocks import ink_for

        stream = sys.stderr if to_stderr else sys.stdout
        wraps = stream.isatty()
        # The size is given, as rich takes FORCE_COLOR for a terminal and a dumb terminal for 80 columns wide.
        width = width_of(stream, otherwise=_UNLIMITED)
        console = RichConsole(stderr=to_stderr, highlight=False, width=width, height=_HEIGHT)
        ink = ink_for(stream.encoding)
        with console.capture() as captured:  # Written as a whole: a signal in between leaves no half of a result.
            for table in map(_visible, tables):
                layout = lay_out(table if wraps else replace(table, shares=()), console.width)
                console.print(Text(table.title, "bold"), soft_wrap=not wraps)
                console.print(_rich_table(table, layout, ink))
                if layout.scale:
                    console.print(Text(legend(table.columns[1:], ink)))
                if layout.left_out:
                    console.print(Text(f"A wider terminal, or a pipe, also shows: {', '.join(layout.left_out)}."))
                for note in table.notes:
                    console.print(Text(note), soft_wrap=not wraps)
                console.print()
        stream.write(captured.get())
        stream.flush()

    @contextlib.contextmanager
    def progress(self) -> Iterator[OnProgress]:
        """Show progress while the block runs: bars on a terminal, else a line every few seconds."""
        if not self._shows_progress:
            yield silent
        elif not is_screen(sys.stderr):
            yield _Lines()
        else:
            with _bars() as bars:
                yield _Bars(bars)


def _visible(table: "Table") -> "Table":
    def line(text: str) -> str:
        return visible(text, one_line=True)

    return replace(
        table,
        title=line(table.title),
        columns=tuple(map(line, table.columns)),
        rows=tuple(tuple(map(line, row)) for row in table.rows),
        notes=tuple(map(line, table.notes)),
    )


def _rich_table(table: "Table", layout: "Layout", ink: "Ink") -> "RichTable":
    from rich.table import Table as RichTable
    from rich.text import Text

    from omnishot.cli.layout import scale_heading
    from omnishot.drawing.blocks import on_scale

    shown, numeric = RichTable(), table.numeric
    for number, heading in zip(layout.columns, layout.headings, strict=True):
        side: Literal["left", "right"] = "right" if number in numeric else "left"
        shown.add_column(Text(heading), overflow="fold", justify=side, width=None if number else layout.first_width)
    if layout.scale:
        shown.add_column(Text(scale_heading(layout.scale)), no_wrap=True)
    for number, row in enumerate(table.rows):
        cells = [row[column] for column in layout.columns]
        if layout.scale:
            cells.append(on_scale(table.shares[number], layout.scale, ink))
        shown.add_row(*map(Text, cells), style="bold green" if number in table.emphasised else None)
    return shown


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


class _Lines:
    """Reports progress as plain lines, one every few seconds at most."""

    def __init__(self) -> None:
        self._started = self._printed = time.monotonic()
        self._task, self._done_before = "", 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.task != self._task:
            self._task, self._started, self._done_before = progress.task, now, progress.done
        if now - self._printed < _SECONDS_BETWEEN_LINES:
            return
        self._printed = now
        words = [progress.task]
        if progress.total:
            words.append(f"{progress.done / progress.total:4.0%}")
        words += [f"{name} {value}" for name, value in progress.figures.items()]
        if progress.total and progress.done > self._done_before and now > self._started:
            left = (now - self._started) * (progress.total - progress.done) / (progress.done - self._done_before)
            words.append(f"{_duration(left)} left")
        say("  ".join(words))


class _Bars:
    """Reports progress as one bar per task."""

    def __init__(self, bars: "Bars") -> None:
        self._bars, self._task = bars, ""
        self._shown: TaskID | None = None

    def __call__(self, progress: Progress) -> None:
        total = progress.total or None
        task = visible(progress.task, one_line=True)
        figures = "  ".join(f"{name} {value}" for name, value in progress.figures.items())
        if progress.task != self._task or self._shown is None:
            if self._shown is not None:
                self._bars.remove_task(self._shown)
            self._task, self._shown = progress.task, self._bars.add_task(task, total=total, figures="")
        self._bars.update(self._shown, completed=progress.done, total=total, figures=figures)


def _bars() -> "Bars":
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(),
    )
    return Bars(*columns, console=RichConsole(stderr=True), transient=True)
