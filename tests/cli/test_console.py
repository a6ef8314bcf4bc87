"""What is said on stderr while something takes long, and by whom."""

from typing import Any

import pytest

from omnishot.cli import console
from omnishot.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_first_line_promises_no_end_and_later_ones_go_by_the_speed_so_far(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = console._Lines()
    clock[0] += 60
    lines(Progress("Training", 500, 1000))  # Resumed: half of it was done before.
    clock[0] += 10
    lines(Progress("Training", 600, 1000))
    assert capsys.readouterr().err.splitlines() == ["Training   50%", "Training   60%  40 s left"]


@pytest.mark.slow
def test_libraries_say_nothing_of_a_home_that_cannot_be_written(
    own_process: Any, evaluated_store: Any, tmp_path: Any
) -> None:
    nowhere = {"HOME": "/proc/none", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "MPLCONFIGDIR": ""}
    drawn = own_process("figure", "curves", "--out", tmp_path / "x.png", "--store", evaluated_store, **nowhere)
    assert drawn.code == 0
    assert len(drawn.err.splitlines()) == 1, drawn.err
