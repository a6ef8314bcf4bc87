"""Histories come back as they were written, and what cannot be one is refused."""

from pathlib import Path

import pytest

from omnishot.config import MOST_EPOCHS
from omnishot.errors import DamagedFileError
from omnishot.formats.history import read_history, write_history

LINES = (
    '{"epoch": 1, "steps": 6, "loss": 0.721449077129364, "training_accuracy": 0.5, "validation_accuracy": 0.3, '
    '"learning_rate": 0.03, "pairs_per_second": 220.8, "seconds": 0.564}\n'
    '{"epoch": 2, "steps": 2, "loss": 1e-05, "training_accuracy": 1.0, "validation_accuracy": null, '
    '"learning_rate": 0.029699999999999997, "pairs_per_second": 0.0, "seconds": 1.03}\n'
)


def test_a_history_is_written_byte_for_byte_as_it_was_read(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text(LINES)
    write_history(second, read_history(first))
    assert second.read_bytes() == LINES.encode()


def test_a_history_of_an_older_version_lacks_what_it_did_not_measure(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "loss": 1.5, "validation_accuracy": null, "learning_rate": 0.001, "seconds": 1.0}\n')
    (record,) = read_history(path)
    assert (record.loss, record.validation_accuracy, record.training_accuracy) == (1.5, None, None)


@pytest.mark.parametrize("line", ["{}", "[]", '{"epoch": 1, "loss": NaN, "learning_rate": 1}', "\x00"])
def test_a_line_that_is_no_epoch_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "loss": 1.5, "learning_rate": 0.001}\n' + line + "\n")
    with pytest.raises(DamagedFileError, match="line 2"):
        read_history(path)


def test_as_many_epochs_as_a_run_may_have_are_read_and_no_more(tmp_path: Path) -> None:
    line = LINES.splitlines()[0] + "\n"
    path = tmp_path / "history.jsonl"
    path.write_text(line * MOST_EPOCHS)
    assert path.stat().st_size > 16_000_000
    assert len(read_history(path)) == MOST_EPOCHS
    path.write_text(line * (MOST_EPOCHS + 1))
    with pytest.raises(DamagedFileError, match=r"has 100,001 lines; 100,000 epochs are the most"):
        read_history(path)
