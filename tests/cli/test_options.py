"""How numbers and ways are read."""

from pathlib import Path

import pytest

from omnishot.cli.options import check_folder_of, parse_count, parse_ways
from omnishot.errors import NotFoundError, UsageError


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


def test_ways_that_run_backwards_are_called_so() -> None:
    with pytest.raises(UsageError, match=r"--ways '20\.\.1': 20 is more than 1") as raised:
        parse_ways("20..1")
    assert raised.value.hint == "Write --ways 1..20."


def test_a_file_that_is_to_be_written_is_no_folder_and_has_one(tmp_path: Path) -> None:
    check_folder_of(tmp_path / "new.svg")
    with pytest.raises(UsageError, match="is a folder"):
        check_folder_of(tmp_path)
    with pytest.raises(NotFoundError, match="There is no folder"):
        check_folder_of(tmp_path / "none" / "new.svg")
