"""What is said of a source's pictures once they are read: how they were read, which are blank, which are copies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from omnishot.data.copies import first_equal
from omnishot.data.image_set import Findings, Labels
from omnishot.data.sources.ink import WHITE, Reading
from omnishot.data.sources.pictures import Decoded, summed_up
from omnishot.errors import DamagedFileError
from omnishot.wording import listed

_SHOWN = 3
_LONGEST = 1000
"""Characters of a note, as a manifest holds it."""
_REMOVE_BLANK = "Say with --ink dark or --ink light how the pictures are drawn, or remove those that are blank."
_DRAWN = {"dark": "dark on a lighter ground", "light": "light on a darker ground"}


def refuse_blank_classes(labels: Labels, is_blank: NDArray[np.bool_], *, skip_bad: bool) -> None:
    """Check that some picture of every class holds ink.

    Args:
        labels: What each picture shows.
        is_blank: Whether each is without ink, shape (n,).
        skip_bad: Whether what cannot be read is left out.

    Raises:
        DamagedFileError: All pictures of a class are blank.
    """
    blank = np.flatnonzero(in_blank_classes(labels, is_blank))
    if not len(blank):
        return
    names = [labels.character_names[i] for i in np.unique(labels.character[blank])]
    which = "" if len(names) == len(labels.character_names) else f", among them all of {listed(names, shown=_SHOWN)}"
    raise DamagedFileError(
        f"{is_blank.sum():,} of {len(labels):,} pictures hold no ink{which}",
        hint=_REMOVE_BLANK if skip_bad or not which else f"Leave them out with --skip-bad. {_REMOVE_BLANK}",
    )


def in_blank_classes(labels: Labels, is_blank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of which pictures the whole class is blank, shape (n,)."""
    drawn = np.bincount(labels.character[~is_blank], minlength=len(labels.character_names))
    return np.asarray(drawn[labels.character] == 0)


def find_out(
    read: Decoded, labels: Labels, reading: Reading | None, *, bad: Sequence[DamagedFileError], place: str
) -> Findings:
    """Look at pictures that were read.

    Args:
        read: The pictures.
        labels: What each shows.
        reading: How they were read, or None where they are photographs.
        bad: What was left out.
        place: What to call the source.
    """
    pixels, is_dark, is_blank = read.pixels, read.is_dark, read.is_blank
    names = [file.name for file in read.files]
    contrary = np.flatnonzero((is_dark != (reading.ink == "dark")) & ~is_blank) if reading else np.empty(0, np.int64)
    blank = np.flatnonzero(is_blank)
    first = first_equal(pixels)
    first[blank] = blank  # Blank pictures are no copies of each other.
    of_class = first.astype(np.int64) * len(labels.character_names) + labels.character
    each, places = np.unique(of_class, return_index=True)
    copies = np.setdiff1d(np.arange(len(pixels)), places)
    picture, n_classes = np.unique(each // len(labels.character_names), return_counts=True)
    shared = picture[n_classes > 1]

    def said(indices: NDArray[np.integer], of_one: str, of_many: str) -> str:
        examples = listed([names[i] for i in indices], shown=_SHOWN)
        return f"{len(indices):,} of {len(pixels):,} pictures {of_one if len(indices) == 1 else of_many} ({examples})"

    notes = [f"Left out {len(bad):,} that cannot be read: {summed_up(bad, place)}"] if bad else []
    if reading and reading.settings:
        notes.append(_in_words(reading))
    if reading and len(contrary):
        other = _DRAWN["light" if reading.ink == "dark" else "dark"]
        notes.append(said(contrary, *(f"{are} drawn {other}, unlike the others, and read so" for are in ("is", "are"))))
    if len(blank):
        empty = ("holds no ink", "hold no ink") if reading else ("is of one colour", "are of one colour")
        notes.append(said(blank, *empty))
    if len(copies):
        notes.append(said(copies, "is a copy of another in its class", "are copies of another in their class"))
    if len(shared):
        equal = np.flatnonzero(first == shared[0])
        twin = equal[labels.character[equal] != labels.character[shared[0]]][0]
        notes.append(
            f"{said(shared, 'is in two classes', 'are in two classes or more')}: {names[twin]} is {names[shared[0]]}"
        )
    return Findings(
        reading.ink if reading else None,
        inverted=int(is_dark.sum()),
        contrary=len(contrary),
        blank=len(blank),
        copies=len(copies),
        in_two_classes=len(shared),
        left_out=len(bad),
        notes=tuple(note if len(note) <= _LONGEST else f"{note[: _LONGEST - 1]}…" for note in notes),
    )


def _in_words(reading: Reading) -> str:
    words = [f"The pictures are read as drawn {_DRAWN[reading.ink]}"]
    if reading.levels != (0, 255):
        ground, ink = reversed(reading.levels) if reading.ink == "dark" else reading.levels
        words.append(f"brightness {ground} of 255 as blank and {ink} as ink")
    if reading.white != WHITE:
        words.append(f"{reading.white:,} as white in pictures of 16 bits")
    if "transparent" in reading.settings:
        words.append("what is transparent as dark where only white is visible")
    return ", ".join(words)
