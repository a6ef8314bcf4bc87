"""References are read as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.errors import UsageError
from omnishot.store.reference import Reference, check_name, parse
from omnishot.vocabulary import KINDS


@given(
    kind=st.sampled_from(KINDS),
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}", fullmatch=True),
    version=st.integers(1, 10**9 - 1),
)
def test_a_reference_survives_a_round_trip(kind: str, name: str, version: int) -> None:
    query = parse(str(Reference(kind, name, version)))
    assert (query.kind, query.name, query.version) == (kind, name, version)


def test_parts_may_be_left_out() -> None:
    assert (parse("koch").kind, parse("koch").version) == (None, None)
    assert parse("koch:latest").version is None
    assert parse("models/koch").kind == "models"
    assert parse("koch:v3").version == 3


@pytest.mark.parametrize(
    "text",
    ["", "../../etc/passwd", "a/b/c", "/koch", "koch:", "koch:v0", "koch:3", "nokind/koch", ".hidden", "x" * 10_000,
     "ko ch", "koch\n", "koch\x1b[31m", "[bold]koch"],
)  # fmt: skip
def test_what_is_no_reference_is_refused_shortly(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert len(str(caught.value)) < 120
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a:b", "-x", "x" * 101, "ä"])
def test_names_that_would_not_do_for_a_folder_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)
