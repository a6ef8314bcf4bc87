"""Where images come from: Omniglot, invented glyphs, MNIST's test digits, a folder or zip archive of one's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnishot.data.image_set import ImageSet
from omnishot.data.location import is_offline, usual_data_folder
from omnishot.data.sources import folder, glyphs, mnist, omniglot
from omnishot.data.sources.kind import Look
from omnishot.data.sources.photos import PhotoFormat
from omnishot.errors import SettingsError, UnavailableError, UsageError
from omnishot.machine import with_home
from omnishot.progress import OnProgress, silent
from omnishot.vocabulary import BUILT_IN_SOURCES, InkName


@dataclass(frozen=True, slots=True)
class Source:
    """Images that are known by content but not read yet.

    Attributes:
        name: Short name, from which artifacts take theirs.
        digest: Identifies the content, whatever it is packed in.
        read: Decodes every image.
        settings: What besides the content decides the result.
        note: What the user should know about the choice, or an empty string.
        notes: What was found among the files besides images, one sentence each.
        options: Options of the command line that were asked for, as they are typed.
        digest_in_format_1: Its digest in artifacts of format 1, where that is another one.
        look: Looks whether these are drawings or photographs; None where it is known.
        photos: How they are kept as photographs, or None where they are drawings.
    """

    name: str
    digest: str
    read: Callable[[OnProgress], ImageSet]
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    digest_in_format_1: str = ""
    look: Callable[[], Look] | None = None
    photos: PhotoFormat | None = None


def open_source(
    name: str,
    *,
    data_folder: Path | None = None,
    offline: bool | None = None,
    ink: InkName = "auto",
    skip_bad: bool = False,
    photos: PhotoFormat | None = None,
    on_progress: OnProgress = silent,
) -> Source:
    """Find a source's files, download them where that is its way, and identify their content.

    Args:
        name: `omniglot`, `glyphs`, `mnist`, `auto` (Omniglot if it can be had, else glyphs), or the path of a folder or
            zip archive.
        data_folder: Where `omniglot/` and `mnist/` lie or are downloaded to; by default what OMNISHOT_DATA says, else
            the user's cache folder.
        offline: Forbids the download; by default what OMNISHOT_OFFLINE says.
        ink: What is ink in a folder of one's own, or `auto`.
        skip_bad: Leave out what cannot be read in a folder of one's own.
        photos: How to keep the images of a folder as photographs; by default they are drawings.
        on_progress: Receives the progress of a download.

    Raises:
        UnavailableError: Omniglot or MNIST is absent and cannot be downloaded.
        InputError: A file or folder is missing or damaged.
        SettingsError: `ink`, `skip_bad` or `photos` is for a folder, and this is none; or photographs are to have ink.
    """
    data_folder = usual_data_folder() if data_folder is None else data_folder
    offline = is_offline() if offline is None else offline
    options = _options(name, ink, skip_bad, photos)
    if name == "glyphs":
        return Source("glyphs", glyphs.DIGEST, glyphs.read, glyphs.SETTINGS)
    if name == "mnist":
        digits = mnist.find(data_folder / "mnist", offline=offline, on_progress=on_progress)
        return Source("mnist", digits.digest, digits.read)
    if name not in {"omniglot", "auto"}:
        files = folder.find(with_home(Path(name)), ink=ink, skip_bad=skip_bad, photos=photos)
        return Source(
            files.name,
            files.digest,
            files.read,
            files.settings,
            notes=files.notes,
            options=options,
            digest_in_format_1=files.digest_in_format_1,
            look=None if photos or ink != "auto" else files.look,
            photos=photos,
        )
    try:
        archives = omniglot.find(data_folder / "omniglot", offline=offline, on_progress=on_progress)
    except UnavailableError as error:
        if name == "omniglot":
            raise
        note = f"{error}. Using the built-in glyphs instead; figures are not Omniglot's."
        return Source("glyphs", glyphs.DIGEST, glyphs.read, glyphs.SETTINGS, note)
    return Source("omniglot", archives.digest, archives.read, digest_in_format_1=archives.digest_in_format_1)


def _options(name: str, ink: InkName, skip_bad: bool, photos: PhotoFormat | None) -> tuple[str, ...]:
    """Return how images of one's own are to be read, as options of the command line; see `open_source`."""
    options = (*(("--ink", ink) if ink != "auto" else ()), *(("--skip-bad",) if skip_bad else ()), *_kept(photos))
    if photos and ink != "auto":
        raise SettingsError(f"--ink {ink} is for drawings, but photographs hold no ink", hint="Leave one of them out.")
    if options and name in {*BUILT_IN_SOURCES, "auto"}:
        raise SettingsError(f"{' '.join(options)} is for images of your own, not {name}", hint="Leave it out.")
    if not name:
        raise UsageError("--source is empty", hint="Name a source: omniglot, glyphs, mnist, auto, or a folder.")
    return options


def _kept(photos: PhotoFormat | None) -> tuple[str, ...]:
    """Return the options that keep images as photographs."""
    return (*(("--colour",) if photos.colour else ()), "--image-size", str(photos.side)) if photos else ()
