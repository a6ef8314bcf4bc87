"""Files that a reader sees whole or not at all, whenever their writer is killed."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""With what a file system refuses a call that it does not know."""


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a path to write to; it is flushed to the disk and takes the place of `path` when the block ends.

    Only one process at a time may replace a path. When the block fails, what was there before stays.

    Raises:
        OSError: It cannot be flushed or moved.
    """
    aside = path.with_name(f"{path.name}.new")
    try:
        yield aside
        flush(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk, where the file system has a way to.

    Raises:
        OSError: It failed.
    """
    descriptor = os.open(path, os.O_RDONLY)
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
