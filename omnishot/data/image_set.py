"""A labelled set of images in memory: who drew which character of which alphabet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from omnishot.vocabulary import InkName


@dataclass(frozen=True, slots=True)
class Runs:
    """One-shot runs with fixed support and query images, as Lake et al. 2015 published them.

    Attributes:
        support: Image indices, shape (n_runs, n_way); one image per class, all by one drawer.
        query: Image indices, shape (n_runs, n_query), all by another drawer.
        answer: Column of `support` that shows the query's class, shape (n_runs, n_query).
    """

    support: NDArray[np.int32]
    query: NDArray[np.int32]
    answer: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Labels:
    """What each image shows; a *class* is a character.

    Attributes:
        alphabet: Index into `alphabet_names`, shape (n,).
        character: Index into `character_names`, shape (n,); unique over all alphabets.
        drawer: Who drew the image, shape (n,), counted from 0; where the source does not say
            (`SOURCES_WITH_DRAWERS`), the number of the image within its class.
        alphabet_names: Names of the alphabets.
        character_names: Names of the characters, `alphabet/character`.
    """

    alphabet: NDArray[np.int16]
    character: NDArray[np.int32]
    drawer: NDArray[np.int32]
    alphabet_names: tuple[str, ...]
    character_names: tuple[str, ...]

    @classmethod
    def from_names(cls, alphabets: Sequence[str], characters: Sequence[str], drawers: ArrayLike) -> "Labels":
        """Number the alphabets and characters of n images in the order of their first appearance.

        Characters are unique over all alphabets; drawers, shape (n,), are counted from 0.
        """
        alphabet_index = {name: i for i, name in enumerate(dict.fromkeys(alphabets))}
        character_index = {name: i for i, name in enumerate(dict.fromkeys(characters))}
        return cls(
            alphabet=np.array([alphabet_index[name] for name in alphabets], dtype=np.int16),
            character=np.array([character_index[name] for name in characters], dtype=np.int32),
            drawer=np.asarray(drawers, dtype=np.int32),
            alphabet_names=tuple(alphabet_index),
            character_names=tuple(character_index),
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.character)


@dataclass(frozen=True, slots=True)
class Findings:
    """What reading a source of one's own showed about its pictures.

    Attributes:
        ink: What is ink in them: `dark` on a lighter ground, or `light` on a darker one; None of photographs.
        inverted: Pictures whose dark is ink, and was made bright.
        contrary: Pictures unmistakably drawn the other way round, and read so.
        blank: Pictures without ink, or of one colour.
        copies: Pictures equal to an earlier one of their class, pixel for pixel.
        in_two_classes: Pictures of which an equal one lies in another class.
        left_out: Files that are no sound pictures, and were left out as was asked.
        notes: What of this a user should know, one sentence each.
    """

    ink: InkName | None
    inverted: int = 0
    contrary: int = 0
    blank: int = 0
    copies: int = 0
    in_two_classes: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images and their labels, in the order alphabet, character, drawer.

    Attributes:
        pixels: Shape (n, side, side), uint8, ink 255 on 0; or photographs as they are, (n, side, side, 1 or 3).
        labels: What each image shows.
        runs: Published one-shot runs over these images, where the source has them.
        findings: What reading them showed, where they are one's own.
    """

    pixels: NDArray[np.uint8]
    labels: Labels
    runs: Runs | None = None
    findings: Findings | None = None
