"""A folder or zip archive of one's own images: `class/image` or `alphabet/class/image`."""

import unicodedata
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.sources.decoding import judge
from omnishot.data.sources.files import File, Listing, checksum_digest, content_digest
from omnishot.data.sources.findings import find_out, in_blank_classes, refuse_blank_classes
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.ink import Reading
from omnishot.data.sources.kind import Look, look_at
from omnishot.data.sources.layout import laid_out
from omnishot.data.sources.photos import PhotoFormat
from omnishot.data.sources.pictures import all_at_once, decoded, decoded_photos
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError, NotFoundError, OmnishotError, brief, is_one_line
from omnishot.progress import OnProgress, silent
from omnishot.vocabulary import InkName
from omnishot.wording import counted, listed

_MOST_ALPHABETS = 32_767
_BUILT_IN = {"omniglot", "glyphs", "mnist", "auto"}
_SAMPLE, _SAMPLE_BYTES, _SMALLEST_SAMPLE = 64, 16_000_000, 16
_SHOWN = 8
_GIVE_A_FOLDER = "Give a folder or a zip archive; unpack archives of another kind."


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's image files, found but not decoded.

    Attributes:
        name: Name of the folder.
        place: What to call it in messages.
        files: The files, ordered by name.
        digest: Digest of the content.
        digest_in_format_1: The one that format 1 has instead.
        reading: What is ink.
        skip_bad: Whether what cannot be read is left out.
        bad: What was left out before anything was decoded.
        notes: What was found besides, one sentence each.
        photos: How photographs are kept, or None where the pictures are drawings.
    """

    name: str
    place: str
    files: tuple[File, ...]
    digest: str
    digest_in_format_1: str
    reading: Reading
    skip_bad: bool
    bad: tuple[DamagedFileError, ...]
    notes: tuple[str, ...]
    photos: PhotoFormat | None = None

    @property
    def settings(self) -> dict[str, object]:
        """What besides the content decides the pixels; nothing where each picture's border says all that is used."""
        kept = {"image_size": self.photos.side, "colour": self.photos.colour} if self.photos else {}
        return {**self.reading.settings, **kept, **({"skip_bad": True} if self.skip_bad else {})}

    def look(self) -> Look:
        """Look at a sample of the pictures, whether they are drawings or photographs."""
        return look_at([file.read for file in _sample(self.files)])

    def read(self, on_progress: OnProgress) -> ImageSet:
        """Decode every picture; the number of a picture among its class's, by name, stands for a drawer.

        Raises:
            DamagedFileError: Files are no images, all of them named, or all images of a class are blank.
        """
        if self.photos:
            read = decoded_photos(self.files, self.photos, self.name, on_progress)
        else:
            read = decoded(self.files, self.reading, self.name, on_progress)
        if read.bad and not (self.skip_bad and read.files):
            raise all_at_once(read.bad, len(read.files), self.place)
        labels = self._labels(read.files)
        bad = [*self.bad, *read.bad]
        if self.skip_bad and (is_lost := in_blank_classes(labels, read.is_blank)).any() and not is_lost.all():
            bad += [
                DamagedFileError(f"{read.files[i].place} is blank, as all of its class")
                for i in np.flatnonzero(is_lost)
            ]
            read = read.without(is_lost)
            labels = self._labels(read.files)
        refuse_blank_classes(labels, read.is_blank, skip_bad=self.skip_bad)
        findings = find_out(read, labels, None if self.photos else self.reading, bad=bad, place=self.place)
        return ImageSet(read.pixels, labels, findings=findings)

    def _labels(self, files: Sequence[File]) -> Labels:
        classes = [file.name.rpartition("/")[0] for file in files]
        alphabets = [name.rpartition("/")[0] or self.name for name in classes]
        drawers: list[int] = []
        for i, name in enumerate(classes):
            drawers.append(drawers[-1] + 1 if i and classes[i - 1] == name else 0)
        return Labels.from_names(alphabets, classes, drawers)


def find(path: Path, *, ink: InkName = "auto", skip_bad: bool = False, photos: PhotoFormat | None = None) -> Folder:
    """List the images of a folder or a zip archive, and decide on a sample of them what is ink.

    Args:
        path: The folder or archive.
        ink: What is ink, or `auto`.
        skip_bad: Leave out what cannot be read, instead of refusing the whole.
        photos: How to keep the images as photographs, in which nothing is ink.

    Raises:
        NotFoundError: There is no such folder, or it holds no class folders.
        DamagedFileError: Files cannot be read or lie elsewhere than in class folders, all of them named, or a name is
            no good.
    """
    listing, name = _listing(path)
    passed_over = _said_of(listing.passed_over)
    try:
        return _laid_out(path, listing, name, passed_over, ink=ink, skip_bad=skip_bad, photos=photos)
    except OmnishotError as error:
        if passed_over:
            error.add_note(passed_over)
        raise


def _laid_out(
    path: Path,
    listing: Listing,
    name: str,
    passed_over: str,
    *,
    ink: InkName,
    skip_bad: bool,
    photos: PhotoFormat | None,
) -> Folder:
    """Return the images of what was listed, as `find` does; `passed_over` says what is none of them."""
    place = str(path)
    if listing.problems and not listing.files:
        raise all_at_once(listing.problems, 0, place)
    layout = laid_out(listing.files, place, is_archive=path.is_file())
    bad = [*listing.problems, *layout.strays]
    if bad and not skip_bad:
        read = decoded(layout.files, Reading("dark"), name, silent)
        raise all_at_once([*bad, *read.bad], len(read.files), place)
    files = sorted(layout.files, key=lambda file: file.name.split("/"))
    n_alphabets = len({file.name.rpartition("/")[0].rpartition("/")[0] for file in files})
    if n_alphabets > _MOST_ALPHABETS:
        raise DamagedFileError(f"{place} holds {n_alphabets:,} alphabets; {_MOST_ALPHABETS:,} is the limit")
    notes = [passed_over, _without_pictures(listing), *_said_of_wrapping(layout.wrapping), _spelt_alike(files)]
    name = layout.wrapping[-1] if layout.wrapping else name
    return Folder(
        name=f"{name}-folder" if name in _BUILT_IN else name,  # A folder called omniglot is not Omniglot.
        place=place,
        files=tuple(files),
        digest=content_digest(files),
        digest_in_format_1=checksum_digest(files),
        reading=Reading("dark") if photos else judge([file.read for file in _sample(files)], ink),
        skip_bad=skip_bad,
        bad=tuple(bad),
        notes=tuple(note for note in notes if note),
        photos=photos,
    )


def _listing(path: Path) -> tuple[Listing, str]:
    """Return what a folder or an archive holds, and its name."""
    try:
        is_folder, is_archive = path.is_dir(), path.is_file() and (path.suffix == ".zip" or zipfile.is_zipfile(path))
    except OSError as error:
        raise DamagedFileError(f"{brief(path)} cannot be read: {error.strerror}") from None
    if not is_folder and not is_archive:
        if path.exists():
            raise DamagedFileError(f"{path} is neither a folder nor a zip archive", hint=_GIVE_A_FOLDER)
        raise NotFoundError(
            f"'{path}' is neither a built-in source nor a folder or zip archive",
            hint="Use --source omniglot, glyphs, mnist, auto, or the path of a folder with one folder per class.",
        )
    name = path.stem if is_archive else path.resolve().name
    if not is_one_line(name):
        raise DamagedFileError(f"{brief(repr(name))} is no name that can be printed and stored", hint="Rename it.")
    return (files_of_zip if is_archive else files_of_folder)(path, pictures_only=True), name


def _sample(files: Sequence[File]) -> list[File]:
    """Return pictures from all over a source, few enough that looking at them takes no time to speak of."""
    spread = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, _SAMPLE).astype(int))]
    sizes = np.cumsum([file.size for file in spread])
    n_looked_at = max(_SMALLEST_SAMPLE, int((sizes <= _SAMPLE_BYTES).sum()))
    return [spread[i] for i in np.unique(np.linspace(0, len(spread) - 1, n_looked_at).astype(int))]


def _said_of(passed_over: Sequence[str]) -> str:
    """Return which files and folders were passed over, with the number of those of one name."""
    if not passed_over:
        return ""
    is_folder = [name.endswith("/") for name in passed_over]
    numbers = [(len(is_folder) - sum(is_folder), "file"), (sum(is_folder), "folder")]
    bare = Counter(f"{name.rstrip('/').rpartition('/')[2]}{'/' * name.endswith('/')}" for name in passed_over)
    names = [brief(name) + (f" ({number:,})" if number > 1 else "") for name, number in bare.most_common()]
    counts = " and ".join(counted(number, noun) for number, noun in numbers if number)
    return f"Passed over {counts}: {listed(names, shown=_SHOWN)}"


def _without_pictures(listing: Listing) -> str:
    """Return which folders hold nothing to read, the outermost of them."""
    used = {"/".join(parts[:n]) for file in listing.files if (parts := file.name.split("/")) for n in range(len(parts))}
    empty = set(listing.folders) - used
    names = sorted(name for name in empty if name.rpartition("/")[0] not in empty)
    are = "folder holds" if len(names) == 1 else "folders hold"
    return f"{len(names):,} {are} no picture: {listed(names, shown=_SHOWN)}" if names else ""


def _said_of_wrapping(names: Sequence[str]) -> list[str]:
    return [f"Read from the only folder in it, {'/'.join(names)}"] if names else []


def _spelt_alike(files: Sequence[File]) -> str:
    """Return which classes have names that look the same and are not, as of an accent in one character or in two."""
    names = {file.name.rpartition("/")[0] for file in files}
    spellings = Counter(unicodedata.normalize("NFC", name) for name in names)
    twice = sorted(brief(name) for name, number in spellings.items() if number > 1)
    if not twice:
        return ""
    come = "comes" if len(twice) == 1 else "come"
    shown = listed(twice, shown=_SHOWN)
    return f"{counted(len(twice), 'class name')} {come} in two spellings of Unicode, as two classes: {shown}"
