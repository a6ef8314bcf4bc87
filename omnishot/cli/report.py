"""omnishot report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import check_folder_of, reference_argument
from omnishot.cli.session import Session, with_session
from omnishot.cli.streams import visible
from omnishot.errors import UnavailableError, UsageError

if TYPE_CHECKING:
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
    from omnishot.reporting.gates import check_gate, parse_gate
    from omnishot.reporting.results import choose_evaluations, measured_in

    gates = [parse_gate(gate) for gate in fail_under or []]
    console = session.console
    chosen = choose_evaluations(session.store, evaluations or [])
    console.detail("Reporting " + ", ".join(str(artifact.reference) for artifact in chosen))
    print_report(session, chosen, "json" if console.as_json else output_format, out)
    measured = measured_in(chosen)
    for gate in gates:
        console.note(check_gate(measured, gate))


def print_report(session: Session, evaluations: "list[Artifact]", output_format: str, out: Path | None = None) -> None:
    """Print evaluations in one of the formats, to stdout or into a file."""
    from omnishot.reporting.results import measured_in
    from omnishot.reporting.tables import tables_of

    if output_format == "auto" and out is not None:
        output_format = _FORMATS.get(out.suffix.lower(), "auto")
        if output_format == "auto":
            hint = "Use --format, or one of those endings."
            raise UsageError(f"--out {out}: the name ends in none of {', '.join(_FORMATS)}", hint=hint)
    if out is not None:
        check_folder_of(out)
    if output_format in {"auto", "rich"} and out is None:
        session.console.tables(tables_of(measured_in(evaluations)).in_order)
        return
    text = _text(session, evaluations, output_format)
    if out is None:
        session.console.text(text)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UnavailableError(f"--out {out} cannot be written: {error}") from None
    session.console.note(f"Wrote {out}")


def _text(session: Session, evaluations: "list[Artifact]", output_format: str) -> str:
    from omnishot.reporting.formats import as_json, as_markdown, as_tsv
    from omnishot.reporting.results import measured_in
    from omnishot.reporting.tables import tables_of

    if output_format == "html":
        return page_text(session.console, session.store, evaluations)
    measured = measured_in(evaluations)
    if output_format == "json":
        return as_json(measured)
    return as_tsv(measured) if output_format == "tsv" else as_markdown(tables_of(measured).in_order)


def page_text(console: Console, store: "Store", evaluations: "list[Artifact]") -> str:
    """Return the page over some evaluations, in which names cannot turn the direction of reading."""
    from omnishot.reporting.page.page import make_page  # Deferred: torch and matplotlib take seconds.

    with console.progress() as on_progress:
        return visible(make_page(store, evaluations, on_progress))
