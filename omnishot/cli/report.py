"""omnishot report."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import check_folder_of, reference_argument, write_out
from omnishot.cli.session import Session, with_session
from omnishot.errors import DamagedFileError, UsageError
from omnishot.wording import counted, visible

if TYPE_CHECKING:
    from omnishot.reporting.gates import Gate
    from omnishot.reporting.page.page import Page
    from omnishot.reporting.results import Measured
    from omnishot.store.artifact import Artifact
    from omnishot.store.store import Store

_FORMATS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "markdown",
    ".tsv": "tsv",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
}
Format = Literal["auto", "rich", "markdown", "tsv", "json", "html"]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        help="auto is rich, or for a file what its name ends in. tsv and json hold every result unrounded; html is one "
        "page with charts, lineage and commands, which needs no network.",
    ),
]
GateOption = Annotated[
    list[str] | None, typer.Option(metavar="[PROTOCOL:]20-way=0.90", help="Exit with 3 if a network is less accurate.")
]


@with_session()
def report_command(
    session: Session,
    evaluations: Annotated[
        list[str] | None, reference_argument("Evaluations. Default: all of the newest one's models.", "evals")
    ] = None,
    output_format: FormatOption = "auto",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of stdout.")] = None,
    fail_under: GateOption = None,
) -> None:
    """Print accuracy tables, beside published figures; or write a page. Creates: the file of --out, if there is one.

    Examples:
      omnishot report --format markdown --out report.md
      omnishot report --out report.html
      omnishot report quick-lake --fail-under 20-way=0.90
    """
    from omnishot.reporting.gates import parse_gate
    from omnishot.reporting.results import choose_evaluations

    gates = [parse_gate(gate) for gate in fail_under or []]
    chosen = choose_evaluations(session.store, evaluations or [])
    session.console.detail("Reporting " + ", ".join(str(artifact.reference) for artifact in chosen))
    print_report(session, chosen, output_format, gates, out)


def print_report(
    session: Session, evaluations: "list[Artifact]", output_format: Format, gates: "list[Gate]", out: Path | None = None
) -> None:
    """Print evaluations to stdout or into a file, and what the quality gates say of them.

    Raises:
        QualityGateError: A network is less accurate than a gate demands.
        DamagedFileError: A page was written, but lacks what is damaged in the store.
    """
    from omnishot.reporting.gates import check_gate
    from omnishot.reporting.results import measured_in
    from omnishot.reporting.tables import tables_of

    console = session.console
    chosen_format = "json" if console.as_json else _chosen_format(output_format, out)
    if out is not None:
        check_folder_of(out)
    measured, page = measured_in(evaluations), None
    if chosen_format == "rich" and out is None:
        console.tables(tables_of(measured).in_order)
    elif chosen_format == "html":
        page = page_of(console, session.store, evaluations)
        _write(console, page.html, out)
    else:
        _write(console, _text(measured, chosen_format), out)
    for gate in gates:
        console.note(check_gate(measured, gate))
    if page:
        _refuse_lost_pictures(page)


def _chosen_format(output_format: Format, out: Path | None) -> str:
    if output_format != "auto" or out is None:
        return "rich" if output_format == "auto" else output_format
    if (suffix := out.suffix.lower()) not in _FORMATS:
        hint = "Use --format, or one of those endings."
        raise UsageError(f"--out {out}: the name ends in none of {', '.join(_FORMATS)}", hint=hint)
    return _FORMATS[suffix]


def _text(measured: "list[Measured]", chosen_format: str) -> str:
    from omnishot.reporting.formats import as_json, as_markdown, as_tsv
    from omnishot.reporting.tables import tables_of

    if chosen_format == "json":
        return as_json(measured)
    return as_tsv(measured) if chosen_format == "tsv" else as_markdown(tables_of(measured).in_order)


def _write(console: Console, text: str, out: Path | None) -> None:
    if out is None:
        console.text(text)
        return
    write_out(out, text.encode())
    console.note(f"Wrote {out}")


def _refuse_lost_pictures(page: "Page") -> None:
    """End with the exit code of damage where a page, which is written by now, lacks pictures for it."""
    if page.damaged:
        what = "it is drawn from is" if len(page.damaged) == 1 else "they are drawn from is"
        raise DamagedFileError(
            f"The page lacks {counted(len(page.damaged), 'picture')}, as what {what} damaged",
            hint="\n".join(page.damaged),
        )


def page_of(console: Console, store: "Store", evaluations: "list[Artifact]") -> "Page":
    """Return the page over some evaluations, in which names cannot turn the direction of reading."""
    from omnishot.reporting.page.page import make_page  # Deferred: torch and matplotlib take seconds.

    with console.progress() as on_progress:
        page = make_page(store, evaluations, on_progress)
    return replace(page, html=visible(page.html))
