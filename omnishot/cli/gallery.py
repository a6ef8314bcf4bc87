"""omnishot gallery ls, show and remove, and omnishot calibrate."""

from pathlib import Path
from typing import Annotated

import typer

from omnishot.cli.command import Command
from omnishot.cli.enroll import GalleryArgument, print_change
from omnishot.cli.options import DeviceOption, SkipBadOption, parse_share
from omnishot.cli.session import Session, with_session
from omnishot.wording import visible

gallery_app = typer.Typer(no_args_is_help=True, help="Look at galleries, and remove classes from them.")


@gallery_app.command("ls", cls=Command)
@with_session()
def ls_command(session: Session) -> None:
    """List the galleries by their newest versions. Creates: nothing.

    Examples:
      omnishot gallery ls
    """
    from omnishot.formats.manifest_fields import GalleryFacts  # Deferred: pydantic takes tenths of a second.
    from omnishot.reporting.tables import Table

    newest = {artifact.manifest.name: artifact for artifact in session.store.artifacts("galleries")}
    facts = {str(artifact.reference): GalleryFacts.of(artifact.manifest).summary for artifact in newest.values()}
    if session.console.as_json:
        session.console.result([{"artifact": name, **found.model_dump()} for name, found in facts.items()], "")
    elif not facts:
        session.console.note(f"There are no galleries in {session.folder}; `omnishot enroll NAME FOLDER` makes one")
    else:
        rows = tuple(
            (name, f"{found.classes:,}", f"{found.examples:,}", found.model, found.threshold_in_words)
            for name, found in facts.items()
        )
        columns = ("gallery", "classes", "examples", "model", "threshold")
        session.console.tables([Table(f"Galleries in {session.folder}", columns, rows)])


@gallery_app.command("show", cls=Command)
@with_session()
def show_command(session: Session, gallery: GalleryArgument) -> None:
    """Print a gallery's classes, each with its images, and what to expect of its threshold. Creates: nothing.

    Examples:
      omnishot gallery show staff
    """
    from omnishot.formats.gallery import read_gallery  # Deferred: h5py takes tenths of a second.
    from omnishot.recognition.thresholds import threshold_notes

    artifact = session.store.find(gallery, "galleries")
    found = read_gallery(artifact)
    files: dict[str, list[str]] = {name: [] for name in found.classes}
    for number, file in zip(found.of_class.tolist(), found.files, strict=True):
        files[found.classes[number]].append(file)
    settings = found.settings.model_dump(mode="json")
    values = {"artifact": str(artifact.reference), **settings, "classes": files}
    lines = [f"{name}: {', '.join(images)}" for name, images in files.items()]
    session.console.result(values, "".join(f"{visible(line, one_line=True)}\n" for line in lines))
    for note in (f"Model: {found.settings.model.reference}", *threshold_notes(found, artifact.manifest.name)):
        session.console.note(note)


@gallery_app.command("remove", cls=Command)
@with_session(waits=True)
def remove_command(
    session: Session,
    gallery: GalleryArgument,
    classes: Annotated[list[str], typer.Argument(help="Classes to remove.", show_default=False)],
) -> None:
    """Make a version of a gallery without some classes. Creates: a galleries artifact; prints its reference.

    Earlier versions stay until `omnishot gc --purge GALLERY`.

    Examples:
      omnishot gallery remove staff e11
    """
    from omnishot.recognition.enrollment import remove  # Deferred: torch takes seconds.

    print_change(session.console, remove(session.store, gallery, classes))


@with_session(waits=True)
def calibrate_command(
    session: Session,
    gallery: GalleryArgument,
    source: Annotated[
        Path, typer.Option(help="A folder or zip archive with a folder of images for each of other classes.")
    ],
    accept_strangers: Annotated[
        str, typer.Option(metavar="SHARE", help="Strangers that may be given a name: 1%, or 0.01.")
    ] = "1%",
    skip_bad: SkipBadOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Choose a gallery's threshold on images of others, and say what to expect. Creates: a galleries artifact.

    The others are no class of the gallery. Classes of two images or more also show how many known ones are turned away.

    Examples:
      omnishot calibrate staff --source others/ --accept-strangers 1%
    """
    share = parse_share(accept_strangers, option="--accept-strangers")
    from omnishot.recognition.gallery_calibration import calibrate_gallery  # Deferred: torch takes seconds.

    with session.console.progress() as on_progress:
        made = calibrate_gallery(
            session.store, gallery, source, accept_strangers=share, skip_bad=skip_bad, device=device,
            on_progress=on_progress,
        )  # fmt: skip
    print_change(session.console, made)
