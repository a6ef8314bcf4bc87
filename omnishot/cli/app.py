"""Every command under its name."""

from typing import Annotated

import typer

from omnishot.cli.doctor import doctor_command
from omnishot.cli.embed import embed_command
from omnishot.cli.evaluate import eval_command
from omnishot.cli.export import export_command
from omnishot.cli.figure import figure_app
from omnishot.cli.prepare import prepare_command
from omnishot.cli.report import report_command
from omnishot.cli.run import run_command
from omnishot.cli.settings import presets_command
from omnishot.cli.store import ls_command, show_command
from omnishot.cli.train import train_command
from omnishot.cli.tune import tune_command
from omnishot.cli.upkeep import check_command, diff_command, gc_command

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


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, epilog=EXIT_CODES)
app.callback()(_root)
app.command("prepare")(prepare_command)
app.command("train")(train_command)
app.command("eval")(eval_command)
app.command("report")(report_command)
app.command("run")(run_command)
app.add_typer(figure_app, name="figure")
app.command("embed")(embed_command)
app.command("export")(export_command)
app.command("tune")(tune_command)
app.command("ls")(ls_command)
app.command("show")(show_command)
app.command("check")(check_command)
app.command("diff")(diff_command)
app.command("gc")(gc_command)
app.command("presets")(presets_command)
app.command("doctor")(doctor_command)
