"""A folder of one's own images: `class/image` or `alphabet/class/image`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.sources.decoding import SIDE, decode_picture
from omnishot.data.sources.files import File, content_digest, files_of_folder
from omnishot.errors import DamagedFileError, NotFoundError, brief, is_one_line
from omnishot.progress import OnProgress, Progress

_MOST_ALPHABETS = 32_767
_BUILT_IN = {"omniglot", "glyphs", "mnist", "auto"}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's image files, found but not decoded.

    Attributes:
        name: Name of the folder.
        files: The files, ordered by name.
        digest: Digest of the content.
    """

    name: str
    files: tuple[File, ...]
    digest: str

    def read(self, on_progress: OnProgress) -> ImageSet:
        """Decode every picture; the drawers of a class are its images in the order of their names.

        Raises:
            DamagedFileError: A file is no image.
        """
        n = len(self.files)
        pixels = np.empty((n, SIDE, SIDE), dtype=np.uint8)
        for i, file in enumerate(self.files):
            pixels[i] = decode_picture(file.read(), place=file.place)
            if i % 200 == 0:
                on_progress(Progress(f"Reading {self.name}", i, n, "images"))
        return ImageSet(pixels, self._labels())

    def _labels(self) -> Labels:
        classes = [file.name.rpartition("/")[0] for file in self.files]
        alphabets = [name.rpartition("/")[0] or self.name for name in classes]
        drawers: list[int] = []
        for i, name in enumerate(classes):
            drawers.append(drawers[-1] + 1 if i and classes[i - 1] == name else 0)
        return Labels.from_names(alphabets, classes, drawers)


def find(path: Path) -> Folder:
    """List a folder's images.

    Raises:
        NotFoundError: There is no such folder, or it holds no class folders.
        DamagedFileError: Its folders are nested to different depths, or a file or name is no good.
    """
    if not path.is_dir():
        raise NotFoundError(
            f"'{path}' is neither a built-in source nor a folder",
            hint="Use --source omniglot, glyphs, mnist, auto, or the path of a folder with one folder per class.",
        )
    name = path.resolve().name
    if not is_one_line(name):
        raise DamagedFileError(f"{brief(repr(name))} is no name that can be printed and stored", hint="Rename it.")
    files = files_of_folder(path)
    depths = {file.name.count("/") for file in files}
    if not depths or depths == {0}:
        raise NotFoundError(
            f"{path} holds no class folders ({len(files)} files lie in it directly)",
            hint="Make one folder per class, or alphabet/class, and put the images there.",
        )
    if depths not in ({1}, {2}):
        stray = min(files, key=lambda file: file.name.count("/"))
        raise DamagedFileError(
            f"{path} mixes depths: {stray.place} lies {stray.name.count('/')} folders deep, others "
            f"{max(depths)}; all images must lie in class/ or alphabet/class/",
            hint="Move it, or begin its name with a dot to have it passed over.",
        )
    files.sort(key=lambda file: file.name.split("/"))
    n_alphabets = len({file.name.rpartition("/")[0].rpartition("/")[0] for file in files})
    if n_alphabets > _MOST_ALPHABETS:
        raise DamagedFileError(f"{path} holds {n_alphabets:,} alphabets; {_MOST_ALPHABETS:,} is the limit")
    # A folder called omniglot is not Omniglot.
    return Folder(f"{name}-folder" if name in _BUILT_IN else name, tuple(files), content_digest(files))
