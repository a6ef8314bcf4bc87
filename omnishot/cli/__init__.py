"""The command line: thin commands over the stages, and the one place where errors become exit codes."""

import signal
import sys
from typing import Annotated, NoReturn

import typer

from omnishot.cli.evaluate import eval_command
from omnishot.cli.prepare import prepare_command
from omnishot.cli.report import report_command
from omnishot.cli.run import run_command
from omnishot.cli.settings import presets_command
from omnishot.cli.store import ls_command, show_command
from omnishot.cli.train import train_command
from omnishot.cli.upkeep import check_command, diff_command, gc_command
from omnishot.errors import OmnishotError

EXIT_CODES = (
    "Exit codes: 0 done, 1 a bug, 2 usage or settings, 3 quality gate failed, 4 input missing or damaged, "
    "5 store busy, 6 environment (device, disk, network, package), 130 Ctrl-C, 141 closed pipe, 143 SIGTERM."
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"omnishot {version('omnishot')}")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """One-shot image recognition with a Siamese network: prepare, train, eval, report."""


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, epilog=EXIT_CODES)
app.callback()(_root)
app.command("prepare")(prepare_command)
app.command("train")(train_command)
app.command("eval")(eval_command)
app.command("report")(report_command)
app.command("run")(run_command)
app.command("ls")(ls_command)
app.command("show")(show_command)
app.command("check")(check_command)
app.command("diff")(diff_command)
app.command("gc")(gc_command)
app.command("presets")(presets_command)


def main() -> NoReturn:
    """Run the command line and exit with the code that the outcome has."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # A reader that has enough ends the program, as it does cat.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app(prog_name="omnishot")
    except OmnishotError as error:
        print(f"omnishot: {error}", *([error.hint] if error.hint else []), sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    sys.exit(0)
