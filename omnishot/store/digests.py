"""Digests of files, each computed once for as long as the file stays what it was."""

import time
from pathlib import Path

from omnishot.store.manifest import file_digest

_SETTLED_NANOSECONDS = 10_000_000
"""A file written twice within a tick of the system's clock, 10 ms at most, may seem unchanged."""


_HOLLOW_FROM = 1 << 28
_MOST_BYTES_PER_STORED_BYTE = 1000


def is_hollow(path: Path) -> bool:
    """Tell whether a large file is all but empty on its disk: hashing it could take days, and nothing of ours is.

    Raises:
        OSError: The file cannot be looked at.
    """
    found = path.stat()
    stored = found.st_blocks * 512  # Whatever the blocks of the file system are.
    return found.st_size > max(_HOLLOW_FROM, stored * _MOST_BYTES_PER_STORED_BYTE)


class Digests:
    """What the files of a store were found to hold; a file that has changed since is hashed again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def of(self, path: Path, *, again: bool = False) -> str:
        """Return the SHA-256 of a file, hexadecimal; `again` hashes it even if it seems unchanged.

        Raises:
            OSError: The file cannot be read.
        """
        now, found = time.time_ns(), path.stat()  # Before it is read: what is written meanwhile is seen the next time.
        identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if not again and path in self._known and self._known[path][0] == identity:
            return self._known[path][1]
        digest = file_digest(path)
        if now - max(found.st_mtime_ns, found.st_ctime_ns) >= _SETTLED_NANOSECONDS:
            self._known[path] = identity, digest
        else:  # What is written in the same tick could not be told from what was read.
            self._known.pop(path, None)
        return digest
