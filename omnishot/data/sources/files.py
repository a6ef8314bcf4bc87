"""Image files that have not been read yet, identified by content whatever they are packed in."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from omnishot.errors import DamagedFileError

START_BYTES = 4096
"""How much of a file's beginning is looked at to tell a figure from a picture."""


@dataclass(frozen=True, slots=True)
class File:
    """One file that has not been read yet.

    Attributes:
        name: Path inside the archive or folder, with `/` between its parts.
        place: What to call the file in messages.
        size: Bytes.
        crc: CRC-32 of the bytes.
        read: Returns the bytes.
    """

    name: str
    place: str
    size: int
    crc: int
    read: Callable[[], bytes]


@dataclass(slots=True)
class Listing:
    """All that lies in a folder or an archive: each file is in one of the lists, and no content was kept.

    Attributes:
        files: What is to be read, ordered by name.
        folders: Names of the folders, those without files included.
        passed_over: Names of what `litter` has passed over, with a `/` after those of folders, in no order.
        problems: What should be read and cannot be.
    """

    files: list[File] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    problems: list[DamagedFileError] = field(default_factory=list)


def content_digest(files: Iterable[File]) -> str:
    """Return one digest of all names, sizes and checksums; a zip and its unpacked folder have the same."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.size}\0{file.crc:08x}\n".encode())
    return digest.hexdigest()


def not_downloaded(place: str) -> DamagedFileError:
    """Return what to say of a file that stands for one elsewhere."""
    return DamagedFileError(f"{place} stands for a file that iCloud keeps", hint="Download it from iCloud first.")
