"""Which images train, validate and test: fixed rules, so that nothing is re-drawn and results can be compared."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnishot.data.image_set import Labels
from omnishot.errors import SamplingError, SettingsError, brief
from omnishot.vocabulary import PARTS, Holdout, SplitName
from omnishot.wording import counted, listed

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


_NAMED_PARTS = {
    "train": "train", "training": "train", "trn": "train", "trainings": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "validate": "validation",
    "dev": "validation", "development": "validation",
    "test": "test", "testing": "test", "tst": "test", "tests": "test", "eval": "test", "evaluation": "test",
    "holdout": "test", "heldout": "test",
}  # fmt: skip
"""What people call the folders of the parts of a split: letters alone, in lower case, without an `_ENDING`."""

_ENDING = re.compile(r"(set|data|dataset|daten|images?|imgs?|pictures|photos|split|part|classes)$")


def split_images(labels: Labels, name: SplitName, *, holdout: Holdout = "five") -> Split:
    """Divide images into train, validation and test.

    Args:
        labels: What each image shows.
        name: `koch` (Koch et al. 2015, section 4.1: 30/10/10 alphabets, drawers 12/4/4), `lake` (background alphabets
            train and validate, evaluation alphabets test), `drawers` (12 drawers train, 4 validate, evaluation
            alphabets test), `folders` (as the source's own folders train, validation and test say), `alphabets` (for
            other sources: the last fifths of the alphabets, or of the classes where there are fewer than three
            alphabets), or `test-only`.
        holdout: For `lake`: hold `five` background alphabets out for validation, or `none`.

    Raises:
        SettingsError: The split needs Omniglot's alphabets and these are others.
        SamplingError: There are too few alphabets and classes to divide, or a class is in two parts.
    """
    if name == "folders":
        return _by_folder(labels)
    if name == "test-only":
        return all_for_test(len(labels))
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


def has_named_parts(labels: Labels) -> bool:
    """Tell whether the outermost folders of a source are the parts of a split.

    Args:
        labels: What each image shows; names of classes are `part/class` or `part/alphabet/class`.
    """
    return all("/" in name for name in labels.character_names) and are_named_parts(
        {name.partition("/")[0] for name in labels.character_names}
    )


def are_named_parts(folders: Collection[str]) -> bool:
    """Tell whether folders are called as the parts of a split, among them one to train and another."""
    parts = {_part_of(name) for name in folders}
    return None not in parts and "train" in parts and len(parts) > 1


def usual_split_of(labels: Labels, otherwise: SplitName) -> SplitName:
    """Return the split of images of which nobody says how to divide them: by folder where these are called parts.

    Raises:
        SamplingError: Some folders are called as the parts of a split, and others beside them are not.
    """
    if has_named_parts(labels):
        return "folders"
    outermost = sorted({name.partition("/")[0] for name in labels.character_names if "/" in name})
    named = [name for name in outermost if _part_of(name)]
    if are_named_parts(named):
        others = [brief(name) for name in outermost if name not in named]
        raise SamplingError(
            f"The folders {' and '.join(map(brief, named))} are parts of a split, and beside them lies "
            f"{listed(others, shown=3)}, which is none",
            hint="Move it elsewhere; or divide all of them alike with `omnishot prepare --split alphabets`.",
        )
    return otherwise


def _part_of(class_name: str) -> str | None:
    """Return the part that is the outermost folder of a class, or None where it is called otherwise."""
    letters = re.sub(r"[\W\d_]", "", class_name.partition("/")[0].casefold())
    return _NAMED_PARTS.get(letters) or _NAMED_PARTS.get(_ENDING.sub("", letters))


def _by_folder(labels: Labels) -> Split:
    parts = [_part_of(name) for name in labels.character_names]
    _refuse_shared_classes(labels.character_names, parts)
    if "test" not in parts:  # Held out is held out: where there is one such part, it is the test.
        parts = ["test" if part == "validation" else part for part in parts]
    part_of_image = np.array(parts, dtype=object)[labels.character]
    return Split(*(np.flatnonzero(part_of_image == part).astype(np.int32) for part in PARTS))


def _refuse_shared_classes(names: Sequence[str], parts: Sequence[str | None]) -> None:
    """Refuse a class that is in two parts: what was trained on is no new class any more."""
    found: dict[str, dict[str | None, str]] = {}  # In whatever case a class is written.
    for name, part in zip(names, parts, strict=True):
        own_name = unicodedata.normalize("NFC", name.partition("/")[2])
        alike = found.setdefault(unicodedata.normalize("NFC", own_name.casefold()), {})
        alike.setdefault(part, own_name)
    shared = [" and ".join(sorted(set(names.values()))) for names in found.values() if len(names) > 1]
    if not shared:
        return
    shown = ", ".join(map(brief, shared[:3])) + (", ..." if len(shared) > 3 else "")
    raise SamplingError(
        f"The folders of the parts share {counted(len(shared), 'class')} of {len(found)} ({shown}), but one-shot "
        "accuracy is measured on classes that were not trained on",
        hint="Put each class into one part; or move all classes into one folder, to be divided by class; or measure "
        "on the test folder alone: `omnishot eval MODEL --source FOLDER/test`.",
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
    """Divide by alphabet, or by class where fewer than three alphabets can be paired.

    Classes of two images or more are divided first, so that each part has some.
    """
    sizes = np.bincount(labels.character, minlength=len(labels.character_names))
    of_paired = sizes[labels.character] >= 2
    n_able = len(np.unique(labels.alphabet[of_paired]))
    groups, fewest = (labels.alphabet, 1) if n_able >= 3 else (labels.character, 2)
    able = np.unique(groups[of_paired])
    single = np.setdiff1d(groups, able)
    n_groups = len(able) + len(single)
    if len(able) < 3 or n_groups < 3 * fewest:
        raise _too_few_to_divide(n_groups, len(able))
    n_held_out = max(fewest, round(n_groups * 0.2))
    n_single = min(n_held_out - max(1, round(len(able) * 0.2)), len(single) // 2)
    held_out = _last_twice(able, n_held_out - n_single), _last_twice(single, n_single)
    validation, test = (np.isin(groups, np.concatenate(part)) for part in zip(*held_out, strict=True))
    return Split(
        train=np.flatnonzero(~test & ~validation).astype(np.int32),
        validation=np.flatnonzero(validation).astype(np.int32),
        test=np.flatnonzero(test).astype(np.int32),
    )


def _last_twice(groups: NDArray[Any], n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the last n groups but n, and the last n."""
    end = len(groups)
    return groups[end - 2 * n : end - n], groups[end - n :]


def _too_few_to_divide(n_classes: int, n_able: int) -> SamplingError:
    if n_classes < 6:
        return SamplingError(
            f"Train, validation and test need 2 classes each, 6 in all, but there are {n_classes}",
            hint="Add classes, each in its own folder; or measure on all there are: `omnishot eval --source PATH`.",
        )
    return SamplingError(
        "Train, validation and test need a class of 2 images or more each, but "
        f"{n_able or 'none'} of {n_classes:,} classes {'has' if n_able == 1 else 'have'} them",
        hint="Add a second image to some classes; or train on other images, such as --source glyphs: a trained network "
        "needs one image of a class to recognise it.",
    )
