"""A trace is written whole, or nothing is left of it, and a file that was there stays."""

import json
from pathlib import Path

import pytest
import torch

from omnishot.errors import UnavailableError
from omnishot.stages.profiler import profiled


def take_steps(path: Path | None, n: int) -> list[str]:
    told: list[str] = []
    with profiled(path, told.append) as profiler:
        for _ in range(n):
            torch.ones(8, 8) @ torch.ones(8, 8)
            profiler.after_step()
    return told


def test_the_trace_holds_the_operations_of_the_steps(tmp_path: Path) -> None:
    (told,) = take_steps(tmp_path / "trace.json", 20)
    assert "steps 3 to 12" in told
    names = {event.get("name") for event in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]}
    assert "aten::mm" in names


def test_a_run_too_short_to_profile_leaves_no_file(tmp_path: Path) -> None:
    assert take_steps(tmp_path / "trace.json", 2) == ["Nothing was profiled: that takes a run of three steps"]
    assert not (tmp_path / "trace.json").exists()


def test_a_run_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    for name in ("old.json", "new.json"):
        with pytest.raises(ZeroDivisionError), profiled(tmp_path / name, print):
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "{}"


def test_a_place_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be written"):
        take_steps(tmp_path / "nowhere" / "trace.json", 1)


def test_without_a_file_nothing_is_profiled() -> None:
    assert take_steps(None, 3) == []
