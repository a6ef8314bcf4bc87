"""Digests of files, each computed once for as long as the file stays what it was."""

from pathlib import Path

from omnishot.store.manifest import file_digest


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
        found = path.stat()  # Before it is read: what is written meanwhile is seen the next time.
        identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if again or path not in self._known or self._known[path][0] != identity:
            self._known[path] = identity, file_digest(path)
        return self._known[path][1]
