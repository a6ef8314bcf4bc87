"""omnishot compare."""

from typing import Annotated

import typer

from omnishot.cli.enroll import GalleryInkOption
from omnishot.cli.options import DeviceOption, named_image, reference_option
from omnishot.cli.session import Session, with_session
from omnishot.errors import QualityGateError, UsageError


@with_session()
def compare_command(
    session: Session,
    one: Annotated[str, typer.Argument(help="An image.", show_default=False)],
    other: Annotated[str, typer.Argument(help="Another.", show_default=False)],
    model: Annotated[
        str | None, typer.Option(help="Reference, name or folder. Default: the gallery's, or the newest model.")
    ] = None,
    gallery: Annotated[
        str | None, reference_option("Decide as this gallery does, by its model and its threshold.", "galleries")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Scores above it are of the same class.")] = None,
    same: Annotated[bool, typer.Option("--same", help="Exit with 3 if they are different.")] = False,
    ink: GalleryInkOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Say how similar two images are, and whether they show the same class. Creates: nothing.

    Only a threshold makes a score a verdict: that of a gallery, or one that is given.

    Examples:
      omnishot compare a.jpg b.jpg
      omnishot compare a.jpg b.jpg --gallery staff --same
    """
    if model is not None and gallery is not None:
        raise UsageError("--model and --gallery both name a model", hint="Give one of them.")
    from omnishot.recognition.gallery_versions import chosen_model, open_gallery  # Deferred: torch takes seconds.
    from omnishot.recognition.identification import (
        Threshold,
        given_threshold,
        refuse_no_threshold,
        score_of,
        threshold_of_gallery,
    )
    from omnishot.recognition.thresholds import said_of_earlier_gallery

    console, decides = session.console, Threshold(None, "none") if threshold is None else given_threshold(threshold)
    if gallery is not None:
        opened = open_gallery(session.store, gallery, device=device)
        recognizer, ink, decides = opened.recognizer, opened.ink(ink), threshold_of_gallery(opened, threshold)
        if threshold is None:
            for note in said_of_earlier_gallery(opened.gallery, opened.artifact.manifest.name):
                console.note(note)
    else:
        recognizer, choice = chosen_model(session.store, model, device=device)
        console.note(choice)
    if same:
        refuse_no_threshold(decides)
    score = score_of(recognizer, named_image(one), named_image(other), ink=ink or "auto")
    verdict = None if decides.value is None else "same" if decides.is_passed_by(score) else "different"
    by = f", {decides.rule} threshold {decides.value:.3f}" if decides.value is not None else ""
    console.result(
        {"score": score, "verdict": verdict, "threshold": {"value": decides.value, "rule": decides.rule}},
        f"{verdict or 'no verdict'} (score {score:.3f}{by})\n",
    )
    if verdict is None:
        console.note("Without a threshold a score is no verdict: give --threshold, or a --gallery that has one")
    if same and verdict == "different":
        raise QualityGateError(f"The images are different: score {score:.3f}, threshold {decides.value:.3f}")
