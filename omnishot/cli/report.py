"""omnishot report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import (
    DEFAULT_STORE,
    JsonOption,
    NoProgressOption,
    QuietOption,
    StoreOption,
    VerboseOption,
    open_store,
)
from omnishot.errors import UnavailableError

if TYPE_CHECKING:
    from omnishot.reporting.tables import Measured

FormatOption = Annotated[
    Literal["auto", "rich", "markdown", "tsv", "json"],
    typer.Option("--format", help="auto is rich, or what --out ends in. tsv and json hold every result unrounded."),
]
GateOption = Annotated[
    list[str] | None,
    typer.Option("--fail-under", metavar="[PROTOCOL:]20-way=0.90", help="Exit with 3 if a network is less accurate."),
]


def report_command(
    evaluations: Annotated[
        list[str] | None,
        typer.Argument(help="Evaluations. Default: all of the newest one's models.", show_default=False),
    ] = None,
    output_format: FormatOption = "auto",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file instead of stdout.")] = None,
    fail_under: GateOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Print accuracy tables, beside published figures. Creates: nothing.

    Examples:
      omnishot report --format markdown --out report.md
      omnishot report quick-lake --fail-under 20-way=0.90
    """
    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    from omnishot.stages.report import check_gate, choose_evaluations, measured_in, parse_gate

    gates = [parse_gate(gate) for gate in fail_under or []]
    chosen = choose_evaluations(open_store(console, store), evaluations or [])
    console.detail("Reporting " + ", ".join(str(artifact.reference) for artifact in chosen))
    measured = measured_in(chosen)
    print_report(console, measured, "json" if as_json else output_format, out)
    for gate in gates:
        console.note(check_gate(measured, gate))


def print_report(console: Console, measured: "list[Measured]", output_format: str, out: Path | None = None) -> None:
    """Print results in one of the formats, to stdout or into a file."""
    from omnishot.reporting.formats import as_json, as_markdown, as_tsv
    from omnishot.reporting.tables import tables_of

    if output_format == "auto" and out is not None:
        output_format = {".tsv": "tsv", ".json": "json"}.get(out.suffix, "markdown")
    if output_format in {"auto", "rich"} and out is None:
        console.tables(tables_of(measured))
        return
    if output_format == "json":
        text = as_json(measured)
    else:
        text = as_tsv(measured) if output_format == "tsv" else as_markdown(tables_of(measured))
    if out is None:
        console.text(text)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UnavailableError(f"--out {out} cannot be written: {error}") from None
    console.note(f"Wrote {out}")
