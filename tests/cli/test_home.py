"""`~` is the home folder in every path that is typed, and in every variable that is one."""

from pathlib import Path
from typing import Any

import pytest

from omnishot.data.location import usual_data_folder
from omnishot.data.sources import open_source
from omnishot.machine import with_home
from tests.tiny import SMALL


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.mark.slow
def test_no_folder_is_ever_named_so(home: Path, own_process: Any, picture_folder: Path) -> None:
    (home / "pictures").symlink_to(picture_folder)
    made = own_process("prepare", "--source", "~/pictures", *SMALL, "--store=~/store", HOME=str(home))
    assert made.code == 0, made.err
    for given in (["--store", "~/store"], []):
        listed = own_process("ls", "-q", "--json", *given, HOME=str(home), OMNISHOT_STORE="~/store")
        assert "pairs/scripts-60:v1" in listed.out
    drawn = own_process("figure", "pairs", "--out=~/x.svg", HOME=str(home), OMNISHOT_STORE="~/store")
    assert drawn.out == f"{home}/x.svg\n"
    tuned = own_process("train", "--config=~/none.yaml", HOME=str(home), OMNISHOT_STORE="~/store")
    assert (tuned.code, f"{home}/none.yaml" in tuned.err) == (4, True)
    assert list((home.parent / "work").iterdir()) == []


def test_data_and_sources_may_lie_there(home: Path, monkeypatch: pytest.MonkeyPatch, picture_folder: Path) -> None:
    monkeypatch.setenv("OMNISHOT_DATA", "~/data")
    assert usual_data_folder() == home / "data"
    (home / "pictures").symlink_to(picture_folder)
    assert open_source("~/pictures").name == "scripts"


def test_the_home_of_nobody_stays_as_it_is_typed() -> None:
    assert with_home(Path("~no-such-user/x")) == Path("~no-such-user/x")
    assert with_home(Path("a/~")) == Path("a/~")
