"""What a file system refuses is done without, or said in a true sentence: it never damages anything."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import UnavailableError
from omnishot.store.atomic_write import flush, make_read_only
from omnishot.store.store import Store
from tests.store.test_store import publish


def refusing(
    number: int, *, only: Callable[[Any], bool] = lambda what: True, instead: Any = None
) -> Callable[..., Any]:
    """Return a call that the system refuses for some of its arguments."""

    def refuse(what: Any, *more: object) -> Any:
        if only(what):
            raise OSError(number, os.strerror(number))
        return instead(what, *more)

    return refuse


def is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_names_that_cannot_be_flushed_are_as_safe_as_they_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("os.fsync", refusing(number, only=is_folder, instead=os.fsync))
    store = Store(tmp_path / "artifacts")
    assert publish(store, "koch").is_sound()
    assert len(store.artifacts()) == 1


def test_a_flush_that_fails_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", refusing(errno.EIO))
    store = Store(tmp_path / "artifacts")
    with pytest.raises(UnavailableError, match="Input/output error"):
        publish(store, "koch")
    assert store.artifacts() == []
    with pytest.raises(OSError, match="Input/output error"):
        flush(tmp_path)


def test_rights_that_cannot_be_taken_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", refusing(errno.EPERM))
    assert publish(Store(tmp_path / "artifacts"), "koch").is_sound()


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EACCES, errno.EOPNOTSUPP])
def test_a_rename_that_is_refused_publishes_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(Path, "rename", refusing(number))
    store = Store(tmp_path / "artifacts")
    with pytest.raises(UnavailableError, match=os.strerror(number)) as raised:
        publish(store, "koch")
    assert raised.value.exit_code == 6
    assert "Nothing was published" in raised.value.hint
    assert store.artifacts() == []
    assert list((store.root / ".staging").iterdir()) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o400), (0o022, 0o444), (0o027, 0o440)])
def test_nobody_may_read_what_the_users_mask_forbids(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        made = publish(Store(tmp_path / "artifacts"), "koch")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.path.iterdir()} == {mode}


def test_a_file_becomes_read_only_for_those_who_could_read_it(tmp_path: Path) -> None:
    (tmp_path / "x").touch(0o640)
    make_read_only(tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o440
