"""The splits are the published ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.splits import LAKE_RUN_ALPHABETS, has_named_parts, split_images, usual_split_of
from omnishot.errors import SamplingError, SettingsError
from omnishot.vocabulary import SplitName


def described(labels: Labels, indices: "np.typing.NDArray[np.int32]") -> tuple[int, int, int]:
    """Return the numbers of images, alphabets and drawers."""
    return len(indices), len(np.unique(labels.alphabet[indices])), len(np.unique(labels.drawer[indices]))


@pytest.mark.parametrize(
    ("name", "train", "validation", "test"),
    [
        ("koch", (964 * 12, 30, 12), (277 * 4, 10, 4), (382 * 4, 10, 4)),
        ("lake", (15_360, 25, 20), (3_920, 5, 20), (13_180, 20, 20)),
        ("drawers", (964 * 12, 30, 12), (964 * 4, 30, 4), (13_180, 20, 20)),
    ],
)
@pytest.mark.slow
def test_the_splits_have_the_published_sizes(
    omniglot: ImageSet,
    name: SplitName,
    train: tuple[int, int, int],
    validation: tuple[int, int, int],
    test: tuple[int, int, int],
) -> None:
    labels = omniglot.labels
    split = split_images(labels, name)
    assert described(labels, split.train) == train
    assert described(labels, split.validation) == validation
    assert described(labels, split.test) == test
    everything = np.concatenate([split.train, split.validation, split.test])
    assert len(np.unique(everything)) == len(everything)


@pytest.mark.slow
def test_lakes_runs_use_the_ten_alphabets_that_koch_tests_on(omniglot: ImageSet) -> None:
    assert omniglot.runs is not None
    used = np.unique(omniglot.labels.alphabet[omniglot.runs.support])
    assert {omniglot.labels.alphabet_names[i] for i in used} == set(LAKE_RUN_ALPHABETS)


@pytest.mark.slow
def test_no_training_image_is_of_an_alphabet_of_the_runs(omniglot: ImageSet) -> None:
    forbidden = [omniglot.labels.alphabet_names.index(name) for name in LAKE_RUN_ALPHABETS]
    for name in ("koch", "lake", "drawers"):
        split = split_images(omniglot.labels, name, holdout="none")
        assert not np.isin(omniglot.labels.alphabet[split.train], forbidden).any()


@pytest.mark.slow
def test_nothing_held_out_trains_on_all_thirty(omniglot: ImageSet) -> None:
    split = split_images(omniglot.labels, "lake", holdout="none")
    assert described(omniglot.labels, split.train) == (19_280, 30, 20)
    assert len(split.validation) == 0


def test_other_sources_are_divided_by_alphabet(images: ImageSet) -> None:
    split = split_images(images.labels, "alphabets")
    parts = [set(images.labels.alphabet[part].tolist()) for part in (split.train, split.validation, split.test)]
    assert parts == [{0, 1}, {2}, {3}]


def test_one_alphabet_is_divided_by_character() -> None:
    labels = Labels.from_names(["A"] * 12, [f"A/{i // 2}" for i in range(12)], [0, 1] * 6)
    split = split_images(labels, "alphabets")
    parts = [split.train.tolist(), split.validation.tolist(), split.test.tolist()]
    assert parts == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_two_classes_cannot_be_divided() -> None:
    labels = Labels.from_names(["A"] * 4, ["A/1", "A/1", "A/2", "A/2"], [0, 1, 0, 1])
    with pytest.raises(SamplingError, match="6 in all, but there are 2"):
        split_images(labels, "alphabets")


def of_sizes(*sizes: int) -> Labels:
    """Return labels of classes, given as numbers of images, in one alphabet."""
    names = [f"A/{number:03}" for number, size in enumerate(sizes) for _ in range(size)]
    return Labels.from_names(["A"] * len(names), names, [drawer for size in sizes for drawer in range(size)])


@given(st.lists(st.integers(1, 3), min_size=6, max_size=40).filter(lambda sizes: sum(n >= 2 for n in sizes) >= 3))
def test_every_part_has_two_classes_and_one_of_two_images(sizes: list[int]) -> None:
    labels = of_sizes(*sizes)
    split = split_images(labels, "alphabets")
    for part in (split.train, split.validation, split.test):
        of_class = np.bincount(labels.character[part])
        assert (of_class > 0).sum() >= 2
        assert of_class.max() >= 2
    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(len(labels)))


def test_alphabets_of_single_images_train_and_three_others_are_divided() -> None:
    alphabets = [letter for letter in "ABCDE" for _ in range(4)]
    classes = [f"{letter}/{i // (1 if letter in 'DE' else 2)}" for letter in "ABCDE" for i in range(4)]
    labels = Labels.from_names(
        alphabets, classes, [0 if letter in "DE" else i % 2 for letter in "ABCDE" for i in range(4)]
    )
    split = split_images(labels, "alphabets")
    parts = [set(labels.alphabet[part].tolist()) for part in (split.train, split.validation, split.test)]
    assert parts == [{0, 3, 4}, {1}, {2}]


@pytest.mark.parametrize(
    ("sizes", "words"), [([1] * 9, "none of 9 classes have"), ([1] * 8 + [2], "1 of 9 classes has")]
)
def test_single_images_cannot_be_divided(sizes: list[int], words: str) -> None:
    with pytest.raises(SamplingError, match=words) as refused:
        split_images(of_sizes(*sizes), "alphabets")
    assert "--source glyphs" in refused.value.hint


def test_omniglots_splits_are_for_omniglot(images: ImageSet) -> None:
    with pytest.raises(SettingsError, match="koch"):
        split_images(images.labels, "koch")


def in_folders(**classes: str) -> Labels:
    """Return labels of two images of each class, of which the letters are given, in folders of these names."""
    names = [f"{folder}/{letter}" for folder, letters in classes.items() for letter in letters for _ in range(2)]
    return Labels.from_names([name.partition("/")[0] for name in names], names, [0, 1] * (len(names) // 2))


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Training", "VALIDATION", "Testing"),
        ("train", "valid", "eval"),
        ("train_set", "val-set", "test_set"),
        ("01_train", "02_valid", "03_test"),
        ("Training Data", "Validation Images", "Held-out"),
        ("Trainingsdaten", "dev", "Testdaten"),
        ("test", "dev", "train"),
    ],
)
def test_folders_that_are_called_parts_are_those_parts(train: str, validation: str, test: str) -> None:
    labels = in_folders(**{train: "ab", validation: "c", test: "de"})
    assert has_named_parts(labels)
    split = split_images(labels, "folders")
    found = [
        {labels.alphabet_names[i] for i in labels.alphabet[part]}
        for part in (split.train, split.validation, split.test)
    ]
    assert found == ([{train}, {validation}, {test}] if train != "test" else [{test}, {validation}, {train}])


def test_a_split_by_folders_needs_no_validation() -> None:
    labels = in_folders(train="ab", test="cd")
    assert has_named_parts(labels)
    assert len(split_images(labels, "folders").validation) == 0


@pytest.mark.parametrize(
    "folders", [{"train": "ab", "latin": "cd", "test": "e"}, {"train": "abc"}, {"a": "b", "c": "d"}]
)
def test_other_folders_are_alphabets(folders: dict[str, str]) -> None:
    assert not has_named_parts(in_folders(**folders))


@pytest.mark.parametrize(
    "folders", [{"train": "ab", "test": "cd", "unlabeled": "ef"}, {"Val": "a", "x": "b", "training": "c"}]
)
def test_parts_beside_other_folders_are_neither_parts_nor_alphabets(folders: dict[str, str]) -> None:
    with pytest.raises(
        SamplingError, match=r"are parts of a split, and beside them lies \w+, which is none"
    ) as refused:
        usual_split_of(in_folders(**folders), "alphabets")
    assert "--split alphabets" in refused.value.hint


def test_other_images_are_divided_as_usual() -> None:
    assert usual_split_of(in_folders(train="ab", test="c"), "alphabets") == "folders"
    assert usual_split_of(in_folders(latin="ab", test="c"), "alphabets") == "alphabets"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("caf\u00e9", "cafe\u0301", "caf\u00e9"),
        ("Cat0", "cat0", "Cat0 and cat0"),
        ("\u00c9", "e\u0301", "\u00c9 and \u00e9"),
    ],
    ids=["composed", "case", "both"],
)
def test_a_class_is_in_two_parts_however_its_name_is_spelt(first: str, second: str, said: str) -> None:
    names = [f"{part}/{name}" for part, name in (("train", first), ("test", second)) for _ in range(2)]
    labels = Labels.from_names([name.partition("/")[0] for name in names], names, [0, 1, 0, 1])
    with pytest.raises(SamplingError, match=rf"share 1 class of 1 \({said}\)"):
        split_images(labels, "folders")


def test_a_class_in_two_parts_is_refused_with_its_name_and_the_ways_out() -> None:
    labels = in_folders(train="abcd", val="cd", test="e")
    with pytest.raises(SamplingError, match=r"share 2 classes of 5 \(c, d\)") as refused:
        split_images(labels, "folders")
    assert "--source FOLDER/test" in refused.value.hint
