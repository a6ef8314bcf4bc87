"""Text files of an artifact: small, regular and UTF-8, or refused before they fill the memory."""

from pathlib import Path

from omnishot.errors import DamagedFileError, brief

MOST_BYTES = 16_000_000
"""Larger text files are refused."""


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        DamagedFileError: It is missing, not a regular file, too large or not UTF-8.
    """
    try:
        if not path.is_file():  # Opening a pipe would wait for its writer, and a device has no end.
            raise DamagedFileError(f"{path} is {'not a regular file' if path.exists() else 'missing'}")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DamagedFileError(f"{path} has {path.stat().st_size:,} bytes; {MOST_BYTES:,} is the limit")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{path} cannot be read: {brief(error)}") from None
