"""Images that were read and embedded, ordered by class, and how those of a gallery and new ones come together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from omnishot.errors import DamagedFileError, OmnishotError
from omnishot.formats.gallery import Gallery, Thumbnails
from omnishot.progress import OnProgress, Progress
from omnishot.recognition.example_images import LabelledImage, LabelledImages, said_of_problems
from omnishot.recognition.images import NamedImage, PreparedImage
from omnishot.recognition.recognizer import Recognizer
from omnishot.recognition.thumbnails import thumbnail
from omnishot.vocabulary import InkName

_IMAGES_PER_BLOCK = 256
_INK_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class Examples:
    """Embedded images.

    Attributes:
        classes: Names, unique, in the order in which they appeared.
        of_class: Index into `classes` of each image, ascending, shape (n,).
        embeddings: Shape (n, d), float32.
        digests: SHA-256 of each file, shape (n, 32), uint8.
        files: What the files are called.
        places: Where each was found, for messages.
        thumbnails: Small pictures, or nothing where none are kept.
    """

    classes: tuple[str, ...]
    of_class: NDArray[np.int32]
    embeddings: NDArray[np.float32]
    digests: NDArray[np.uint8]
    files: tuple[str, ...]
    places: tuple[str, ...]
    thumbnails: tuple[bytes, ...]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.of_class)

    @property
    def identities(self) -> set[tuple[str, bytes]]:
        """Class and digest of each image."""
        numbers = self.of_class.tolist()
        return {(self.classes[i], digest.tobytes()) for i, digest in zip(numbers, self.digests, strict=True)}

    def only(self, kept: NDArray[np.bool_]) -> "Examples":
        """Return some of the images, shape (n,); classes that lose all of theirs go."""
        places = np.flatnonzero(kept)
        there, of_class = np.unique(self.of_class[places], return_inverse=True)
        return Examples(
            tuple(self.classes[i] for i in there), of_class.astype(np.int32), self.embeddings[places],
            self.digests[places], _some(self.files, places), _some(self.places, places),
            tuple(self.thumbnails[i] for i in places) if self.thumbnails else (),
        )  # fmt: skip


def _some(texts: Sequence[str], places: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(texts[i] for i in places)


def ink_of(recognizer: Recognizer, images: Sequence[NamedImage], asked: InkName) -> InkName:
    """Return what is ink in most of some images: one decision, so that none of them is guessed at alone."""
    if asked != "auto" or recognizer.preparation == "photo" or not images:
        return asked
    sample = [images[i] for i in np.unique(np.linspace(0, len(images) - 1, _INK_SAMPLE).astype(int))]
    found = [image.ink for image in recognizer.read(sample) if isinstance(image, PreparedImage)]
    return "light" if found.count("light") > found.count("dark") else "dark"


def sound_examples(
    recognizer: Recognizer,
    found: LabelledImages,
    *,
    ink: InkName,
    skip_bad: bool,
    keeps_thumbnails: bool = False,
    on_progress: OnProgress,
) -> tuple[Examples, list[str]]:
    """Read and embed images, or refuse all where some cannot be read and are not to be skipped.

    Returns:
        The images, and what was passed over or left out, one sentence each.

    Raises:
        DamagedFileError: Images cannot be read, all of them named.
    """
    examples, unread = read_examples(
        recognizer, found.images, ink=ink, keeps_thumbnails=keeps_thumbnails, on_progress=on_progress
    )
    bad = [*found.problems, *unread]
    if bad and not (skip_bad and len(examples)):
        hints = list(dict.fromkeys(error.hint for error in bad if error.hint))
        if len(examples):
            hints.append(f"Or leave {'it' if len(bad) == 1 else 'them'} out with --skip-bad.")
        raise DamagedFileError(said_of_problems(bad), hint=" ".join(hints))
    examples, copies = without_copies(examples)
    return examples, [*found.notes, *copies, *([said_of_problems(bad)] if bad else [])]


def read_examples(
    recognizer: Recognizer,
    images: Sequence[LabelledImage],
    *,
    ink: InkName,
    keeps_thumbnails: bool,
    on_progress: OnProgress,
) -> tuple[Examples, list[OmnishotError]]:
    """Read and embed images.

    Args:
        recognizer: What embeds them.
        images: The images.
        ink: What is ink in them.
        keeps_thumbnails: Whether small pictures are made too.
        on_progress: Receives the number of images done.

    Returns:
        The images that could be read, those of a class together, and why the others could not.
    """
    number = {name: i for i, name in enumerate(dict.fromkeys(image.class_name for image in images))}
    ordered = sorted(images, key=lambda image: number[image.class_name])
    blocks: list[Examples] = []
    problems: list[OmnishotError] = []
    for start in range(0, len(ordered), _IMAGES_PER_BLOCK):
        on_progress(Progress("Embedding images", start, len(ordered), "images"))
        some = ordered[start : start + _IMAGES_PER_BLOCK]
        contents, unreadable = _contents([image.image for image in some])
        named = [NamedImage(image.image.name, content) for image, content in zip(some, contents, strict=True)]
        read = recognizer.read(named, ink=ink)
        found = [unreadable.get(i) or usable(image) for i, image in enumerate(read)]
        problems += [image for image in found if isinstance(image, OmnishotError)]
        sound = [i for i, image in enumerate(found) if isinstance(image, PreparedImage)]
        blocks.append(
            Examples(
                (),
                np.array([number[some[i].class_name] for i in sound], np.int32),
                recognizer.embed([image for image in found if isinstance(image, PreparedImage)]),
                digests_of([contents[i] for i in sound]),
                tuple(some[i].file for i in sound),
                tuple(some[i].image.name for i in sound),
                tuple(thumbnail(contents[i], recognizer.preparation) for i in sound) if keeps_thumbnails else (),
            )
        )
    return _joined(tuple(number), blocks).only(np.ones(sum(map(len, blocks)), np.bool_)), problems


def _contents(images: Sequence[NamedImage]) -> tuple[list[bytes], dict[int, OmnishotError]]:
    """Return the bytes of images' files, empty for those that cannot be read, and why, by their places."""
    contents: list[bytes] = []
    problems: dict[int, OmnishotError] = {}
    for i, image in enumerate(images):
        content: object = b""
        try:
            content = image.read()
        except OmnishotError as error:
            problems[i] = error
        contents.append(content if isinstance(content, bytes) else b"")
    return contents, problems


def usable(image: PreparedImage | OmnishotError) -> PreparedImage | OmnishotError:
    """Return an image that was read, or what is wrong with it where nothing is drawn on it."""
    if isinstance(image, OmnishotError) or not image.is_blank:
        return image
    as_read = "" if image.ink is None else f", as what is {image.ink} is read as ink"
    return DamagedFileError(
        f"{image.name} is blank{as_read}", hint="Leave it out, or say what is drawn by --ink dark or --ink light."
    )


def digests_of(contents: Sequence[bytes]) -> NDArray[np.uint8]:
    """Return the SHA-256 of each file, shape (n, 32)."""
    joined = b"".join(hashlib.sha256(content).digest() for content in contents)
    return np.frombuffer(joined, np.uint8).reshape(-1, hashlib.sha256().digest_size)


def _joined(classes: tuple[str, ...], blocks: Sequence[Examples]) -> Examples:
    return Examples(
        classes,
        np.concatenate([block.of_class for block in blocks]),
        np.concatenate([block.embeddings for block in blocks]),
        np.concatenate([block.digests for block in blocks]),
        tuple(name for block in blocks for name in block.files),
        tuple(name for block in blocks for name in block.places),
        tuple(small for block in blocks for small in block.thumbnails),
    )


def examples_of(gallery: Gallery, thumbnails: Thumbnails | None) -> Examples:
    """Return the examples of a gallery."""
    return Examples(
        gallery.classes, gallery.of_class, gallery.embeddings, gallery.digests, gallery.files, gallery.files,
        tuple(thumbnails) if thumbnails else (),
    )  # fmt: skip


def merged(old: Examples, new: Examples) -> Examples:
    """Return the examples of both, new classes after the old ones, and new examples after the old ones of a class."""
    classes = tuple(dict.fromkeys([*old.classes, *new.classes]))
    number = {name: i for i, name in enumerate(classes)}
    renumbered = replace(new, of_class=np.array([number[new.classes[i]] for i in new.of_class], np.int32))
    both = _joined(classes, [old, renumbered])
    order = np.argsort(both.of_class, kind="stable")
    return Examples(
        classes, both.of_class[order], both.embeddings[order], both.digests[order], _some(both.files, order),
        _some(both.places, order), tuple(both.thumbnails[i] for i in order) if both.thumbnails else (),
    )  # fmt: skip


def without_copies(examples: Examples) -> tuple[Examples, list[str]]:
    """Return examples without files that are equal to an earlier one of their class, and a sentence for each of those.

    What is equal to one of another class stays, and is said by `look_alikes`.
    """
    first: dict[tuple[int, bytes], int] = {}
    notes = []
    is_kept = np.ones(len(examples), np.bool_)
    for i, (number, digest) in enumerate(zip(examples.of_class.tolist(), examples.digests, strict=True)):
        earlier = first.setdefault((number, digest.tobytes()), i)
        if earlier != i:
            is_kept[i] = False
            notes.append(f"{examples.places[i]} is passed over: it is {examples.places[earlier]}")
    return (examples, notes) if is_kept.all() else (examples.only(is_kept), notes)
