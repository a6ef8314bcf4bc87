"""What is written is whole, is where it was asked for, and goes through no link."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from omnishot.errors import UnavailableError
from omnishot.store.atomic_write import asides_of, make_folder, replaced, write_for_user, write_new


def write_replaced(path: Path, content: bytes) -> None:
    with replaced(path) as file:
        file.write(content)


WRITERS = pytest.mark.parametrize("write", [write_replaced, write_for_user])
Write = Callable[[Path, bytes], None]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "victim"
    path.parent.mkdir()
    path.write_bytes(b"precious")
    return path


@WRITERS
def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path, victim: Path, write: Write) -> None:
    (tmp_path / "file").symlink_to(victim)
    write(tmp_path / "file", b"new")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@WRITERS
def test_no_name_that_can_be_known_before_is_written_to(tmp_path: Path, victim: Path, write: Write) -> None:
    for name in ("file.new", ".file.new", "file.tmp", "file~"):
        (tmp_path / name).symlink_to(victim)
    write(tmp_path / "file", b"new")
    assert victim.read_bytes() == b"precious"


@WRITERS
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write(tmp_path / "page.html", b"old")
    monkeypatch.setattr("omnishot.store.atomic_write.flush", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "page.html", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_bytes() == b"old"


@WRITERS
def test_a_file_keeps_its_permissions_and_a_new_one_has_the_usual_ones(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "file", b"new")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~os.umask(os.umask(0o022) or 0o022)
    (tmp_path / "file").chmod(0o600)
    write(tmp_path / "file", b"newer")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_aside_goes_with_the_next_write(tmp_path: Path) -> None:
    left = tmp_path / f".file.{'0' * 32}.new"
    left.write_bytes(b"half")
    (tmp_path / ".file.mine.new").write_bytes(b"somebody's")
    assert asides_of(tmp_path / "file") == [left]
    write_replaced(tmp_path / "file", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.mine.new", "file"]


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    thread.start()
    write_for_user(tmp_path / "pipe", b"through")
    thread.join()
    assert read == [b"through"]
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_new_file_goes_through_no_link_not_even_one_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"new")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["a", "a/b"])
def test_no_folder_of_a_store_is_made_behind_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store" / "a").mkdir(parents=True)
    if name == "a":
        (tmp_path / "store" / "a").rmdir()
    (tmp_path / "store" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError, match="is a link, behind which nothing is written"):
        make_folder(tmp_path / "store", "a", "b", "c")
    assert list((tmp_path / "elsewhere").iterdir()) == []
