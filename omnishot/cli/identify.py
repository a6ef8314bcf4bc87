"""omnishot identify."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from omnishot.cli.answers import AnswerPrinter
from omnishot.cli.enroll import GalleryArgument, GalleryInkOption
from omnishot.cli.options import DeviceOption, named_image
from omnishot.cli.session import Session, with_session
from omnishot.errors import DamagedFileError, QualityGateError, UsageError
from omnishot.wording import counted, listed

_SHOWN = 8


@with_session()
def identify_command(
    session: Session,
    gallery: GalleryArgument,
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IMAGE]…", help="Images; - reads one from stdin.", show_default=False),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of the most similar classes to name.")] = 2,
    threshold: Annotated[
        float | None, typer.Option(help="Scores above it are known. Default: the gallery's, calibrated or provisional.")
    ] = None,
    known: Annotated[bool, typer.Option("--known", help="Exit with 3 if an image is unknown.")] = False,
    style: Annotated[Literal["text", "tsv"], typer.Option("--format", help="text, or tsv for programs.")] = "text",
    watch: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Identify what arrives in a folder, until Ctrl-C.")
    ] = None,
    ink: GalleryInkOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Say which class of a gallery each image shows, or that it is unknown. Creates: nothing; prints a line an image.

    Exit code 4 if an image could not be read, once all others are answered.

    Examples:
      omnishot identify staff door.jpg visitors/*.jpg
      omnishot identify staff - --known < door.jpg
      omnishot identify staff --watch incoming/
    """
    if bool(images) == (watch is not None):
        raise UsageError("Images or --watch FOLDER say what to identify", hint="Give one of them.")
    from omnishot.recognition.gallery_versions import newest_version, open_gallery  # Deferred: torch takes seconds.
    from omnishot.recognition.identification import identify, threshold_of_gallery
    from omnishot.recognition.thresholds import said_of_earlier_gallery, threshold_notes

    console, opened = session.console, open_gallery(session.store, gallery, device=device)
    decides = threshold_of_gallery(opened, threshold)
    if threshold is None:
        console.note(next(threshold_notes(opened.gallery, gallery)))
    printer = AnswerPrinter(console, decides, style, n_ranked=top, is_endless=watch is not None)
    if watch is not None:
        from omnishot.recognition.arrivals import arrivals

        console.note(f"Waiting for images in {watch}; what is there already is passed over")
        for path in arrivals(watch):
            before, opened = opened, newest_version(session.store, opened, gallery, device=device)
            if threshold is None and opened is not before:
                for note in said_of_earlier_gallery(opened.gallery, gallery):
                    console.note(note)
            printer.threshold = threshold_of_gallery(opened, threshold)
            printer.print(
                identify(opened, [named_image(str(path))], n_ranked=top, threshold=printer.threshold, ink=ink)
            )
    printer.print(identify(opened, map(named_image, images or []), n_ranked=top, threshold=decides, ink=ink))
    printer.end(str(opened.artifact.reference))
    if printer.unread:
        unread = f"{len(printer.unread)} of {counted(len(images or []), 'image')} could not be read"
        raise DamagedFileError(f"{unread}: {listed(printer.unread, shown=_SHOWN)}")
    if known and printer.n_unknown:
        are = "is" if printer.n_unknown == 1 else "are"
        raise QualityGateError(f"{printer.n_unknown} of {counted(len(images or []), 'image')} {are} unknown")
