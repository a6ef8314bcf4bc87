"""omnishot eval --gallery."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from omnishot.cli.session import Session
from omnishot.errors import UsageError
from omnishot.vocabulary import DeviceName, InkName
from omnishot.wording import counted, interval, percent

if TYPE_CHECKING:
    from omnishot.formats.gallery import Rate
    from omnishot.recognition.gallery_evaluation import GalleryResults
    from omnishot.reporting.tables import Table

_SHOWN = 8


def measure_gallery(
    session: Session,
    gallery: str | None,
    queries: str | None,
    *,
    ink: InkName,
    skip_bad: bool,
    device: DeviceName,
    is_alone: bool,
) -> None:
    """Print how often a gallery is right about images.

    Args:
        session: The command's.
        gallery: Reference of the gallery.
        queries: A folder or zip archive of images by class.
        ink: What is ink; `auto` is as in the gallery.
        skip_bad: Leave out what cannot be read.
        device: Where the model runs.
        is_alone: Whether no option was given that is for other evaluations.

    Raises:
        UsageError: Options are missing, or are for other evaluations.
    """
    if gallery is None or queries is None:
        raise UsageError("--gallery and --queries belong together", hint="eval --gallery staff --queries later/")
    if not is_alone:
        raise UsageError(
            "--gallery measures a gallery, which has its own model and classes",
            hint="Leave out models and all options but --queries, --ink, --skip-bad and --device.",
        )
    from omnishot.recognition.example_images import labelled_images  # Deferred: torch takes seconds.
    from omnishot.recognition.gallery_evaluation import evaluate_gallery
    from omnishot.recognition.gallery_versions import open_gallery
    from omnishot.recognition.identification import threshold_of_gallery
    from omnishot.recognition.thresholds import said_of_earlier_gallery

    console, opened = session.console, open_gallery(session.store, gallery, device=device)
    with console.progress() as on_progress:
        results = evaluate_gallery(
            opened, labelled_images([queries]), threshold_of_gallery(opened, None),
            ink=None if ink == "auto" else ink, skip_bad=skip_bad, on_progress=on_progress,
        )  # fmt: skip
    for note in (*results.notes, *said_of_earlier_gallery(opened.gallery, opened.artifact.manifest.name)):
        console.note(note)
    if console.as_json:
        rates = {name: value.model_dump() for name, value in _rates(results) if value}
        values = {**asdict(results), **rates, "gallery": str(opened.artifact.reference)}
        console.result(values, "")
        return
    console.tables([_table(results, f"{opened.artifact.reference}, {_decides(results)}, on {queries}")])


def _decides(results: "GalleryResults") -> str:
    value = results.threshold.value
    return "no threshold" if value is None else f"{results.threshold.rule} threshold {value:.3f}"


def _table(results: "GalleryResults", title: str) -> "Table":
    from omnishot.reporting.tables import Table

    rows = [_cells(name.replace("_", " "), found) for name, found in _rates(results) if found]
    if results.equal_error_rate is not None:
        rows.append(("equal error rate", percent(results.equal_error_rate), "", "", ""))
    confused = [f"{counted(c.images, 'image')} of {c.shown} nearest to {c.named}" for c in results.confusions[:_SHOWN]]
    more = len(results.confusions) - len(confused)
    notes = (*confused, *([f"and {more:,} more pairs of classes"] if more > 0 else []))
    return Table(title, ("of", "share", "95 % interval", "images", "classes"), tuple(rows), notes)


def _rates(results: "GalleryResults") -> "list[tuple[str, Rate | None]]":
    """Return what was measured, in the order in which it is read."""
    return [
        ("rank_1", results.rank_1),
        ("pixels_rank_1", results.pixels_rank_1),
        ("turned_away", results.turned_away),
        ("misnamed", results.misnamed),
        ("strangers_accepted", results.strangers_accepted),
    ]


def _cells(name: str, rate: "Rate") -> tuple[str, ...]:
    return (name, percent(rate.share), interval(rate.ci95), f"{rate.images:,}", f"{rate.classes:,}")
