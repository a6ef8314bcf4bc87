"""Whatever the text, YAML becomes a plain value or one sentence, quickly."""

import contextlib
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from omnishot.errors import SettingsError
from omnishot.strict_yaml import read_yaml

# Without three line breaks that PyYAML writes as if they were letters; manifests quote them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(text=st.text(alphabet="ab:-[]{}&*!?\"'|>%#\n\t 0.e~\x85\u2028\ufeff"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SettingsError):
        read_yaml(text, origin="x")


@given(value=VALUES)
def test_what_pyyaml_writes_reads_back_equal(value: object) -> None:
    assert read_yaml(yaml.safe_dump(value, allow_unicode=True), origin="x", as_written=True) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\nb: *x", "the anchor &x"),
        ("a: *x", "the alias *x"),
        ("&x [*x]", "the anchor &x"),
        ("!!binary aGk=", "the tag"),
        ("a: 1\na: 2", "'a' comes twice in one mapping, in line 2"),
        ("1: 2", "the key 1 is not a word"),
        ("[" * 100_000, "nests deeper than 50 levels"),
        ("- " * 100_000, "nests deeper than 50 levels"),
        ("9" * 10_000, "a number has 10,000 digits"),
        ("1e999", "too large"),
        ("a" * 1_000_001, "1,000,000 is the limit"),
        ("\x1b[31m", "control characters"),
        ("\ud800", "surrogates"),
    ],
    ids=lambda value: value[:12],
)
def test_what_could_harm_is_named(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_yaml(text, origin="x")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_date_that_does_not_exist_is_a_word() -> None:
    assert read_yaml("a: 2001-99-99", origin="x") == {"a": "2001-99-99"}


def test_many_keys_take_no_longer_each() -> None:
    seconds = []
    for n in (5_000, 50_000):
        started = time.process_time()
        assert len(read_yaml("".join(f"k{i}: 1\n" for i in range(n)), origin="x")) == n
        seconds.append(time.process_time() - started)
    assert seconds[1] < 30 * seconds[0]  # Each compared with all before it would be a hundred times.
