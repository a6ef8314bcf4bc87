"""omnishot figure: one picture into a file of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omnishot.cli.command import Command
from omnishot.cli.completion import alphabets
from omnishot.cli.options import PairsArgument, check_folder_of, reference_argument, write_out
from omnishot.cli.session import Session, with_session
from omnishot.errors import UsageError
from omnishot.wording import listed

if TYPE_CHECKING:
    from omnishot.drawing.picture import Picture
    from omnishot.store.artifact import Artifact

OutOption = Annotated[
    Path, typer.Option(help="File to write: .svg, .pdf or .png, as its name ends. One that is there is replaced.")
]
ModelArgument = Annotated[str | None, reference_argument("Model. Default: the newest.", "models")]

_SHOWN_LETTERS = 10

figure_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Draw what a network does, for papers and slides: `omnishot figure trials --out trials.svg`.",
)


@figure_app.command("trials", cls=Command)
@with_session()
def trials_command(
    session: Session,
    out: OutOption,
    reference: Annotated[
        str | None,
        reference_argument(
            "An evaluation, or a model for its newest one-shot evaluation, on test images if there is one. "
            "Default: the newest.",
            "evals",
            "models",
            metavar="EVAL|MODEL",
        ),
    ] = None,
    show: Annotated[
        Literal["trial", "mistakes", "successes"],
        typer.Option(help="One trial, the 8 worst mistakes, or the 8 narrowest successes."),
    ] = "trial",
    ways: Annotated[int | None, typer.Option(help="Classes to choose from. Default: all that were measured.")] = None,
    trial: Annotated[
        int | None, typer.Option(metavar="N", help="Which trial, from 0. Default: the one of median margin.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Model or baseline of the evaluation. Default: its first model.")
    ] = None,
) -> None:
    """Draw a one-shot trial with its scores, or the most telling ones. Creates: the file; prints its path.

    Examples:
      omnishot figure trials --out trials.svg
      omnishot figure trials quick-lake --show mistakes --out mistakes.png
    """
    if trial is not None and show != "trial":
        raise UsageError(f"--trial {trial} and --show {show} both say what to draw", hint="Give one of them.")
    with _drawing(session, out):
        from omnishot.reporting.pictures.trials import find_evaluation, grid_of, measured_trials, ranking_of

        evaluation = find_evaluation(session.store, reference)
        measured = measured_trials(session.store, evaluation, method)
        if show == "trial":
            picture = grid_of(measured, n_way=ways, number=trial)
        elif ranking := ranking_of(measured, show, n_way=ways):
            picture = ranking
        else:
            raise UsageError(f"There are no {show} of {measured.method} in {evaluation.reference}")
    _write(session, out, picture, [evaluation])


@figure_app.command("filters", cls=Command)
@with_session()
def filters_command(
    session: Session,
    out: OutOption,
    models: Annotated[list[str] | None, reference_argument("One model or two. Default: the newest.", "models")] = None,
) -> None:
    """Draw all first-layer filters, of two models side by side. Creates: the file; prints its path.

    Examples:
      omnishot figure filters quick koch --out filters.pdf
    """
    with _drawing(session, out):
        from omnishot.reporting.pictures.network import filters_of  # Deferred: torch takes seconds.

        found = session.find_all(models, "models") or [session.store.newest("models")]
        picture = filters_of(found)
    _write(session, out, picture, found)


@figure_app.command("activations", cls=Command)
@with_session()
def activations_command(
    session: Session,
    out: OutOption,
    model: ModelArgument = None,
    image: Annotated[
        int | None, typer.Option(metavar="N", help="Image of the pair dataset, from 0. Default: its first test image.")
    ] = None,
) -> None:
    """Draw what every convolution responds to in one image. Creates: the file; prints its path.

    Examples:
      omnishot figure activations quick --out activations.svg
    """
    with _drawing(session, out):
        from omnishot.reporting.pictures.network import activations_of

        found = session.find(model, "models") or session.store.newest("models")
        picture = activations_of(session.store, found, image)
    _write(session, out, picture, [found])


@figure_app.command("pairs", cls=Command)
@with_session()
def pairs_command(
    session: Session,
    out: OutOption,
    pairs: PairsArgument = None,
    pair: Annotated[
        int | None, typer.Option(metavar="N", help="Training pair, from 0. Default: the first of a single character.")
    ] = None,
) -> None:
    """Draw one training pair and its affine variants. Creates: the file; prints its path.

    Examples:
      omnishot figure pairs --out pairs.svg
    """
    with _drawing(session, out):
        from omnishot.reporting.pictures.variants import variants_of

        found = session.find(pairs, "pairs") or session.store.newest("pairs")
        picture = variants_of(found, pair)
    _write(session, out, picture, [found])


@figure_app.command("curves", cls=Command)
@with_session()
def curves_command(
    session: Session,
    out: OutOption,
    models: Annotated[
        list[str] | None, reference_argument("One model or several. Default: the newest.", "models")
    ] = None,
) -> None:
    """Draw loss, validation accuracy and learning rate by epoch. Creates: the file; prints its path.

    Examples:
      omnishot figure curves quick --out curves.svg
    """
    with _drawing(session, out):
        from omnishot.reporting.pictures.training import curves_of

        found = session.find_all(models, "models") or [session.store.newest("models")]
        picture = curves_of(found)
    _write(session, out, picture, found)


@figure_app.command("embedding", cls=Command)
@with_session()
def embedding_command(
    session: Session,
    out: OutOption,
    model: ModelArgument = None,
    alphabet: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Default: the first one of the test images.", autocompletion=alphabets),
    ] = None,
) -> None:
    """Draw where the network puts the images of one alphabet. Creates: the file; prints its path.

    Examples:
      omnishot figure embedding quick --out embedding.svg
    """
    with _drawing(session, out):
        from omnishot.reporting.pictures.network import embedding_of

        found = session.find(model, "models") or session.store.newest("models")
        picture = embedding_of(session.store, found, alphabet)
    _write(session, out, picture, [found])


@contextlib.contextmanager
def _drawing(session: Session, out: Path) -> Iterator[None]:
    """Show that the block draws a picture, after checking that its file can be written."""
    from omnishot.drawing.picture import check_suffix  # Deferred: matplotlib takes tenths of a second.
    from omnishot.progress import Progress

    check_suffix(out)
    check_folder_of(out)
    with session.console.progress() as on_progress:
        on_progress(Progress("Drawing", 0, 0))
        yield


def _write(session: Session, out: Path, picture: "Picture", artifacts: "list[Artifact]") -> None:
    """Write a picture; its title and what it says in words go to stderr."""
    write_out(out, picture.as_file(out))
    console = session.console
    console.note(picture.title)
    if out.suffix.lower() != ".svg" and (lacking := picture.letters_lacking()):
        shown = listed(lacking, shown=_SHOWN_LETTERS)
        console.note(
            f"The font of pictures lacks {shown}: boxes stand for them. Install one that has them, such as a Noto font "
            "of this script, or use .svg, which leaves them to the viewer's font"
        )
    console.detail(picture.alt)
    names = [str(artifact.reference) for artifact in artifacts]
    values = {"path": str(out), "title": picture.title, "alt": picture.alt, "artifacts": names}
    console.result(values, f"{out}\n")
