"""Which image shows which class, from what a user types: `NAME=IMAGE,…`, images, folders and zip archives."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omnishot.data.sources.files import File, Listing, content_digest
from omnishot.data.sources.folder_tree import files_of_folder
from omnishot.data.sources.zip_archive import files_of_zip
from omnishot.errors import DamagedFileError, NotFoundError, UsageError, brief, is_one_line
from omnishot.recognition.images import NamedImage
from omnishot.wording import counted, listed

UNKNOWN = "unknown"
"""What is said of an image of no class; no class is called so."""

_LONGEST_NAME = 200
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image that is not read yet, and the class that it shows.

    Attributes:
        class_name: Name of the class.
        file: What the file is called, without its folder.
        image: Where it is.
    """

    class_name: str
    file: str
    image: NamedImage


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """What was found where a user pointed.

    Attributes:
        images: The images; those of a class need not follow each other.
        problems: Why others cannot be read.
        notes: What was passed over, one sentence each.
    """

    images: tuple[LabelledImage, ...]
    problems: tuple[DamagedFileError, ...] = ()
    notes: tuple[str, ...] = ()


def labelled_images(words: Sequence[str]) -> LabelledImages:
    """Return the images that words of a command line name.

    `NAME=PATH,PATH` gives images, or all images in folders, a name. A folder or zip archive has one image or one folder
    for each class; an image alone is called by its file.

    Raises:
        UsageError: A name cannot be one.
        NotFoundError: There is no such file, or no image in a folder.
    """
    images: list[LabelledImage] = []
    problems: list[DamagedFileError] = []
    notes: list[str] = []
    for word in words:
        name, equals, paths = word.partition("=")
        is_named = bool(equals) and not Path(word).exists()
        for text in _paths(paths) if is_named else [word]:
            path = Path(text)
            listing = _listing(path, named=text, word=word)
            problems += listing.problems
            if passed_over := sorted(listing.passed_over):
                notes.append(f"{brief(path)}: passed over {listed(list(map(brief, passed_over)), shown=_SHOWN)}")
            for file in listing.files:
                class_name = name if is_named else _class_of(file.name)
                images.append(LabelledImage(check_class_name(class_name), Path(file.name).name, _image(file)))
    return LabelledImages(tuple(images), tuple(problems), tuple(notes))


def check_class_name(name: str) -> str:
    """Return the name of a class unchanged.

    Raises:
        UsageError: It is empty, too long, of several lines, or the word for no class.
    """
    if name.strip() and len(name) <= _LONGEST_NAME and is_one_line(name) and name != UNKNOWN:
        return name
    raise UsageError(
        f"{brief(repr(name))} cannot name a class",
        hint=f"Use up to {_LONGEST_NAME} letters on one line, other than '{UNKNOWN}'.",
    )


def digest_of_folder(path: Path) -> str:
    """Return the content digest of a folder or zip archive, by which a source of images is known."""
    return content_digest(_listing(path, named=str(path), word=str(path)).files)


def _paths(text: str) -> list[str]:
    """Return paths that are separated by commas; a file with a comma in its name is one."""
    return [text] if Path(text).exists() else text.split(",")


def _listing(path: Path, *, named: str, word: str) -> Listing:
    """Return what a path leads to."""
    try:
        if not named or not path.exists():
            if named and "=" not in word and not os.path.lexists(path):
                hint = f"Write NAME=IMAGE, as e01={named}, or the path of an image or of a folder of classes."
            else:
                hint = "Write NAME=IMAGE with the path of an image; several with a comma between them."
            missing = f"There is no image or folder '{brief(named)}'" if named else "There is an empty path"
            raise NotFoundError(f"{missing} in {brief(repr(word))}", hint=hint)
        if path.is_dir():
            found = files_of_folder(path, pictures_only=True)
        elif not path.is_file():  # Opening a pipe would wait for its writer, and a device has no end.
            raise DamagedFileError(f"{brief(path)} is not a regular file", hint="Name images, or folders of them.")
        elif path.suffix.lower() == ".zip":
            found = files_of_zip(path, pictures_only=True)
        else:
            return Listing(files=[File(path.name, str(path), 0, 0, "", path.read_bytes)])
    except OSError as error:
        raise DamagedFileError(f"{brief(path)} cannot be read: {brief(error.strerror or error)}") from None
    if not found.files and not found.problems:
        over = f"; passed over {listed(sorted(found.passed_over), shown=_SHOWN)}" if found.passed_over else ""
        raise NotFoundError(
            f"{brief(path)} holds no image{over}", hint="Put one image, or one folder of images, for each class there."
        )
    return found


def _class_of(name: str) -> str:
    """Return the class of a file by its path in a folder: the folder that it lies in, or its own name."""
    folder, _, file = name.rpartition("/")
    return folder or Path(file).stem


def _image(file: File) -> NamedImage:
    path = Path(file.place)
    return NamedImage(brief(file.place), path if path.is_file() else file.read())


def said_of_problems(problems: Sequence[Exception]) -> str:
    """Return in a sentence why images cannot be used."""
    return f"{counted(len(problems), 'image')} cannot be used: {listed(list(map(str, problems)), shown=_SHOWN)}"
