"""Many picture files decoded, and those that are none named all at once."""

import math
import mmap
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from omnishot.data.sources.decoding import SIDE, read_picture
from omnishot.data.sources.files import File
from omnishot.data.sources.ink import Reading
from omnishot.data.sources.photos import PhotoFormat, read_photo
from omnishot.errors import DamagedFileError
from omnishot.progress import OnProgress, Progress
from omnishot.wording import counted

_SHOWN = 8
_PHOTOS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pictures that were read, and what could not be.

    Attributes:
        pixels: Shape (n, side, side), uint8, ink 255 on 0; or photographs, (n, side, side, 1 or 3).
        is_dark: Whether the dark of each file is its ink, shape (n,); of no photograph.
        is_blank: Whether each is without ink, shape (n,), or of one colour.
        files: Their files.
        bad: Why each of the other files is no picture.
    """

    pixels: NDArray[np.uint8]
    is_dark: NDArray[np.bool_]
    is_blank: NDArray[np.bool_]
    files: list[File]
    bad: list[DamagedFileError]

    def without(self, some: NDArray[np.bool_]) -> "Decoded":
        """Return all but some pictures, shape (n,)."""
        kept = ~some
        files = [file for file, is_kept in zip(self.files, kept, strict=True) if is_kept]
        return replace(
            self, pixels=self.pixels[kept], is_dark=self.is_dark[kept], is_blank=self.is_blank[kept], files=files
        )


def decoded(files: Sequence[File], reading: Reading, name: str, on_progress: OnProgress) -> Decoded:
    """Decode pictures, the sound ones in the order of their files.

    Args:
        files: The files.
        reading: What is ink.
        name: What to call them in the progress.
        on_progress: Receives progress.
    """
    pixels = np.empty((len(files), SIDE, SIDE), dtype=np.uint8)
    is_dark, is_blank = np.zeros((2, len(files)), dtype=np.bool_)
    sound: list[File] = []
    bad: list[DamagedFileError] = []
    for i, file in enumerate(files):
        if i % 200 == 0:
            on_progress(Progress(f"Reading {name}", i, len(files), "images"))
        try:
            picture = read_picture(file.read(), place=file.place, reading=reading)
        except DamagedFileError as error:
            bad.append(error)
        else:
            place = len(sound)
            pixels[place], is_dark[place], is_blank[place] = picture.pixels, picture.is_dark, picture.is_blank
            sound.append(file)
    n_sound = len(sound)
    return Decoded(pixels[:n_sound], is_dark[:n_sound], is_blank[:n_sound], sound, bad)


def decoded_photos(files: Sequence[File], kept: PhotoFormat, name: str, on_progress: OnProgress) -> Decoded:
    """Decode photographs into a temporary file, as they would fill the memory; else as `decoded` does."""
    sound: list[File] = []
    bad: list[DamagedFileError] = []
    size = math.prod(kept.shape)
    with tempfile.TemporaryFile() as file:
        file.truncate(max(1, len(files) * size))
        stored = mmap.mmap(file.fileno(), max(1, len(files) * size))
    pixels = np.frombuffer(stored, dtype=np.uint8)[: len(files) * size].reshape(-1, *kept.shape)
    is_empty = np.zeros(len(files), dtype=np.bool_)
    for i, one in enumerate(files):
        if i % _PHOTOS_AT_ONCE == 0:
            stored.madvise(mmap.MADV_DONTNEED)  # They are in the file, and no longer in this process's memory.
            on_progress(Progress(f"Reading {name}", i, len(files), "images"))
        try:
            photo = read_photo(one.read(), place=one.place, kept=kept)
        except DamagedFileError as error:
            bad.append(error)
        else:
            pixels[len(sound)], is_empty[len(sound)] = photo.pixels, photo.is_blank
            sound.append(one)
    n_sound = len(sound)
    return Decoded(pixels[:n_sound], np.zeros(n_sound, dtype=np.bool_), is_empty[:n_sound], sound, bad)


def all_at_once(bad: Sequence[DamagedFileError], n_sound: int, place: str) -> DamagedFileError:
    """Return one error for all that cannot be read, with one of each kind first.

    Args:
        bad: The errors.
        n_sound: How many pictures are sound.
        place: What to call the whole.
    """
    remedies = list(dict.fromkeys(error.hint for error in bad if error.hint))
    if n_sound:
        remedies.append(f"Or leave {'it' if len(bad) == 1 else 'them'} out with --skip-bad.")
    hint = " ".join(remedies)
    if len(bad) == 1:
        return DamagedFileError(str(bad[0]), hint=hint)
    sound = f"{counted(n_sound, 'picture')} {'is' if n_sound == 1 else 'are'} sound"
    return DamagedFileError(
        f"{len(bad):,} things in {place} cannot be read, {sound}: {summed_up(bad, place)}", hint=hint
    )


def summed_up(bad: Sequence[DamagedFileError], place: str) -> str:
    """Return the first reasons, one of each kind before others of the same, with names as they are in a place."""
    first = list({error.hint: error for error in reversed(bad)}.values())[::-1]
    order = [*first, *(error for error in bad if error not in first)]
    shown = "; ".join(str(error).removeprefix(f"{place}/") for error in order[:_SHOWN])
    return shown if len(order) <= _SHOWN else f"{shown}; and {len(order) - _SHOWN:,} more"
