"""Text files of an artifact: small, regular and UTF-8, or refused before they fill the memory."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from omnishot.errors import DamagedFileError, brief

MOST_BYTES = 16_000_000
"""Larger text files are refused."""


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, if it is one: opening a pipe would wait for its writer, and a device has no end.

    Raises:
        ValueError: It is something else.
        OSError: It cannot be opened.
    """
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115 - Not to wait.
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ValueError("it is not a regular file")
    return file


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file of at most so many bytes.

    Raises:
        DamagedFileError: It is missing, not a regular file, too large or not UTF-8.
    """
    try:
        if not path.is_file():  # Opening a pipe would wait for its writer, and a device has no end.
            raise DamagedFileError(f"{path} is {'not a regular file' if path.exists() else 'missing'}")
        with open_regular(path) as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise DamagedFileError(f"{path} has {path.stat().st_size:,} bytes; {most_bytes:,} is the limit")
        return content.decode("utf-8")
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path} cannot be read: {brief(error)}") from None
