"""A name says what an artifact was made of, and two folders do not share one because letters were lost."""

import unicodedata

import pytest

from omnishot.config import PrepareSettings
from omnishot.naming import as_name, pairs_name
from omnishot.store.reference import check_name

OTHERS = [
    "文字",
    "漢字",
    "한국어",
    "العربية",
    "文字2",
    "字2",
    "Größe",
    "Grüße",
    "…",
    "a" * 80,
    "a" * 79 + "b",
    "\udce4",
]


@pytest.mark.parametrize("text", [*OTHERS, "photos", "my photos", "..hidden", "a.b_c+d-e"])
def test_every_text_becomes_a_name_that_may_be_given(text: str) -> None:
    check_name(as_name(text))
    longest = PrepareSettings(split="drawers", pairs=1_500_000, affine=16, negatives="alphabet")
    check_name(pairs_name(text, longest))


def test_texts_whose_letters_are_lost_have_names_of_their_own() -> None:
    assert len({as_name(text) for text in OTHERS}) == len(OTHERS)
    assert as_name("文字").startswith("images-")
    assert as_name("Größe").startswith("Gr-")


def test_a_text_is_named_alike_however_its_letters_are_composed() -> None:
    assert as_name(unicodedata.normalize("NFD", "Größe")) == as_name("Größe")


def test_names_without_such_letters_stay_what_they_were() -> None:
    assert [as_name(text) for text in ("photos", "my photos", "..hidden", "--")] == [
        "photos", "my-photos", "hidden", "images"
    ]  # fmt: skip
