"""A checkpoint is whole or refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint

STATE = {"weights": torch.arange(1000.0), "position": {"epoch": 3, "history": [{"loss": 0.5}]}}


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, STATE)
    read = read_checkpoint(tmp_path)
    assert torch.equal(read["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert read["position"] == STATE["position"]
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_nothing_to_resume_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing to resume"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("place", [0, 30, 64, 65, 2000, -1])
def test_a_flipped_bit_is_refused_wherever_it_is(tmp_path: Path, place: int) -> None:
    write_checkpoint(tmp_path, STATE)
    content = bytearray((tmp_path / CHECKPOINT).read_bytes())
    content[place] ^= 1
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(DamagedFileError, match="is damaged: expected SHA-256"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("length", [0, 10, 64, 65, 500])
def test_a_cut_file_is_refused(tmp_path: Path, length: int) -> None:
    write_checkpoint(tmp_path, STATE)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFileError, match="is damaged"):
        read_checkpoint(tmp_path)


def test_an_older_one_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, STATE)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(AttributeError):
        write_checkpoint(tmp_path, {"cannot": lambda: None})
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "pwned",))

    write_checkpoint(tmp_path, {"evil": Evil()})
    with pytest.raises(DamagedFileError, match=r"is damaged: it names .* getattr$"):
        read_checkpoint(tmp_path)
    assert not (tmp_path / "pwned").exists()
