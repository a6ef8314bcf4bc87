"""A gallery on disk: what was enrolled in `gallery.h5`; its model and threshold in `gallery.json`."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import h5py
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from omnishot.errors import DamagedFileError
from omnishot.formats.hdf5 import contains, create_hdf5, damaged, map_array, open_hdf5, read_array, read_names
from omnishot.store.artifact import Artifact
from omnishot.store.atomic_write import write_new
from omnishot.store.text_file import read_text
from omnishot.store.validation import Count, Digest, Line, first_problem
from omnishot.vocabulary import PreparationName

DIGEST_BYTES = 32
"""Length of a SHA-256."""

_ARRAYS, _SETTINGS = "gallery.h5", "gallery.json"
_MOST_DIMENSIONS = 1 << 16
_VALUES_PER_BLOCK = 1 << 24
_LARGEST = 1e6

_Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EmbeddedBy(_Frozen):
    """The model that made a gallery's embeddings; those of another are not comparable with them.

    Attributes:
        reference: What it is called in the store, or in the box.
        digest: Of its weights, preparation and similarity.
        preparation: How its images are prepared.
    """

    reference: Line
    digest: Digest
    preparation: PreparationName


class Provisional(_Frozen):
    """A threshold from the enrolled images alone: the mean similarity to the nearest other class, and 2 deviations.

    Attributes:
        threshold: What scores below it is unknown.
        mean: Of each example's similarity to the most similar other class.
        deviation: The standard deviation of the same.
        examples: How many examples these are of.
    """

    threshold: FiniteFloat
    mean: FiniteFloat
    deviation: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    examples: Count


class Rate(_Frozen):
    """How often something happened.

    Attributes:
        share: In [0, 1].
        ci95: Its 95 % interval, for classes like those that were asked.
        images: How many images it is a share of.
        classes: How many classes these show.
    """

    share: _Share
    ci95: tuple[_Share, _Share]
    images: Count
    classes: Count


class Calibration(_Frozen):
    """A threshold from classes that are not in the gallery.

    Attributes:
        threshold: What scores below it is unknown.
        accept_strangers: Share of strangers that may be accepted, as it was asked for.
        enrolled: How many classes the gallery had then.
        source: What the other classes are called.
        source_digest: Of their images.
        classes: How many there were.
        images: How many images of them.
        strangers_accepted: Strangers that were given a name.
        turned_away: Known ones that were called unknown; None where no other class has two images.
        misnamed: Known ones that were given another's name; likewise.
        enrolled_digest: `Gallery.enrolled_digest` then; None where that was not recorded.
    """

    threshold: FiniteFloat
    accept_strangers: _Share
    enrolled: Count
    source: Line
    source_digest: Digest
    classes: Count
    images: Count
    strangers_accepted: Rate
    turned_away: Rate | None
    misnamed: Rate | None
    enrolled_digest: Digest | None = None


class GallerySettings(_Frozen):
    """What decides how a gallery's scores are made and read.

    Attributes:
        model: What made the embeddings.
        provisional: The threshold of the enrolled images; None where there is one class alone.
        calibration: The threshold of other classes; None before `omnishot calibrate`.
        ink: What is ink in the images; None where they are photos.
    """

    model: EmbeddedBy
    ink: Literal["dark", "light"] | None = None
    provisional: Provisional | None = None
    calibration: Calibration | None = None

    @property
    def threshold(self) -> float | None:
        """The threshold that holds: the calibrated one, else the provisional one, if any."""
        rule = self.calibration or self.provisional
        return rule.threshold if rule else None


@dataclass(frozen=True, slots=True)
class Gallery:
    """What is known of every class that was enrolled.

    Attributes:
        settings: Model and thresholds.
        classes: Names, unique, in the order in which they were enrolled.
        of_class: Index into `classes` of every example, ascending, shape (n,).
        embeddings: Shape (n, d), float32, within ±1,000,000.
        digests: SHA-256 of each image's file, shape (n, 32), uint8.
        files: What the images' files were called, without their folders.
    """

    settings: GallerySettings
    classes: tuple[str, ...]
    of_class: NDArray[np.int32]
    embeddings: NDArray[np.float32]
    digests: NDArray[np.uint8]
    files: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.of_class)

    @property
    def enrolled_digest(self) -> str:
        """What identifies the classes and the images of each, a SHA-256."""
        digest = hashlib.sha256(json.dumps(self.classes).encode())
        digest.update(self.of_class.astype("<i4").tobytes())
        digest.update(self.digests.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Small pictures of the examples, so that another model can enroll them; each is a PNG or JPEG file.

    Attributes:
        content: All of them, one after the other, uint8.
        ends: Where each ends, shape (n,), int64.
    """

    content: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, files: Sequence[bytes]) -> Self:
        """Put files one after the other."""
        ends = np.cumsum([len(file) for file in files], dtype=np.int64)
        return cls(np.frombuffer(b"".join(files), np.uint8), ends)

    def __len__(self) -> int:
        """Return the number of thumbnails."""
        return len(self.ends)

    def __getitem__(self, place: int) -> bytes:
        """Return one file."""
        start = int(self.ends[place - 1]) if place else 0
        return self.content[start : int(self.ends[place])].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        """Yield all files."""
        return (self[place] for place in range(len(self)))


def write_gallery(folder: Path, gallery: Gallery, thumbnails: Thumbnails | None) -> None:
    """Write gallery.h5 and gallery.json into a folder."""
    with create_hdf5(folder / _ARRAYS, alignment=64) as file:
        names = h5py.string_dtype()
        file.create_dataset("classes/names", data=list(gallery.classes), dtype=names)
        file.create_dataset("examples/class", data=gallery.of_class)
        file.create_dataset("examples/embedding", data=gallery.embeddings)
        file.create_dataset("examples/digest", data=gallery.digests)
        file.create_dataset("examples/file", data=list(gallery.files), dtype=names)
        if thumbnails:
            file.create_dataset("thumbnails/content", data=thumbnails.content)
            file.create_dataset("thumbnails/end", data=thumbnails.ends)
    text = json.dumps(gallery.settings.model_dump(), indent=1)
    write_new(folder / _SETTINGS, f"{text}\n".encode())


def read_gallery_settings(artifact: Artifact) -> GallerySettings:
    """Read the model and the thresholds of a gallery.

    Raises:
        DamagedFileError: The file is damaged, or holds something else.
    """
    path = artifact.file(_SETTINGS)
    try:
        return GallerySettings.model_validate_json(read_text(path))
    except ValidationError as error:
        raise DamagedFileError(f"{path} does not hold what it should: {first_problem(error)}") from None


def read_gallery(artifact: Artifact) -> Gallery:
    """Read a gallery; its embeddings stay on the disk until they are looked at.

    Raises:
        DamagedFileError: A file is damaged, or holds something else.
    """
    settings = read_gallery_settings(artifact)
    with open_hdf5(artifact.file(_ARRAYS)) as file:
        gallery = Gallery(
            settings,
            classes=read_names(file, "classes/names"),
            of_class=read_array(file, "examples/class", np.int32, 1),
            embeddings=map_array(file, "examples/embedding", np.float32, 2),
            digests=read_array(file, "examples/digest", np.uint8, 2),
            files=read_names(file, "examples/file"),
        )
        _refuse_what_does_not_fit(file, gallery)
    return gallery


def read_thumbnails(artifact: Artifact) -> Thumbnails | None:
    """Return the thumbnails of a gallery, or None where it keeps none.

    Raises:
        DamagedFileError: The file is damaged, or holds something else.
    """
    with open_hdf5(artifact.file(_ARRAYS)) as file:
        if not contains(file, "thumbnails"):
            return None
        content = map_array(file, "thumbnails/content", np.uint8, 1)
        ends = read_array(file, "thumbnails/end", np.int64, 1)
        n = len(read_array(file, "examples/class", np.int32, 1))
        if len(ends) != n or (np.diff(ends, prepend=0) < 0).any() or ends[-1:].sum() != len(content):
            raise damaged(file, f"{len(ends):,} thumbnails of {n:,} examples do not fill {len(content):,} bytes")
        return Thumbnails(content, ends)


def _refuse_what_does_not_fit(file: h5py.File, gallery: Gallery) -> None:
    n, n_classes = len(gallery), len(gallery.classes)
    shapes = (len(gallery.embeddings), gallery.digests.shape, len(gallery.files))
    if shapes != (n, (n, DIGEST_BYTES), n) or not 0 < gallery.embeddings.shape[1] <= _MOST_DIMENSIONS:
        raise damaged(
            file, f"{n:,} examples have embeddings of {gallery.embeddings.shape}, digests of {gallery.digests.shape} "
            f"and {len(gallery.files):,} file names",
        )  # fmt: skip
    if len(set(gallery.classes)) < n_classes:
        raise damaged(file, "classes/names holds a name twice")
    # Ascending from the first class to the last without a gap: every class has an example.
    if not n or gallery.of_class[0] or gallery.of_class[-1] != n_classes - 1 or not _climbs(gallery.of_class):
        raise damaged(file, f"examples/class does not number the examples of {n_classes:,} classes in their order")
    rows = max(1, _VALUES_PER_BLOCK // gallery.embeddings.shape[1])
    for start in range(0, n, rows):
        block = gallery.embeddings[start : start + rows]
        if not (block.max() <= _LARGEST and block.min() >= -_LARGEST):
            raise damaged(file, f"examples/embedding holds values that are not within ±{_LARGEST:,.0f}")


def _climbs(of_class: NDArray[np.int32]) -> bool:
    steps = np.diff(of_class)
    return bool(((steps == 0) | (steps == 1)).all())
