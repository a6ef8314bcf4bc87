"""Files that a reader sees whole or not at all, whenever their writer is killed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


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
    """Have the system write a file, or the names in a folder, to the disk.

    Raises:
        OSError: It cannot.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
