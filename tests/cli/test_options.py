"""How numbers and ways are read."""

import pytest

from omnishot.cli.options import parse_count, parse_ways
from omnishot.errors import UsageError


@pytest.mark.parametrize(
    ("text", "n"),
    [("30k", 30_000), ("90000", 90_000), ("1.5M", 1_500_000), ("0.06k", 60), ("2m", 2_000_000), ("1.50k", 1500)],
)
def test_counts(text: str, n: int) -> None:
    assert parse_count(text, option="--pairs") == n


@pytest.mark.parametrize("text", ["", "k", "1.5", "1.2345k", "-3", "1e5", "90 k", "٣"])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(UsageError, match="--pairs"):
        parse_count(text, option="--pairs")


@pytest.mark.parametrize(
    ("text", "ways"), [("20", (20,)), ("1..4", (1, 2, 3, 4)), ("1,5,20", (1, 5, 20)), ("5, 1..2,5", (1, 2, 5))]
)
def test_ways(text: str, ways: tuple[int, ...]) -> None:
    assert parse_ways(text) == ways


@pytest.mark.parametrize("text", ["", "0", "3..1", "a", "1..", "1;2", "-1"])
def test_what_is_no_number_of_ways(text: str) -> None:
    with pytest.raises(UsageError, match="--ways"):
        parse_ways(text)
