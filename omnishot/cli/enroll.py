"""omnishot enroll."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import DeviceOption, SkipBadOption, reference_argument
from omnishot.cli.session import Session, with_session
from omnishot.errors import UsageError
from omnishot.vocabulary import InkName
from omnishot.wording import counted

if TYPE_CHECKING:
    from omnishot.recognition.enrollment import GalleryChange

GalleryArgument = Annotated[str, reference_argument("Gallery, such as staff.", "galleries")]
GalleryInkOption = Annotated[
    InkName | None,
    typer.Option(help="Drawings: what is drawn is darker than its ground, or lighter. Default: as in the gallery."),
]


@with_session(waits=True)
def enroll_command(
    session: Session,
    gallery: GalleryArgument,
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=IMAGE,…|IMAGE|FOLDER]…",
            help="A class and its images; or a folder or zip archive with one image, or one folder, for each class.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Reference, name or folder. Default of a new gallery: the newest model.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Give classes that are there already further examples.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace classes that are there already.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Embed what is enrolled by another --model, from the thumbnails.")
    ] = False,
    embeddings_only: Annotated[
        bool, typer.Option("--embeddings-only", help="Keep no thumbnails, so that nobody can look at them.")
    ] = False,
    ink: GalleryInkOption = None,
    skip_bad: SkipBadOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Add classes to a gallery from one image each, without training. Creates: a galleries artifact.

    Examples:
      omnishot enroll staff people/
      omnishot enroll staff e11=e11.jpg e12=a.jpg,b.jpg
      omnishot enroll staff e11=again.jpg --add
      omnishot enroll staff --again --model best
    """
    if add and replace:
        raise UsageError("--add and --replace exclude each other", hint="Give one of them.")
    if again and (images or add or replace or embeddings_only or model is None):
        raise UsageError("--again takes --model, and no images", hint="omnishot enroll GALLERY --again --model MODEL")
    if not again and not images:
        raise UsageError("There is nothing to enroll", hint="Name images, as NAME=IMAGE, or a folder of classes.")
    from omnishot.recognition.enrollment import EnrollmentOptions, enroll, enroll_again  # Deferred: torch.
    from omnishot.recognition.example_images import labelled_images

    with session.console.progress() as on_progress:
        if again and model is not None:
            made = enroll_again(session.store, gallery, model, device=device, on_progress=on_progress)
        else:
            options = EnrollmentOptions(
                model=model, existing="add" if add else "replace" if replace else "refuse",
                embeddings_only=embeddings_only, ink=ink, skip_bad=skip_bad, device=device,
            )  # fmt: skip
            found = labelled_images(images or [])
            made = enroll(session.store, gallery, found, options, on_progress=on_progress)
    print_change(session.console, made)


def print_change(console: Console, made: "GalleryChange") -> None:
    """Print a new version of a gallery: its reference to stdout, or a JSON object, and what to know to stderr."""
    for note in made.notes:
        console.note(note)
    settings, reference = made.gallery.settings, str(made.artifact.reference)
    n_classes, n_examples = len(made.gallery.classes), len(made.gallery)
    console.note(f"Made {reference}: {counted(n_classes, 'class')}, {counted(n_examples, 'example')}")
    values = {"artifact": reference, "path": str(made.artifact.path), "classes": n_classes, "examples": n_examples}
    console.result({**values, **settings.model_dump(mode="json"), "notes": made.notes}, reference + "\n")
