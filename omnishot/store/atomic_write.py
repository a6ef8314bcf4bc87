"""Files that a reader sees whole or not at all, whenever their writer is killed, and that never go where a link leads.

What is written lies aside under a name that nobody can know before, in a file that this process has made, until it
takes the place of what was there: a full disk leaves the old file, and a link is replaced, not followed.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from omnishot.errors import UnavailableError

_ASIDE = re.compile(r"\.[0-9a-f]{32}\.new")
_SYSTEM = ("/dev", "/proc")

NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""With what a file system refuses a call that it does not know."""


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to; it is flushed to the disk and takes the place of `path` when the block ends.

    When the block fails, what was there before stays. Only one process at a time may replace a path: what an earlier
    one that was killed has left aside is removed.

    Raises:
        OSError: It cannot be made, flushed or moved.
    """
    for left in asides_of(path):
        left.unlink(missing_ok=True)
    with _put_in_place(path, f".{path.name}.") as file:
        yield file


def write_for_user(path: Path, content: bytes) -> None:
    """Write a file that a user named, whole or not at all; it keeps the permissions of the one that it replaces.

    What is no regular file, such as a pipe or `/dev/stdout`, is written to as it is.

    Raises:
        OSError: It cannot be written.
    """
    if _is_stream(path):
        path.write_bytes(content)
        return
    with _put_in_place(path, ".") as file:
        file.write(content)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, not even as a link.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("xb") as file:
        file.write(content)


def make_folder(root: Path, *names: str) -> Path:
    """Make a folder below another one, where it is missing, and return it; none on the way may be a link.

    Raises:
        UnavailableError: One of them is a link, behind which nothing is written.
        OSError: It cannot be made.
    """
    refuse_links(root, *names)
    place = root.joinpath(*names)
    place.mkdir(parents=True, exist_ok=True)
    return place


def refuse_links(root: Path, *names: str) -> None:
    """Check that no folder on the way to one below `root` is a link; those that are missing are none.

    Raises:
        UnavailableError: One of them is.
    """
    for place in (root.joinpath(*names[: depth + 1]) for depth in range(len(names))):
        if place.is_symlink():
            hint = "Put a folder in its place; a store as a whole may lie behind a link."
            raise UnavailableError(f"{place} is a link, behind which nothing is written", hint=hint)


def asides_of(path: Path) -> list[Path]:
    """Return what killed processes have left of writing a path."""
    prefix = f".{path.name}"
    with contextlib.suppress(FileNotFoundError):
        names = [name for name in os.listdir(path.parent) if name.startswith(prefix)]  # noqa: PTH208 - No link is followed.
        return [path.with_name(name) for name in names if _ASIDE.fullmatch(name, len(prefix))]
    return []


@contextlib.contextmanager
def _put_in_place(path: Path, prefix: str) -> Iterator[BinaryIO]:
    aside = path.with_name(f"{prefix}{secrets.token_hex(16)}.new")
    try:
        with aside.open("x+b") as file:
            yield file
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISREG((before := path.lstat()).st_mode):
                    os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        flush(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    """Tell whether a path is no place for a file: a device, a pipe, or a name that the system has given to one."""
    if any(path.absolute().is_relative_to(place) for place in _SYSTEM):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk, where the file system has a way to.

    Raises:
        OSError: It failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)


def make_read_only(path: Path) -> None:
    """Take everybody's right to write a file, and give nobody one; FAT and some servers keep no such rights.

    Raises:
        OSError: It failed where it can be done.
    """
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    except OSError as error:
        if error.errno not in {*NOT_SUPPORTED, errno.EPERM}:
            raise
