"""Which images train, validate and test: fixed rules, so that nothing is re-drawn and results can be compared."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.data.image_set import Labels
from omnishot.errors import SamplingError, SettingsError
from omnishot.vocabulary import Holdout, SplitName

LAKE_RUN_ALPHABETS = (
    "Atlantean", "Ge_ez", "Glagolitic", "Gurmukhi", "Kannada",
    "Malayalam", "Manipuri", "Old_Church_Slavonic_(Cyrillic)", "Tengwar", "Tibetan",
)  # fmt: skip
"""The evaluation alphabets that Lake's 20 runs use."""

OTHER_EVALUATION_ALPHABETS = (
    "Angelic", "Atemayar_Qelisayer", "Aurek-Besh", "Avesta", "Keble",
    "Mongolian", "Oriya", "Sylheti", "Syriac_(Serto)", "ULOG",
)  # fmt: skip
"""The evaluation alphabets in no run; Koch et al. validate on them."""

HELD_OUT_BACKGROUND_ALPHABETS = ("Bengali", "Futurama", "Hebrew", "Japanese_(katakana)", "Tifinagh")
"""Background alphabets that validate in the `lake` split: each has 20 characters or more, from five script families."""


@dataclass(frozen=True, slots=True)
class Split:
    """Image indices of the three parts, ascending, without overlap.

    Attributes:
        train: Shape (n_train,).
        validation: Shape (n_validation,); empty where nothing is held out.
        test: Shape (n_test,).
    """

    train: NDArray[np.int32]
    validation: NDArray[np.int32]
    test: NDArray[np.int32]


def split_images(labels: Labels, name: SplitName, *, holdout: Holdout = "five") -> Split:
    """Divide images into train, validation and test.

    Args:
        labels: What each image shows.
        name: `koch` (Koch et al. 2015, section 4.1: 30/10/10 alphabets, drawers 12/4/4), `lake` (background alphabets
            train and validate, evaluation alphabets test), `drawers` (12 drawers train, 4 validate, evaluation
            alphabets test), or `alphabets` (for other sources: the last fifths of the alphabets, or of the
            characters where there are fewer than three alphabets).
        holdout: For `lake`: hold `five` background alphabets out for validation, or `none`.

    Raises:
        SettingsError: The split needs Omniglot's alphabets and these are others.
        SamplingError: There are too few alphabets and characters to divide.
    """
    if name == "alphabets":
        return _by_alphabet_or_character(labels)
    evaluation = (*LAKE_RUN_ALPHABETS, *OTHER_EVALUATION_ALPHABETS)
    if not set(evaluation) <= set(labels.alphabet_names):
        raise SettingsError(f"The split '{name}' is for Omniglot", hint="Use --split alphabets for other images.")
    background = [alphabet for alphabet in labels.alphabet_names if alphabet not in evaluation]
    if name == "koch":
        return Split(
            train=_choose(labels, background, range(12)),
            validation=_choose(labels, OTHER_EVALUATION_ALPHABETS, range(12, 16)),
            test=_choose(labels, LAKE_RUN_ALPHABETS, range(16, 20)),
        )
    everyone = range(20)
    if name == "drawers":
        return Split(
            train=_choose(labels, background, range(12)),
            validation=_choose(labels, background, range(12, 16)),
            test=_choose(labels, evaluation, everyone),
        )
    held_out = HELD_OUT_BACKGROUND_ALPHABETS if holdout == "five" else ()
    return Split(
        train=_choose(labels, [alphabet for alphabet in background if alphabet not in held_out], everyone),
        validation=_choose(labels, held_out, everyone),
        test=_choose(labels, evaluation, everyone),
    )


def all_for_test(n_images: int) -> Split:
    """Return a split of images that were gathered as a test set."""
    nothing = np.empty(0, dtype=np.int32)
    return Split(train=nothing, validation=nothing, test=np.arange(n_images, dtype=np.int32))


def _choose(labels: Labels, alphabets: Collection[str], drawers: range) -> NDArray[np.int32]:
    wanted = [labels.alphabet_names.index(alphabet) for alphabet in alphabets]
    chosen = np.isin(labels.alphabet, wanted) & np.isin(labels.drawer, drawers)
    return np.flatnonzero(chosen).astype(np.int32)


def _by_alphabet_or_character(labels: Labels) -> Split:
    by_alphabet = len(labels.alphabet_names) >= 3
    groups = labels.alphabet if by_alphabet else labels.character
    names = np.unique(groups)
    if len(names) < (3 if by_alphabet else 6):
        raise SamplingError(
            f"Train, validation and test need 2 classes each, 6 in all, but there are {len(names)}",
            hint="Put the images of each class into a folder of its own, and add classes.",
        )
    n_held_out = max(1 if by_alphabet else 2, round(len(names) * 0.2))
    test, validation = names[-n_held_out:], names[-2 * n_held_out : -n_held_out]
    in_test, in_validation = np.isin(groups, test), np.isin(groups, validation)
    return Split(
        train=np.flatnonzero(~in_test & ~in_validation).astype(np.int32),
        validation=np.flatnonzero(in_validation).astype(np.int32),
        test=np.flatnonzero(in_test).astype(np.int32),
    )
