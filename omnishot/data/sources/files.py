"""Image files that have not been read yet, identified by content whatever they are packed in."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from omnishot.errors import DamagedFileError, InputError

_KEPT_FILE_BYTES, _KEPT_BYTES = 1_000_000, 64_000_000

START_BYTES = 4096
"""How much of a file's beginning is looked at to tell a figure from a picture."""


@dataclass(frozen=True, slots=True)
class File:
    """One file that has not been read yet.

    Attributes:
        name: Path inside the archive or folder, with `/` between its parts.
        place: What to call the file in messages.
        size: Bytes.
        crc: CRC-32 of the bytes, by which format 1 knew them.
        sha256: SHA-256 of the bytes, hexadecimal; empty where that of the whole archive is known.
        read: Returns the bytes, or refuses other ones.
    """

    name: str
    place: str
    size: int
    crc: int
    sha256: str
    read: Callable[[], bytes]


@dataclass(slots=True)
class Listing:
    """All that lies in a folder or an archive: each file is in one of the lists, and of small ones the content is kept.

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
    kept_bytes: int = 0

    def add(self, file: File, content: bytes | None) -> None:
        """Add a file that was hashed; what is read of it later are the bytes that were hashed.

        Args:
            file: The file; its `read` may give other bytes by now.
            content: Its bytes, where they are small enough to be kept.
        """
        if content is not None and self.kept_bytes + file.size <= _KEPT_BYTES:
            self.kept_bytes += file.size
            read: Callable[[], bytes] = partial(bytes, content)
        else:
            read = partial(_unchanged, file)
        self.files.append(replace(file, read=read))


def _unchanged(file: File) -> bytes:
    content = file.read()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        # No damage, which --skip-bad leaves out: the digest speaks for what was there.
        raise InputError(f"{file.place} changed while it was read", hint="Start again when nothing writes to it.")
    return content


def is_kept(size: int) -> bool:
    """Tell whether a file is small enough for its content to be kept."""
    return size <= _KEPT_FILE_BYTES


def content_digest(files: Iterable[File]) -> str:
    """Return one digest of all names and contents; a zip and its unpacked folder have the same."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.sha256}\n".encode())
    return digest.hexdigest()


def checksum_digest(files: Iterable[File]) -> str:
    """Return the digest that format 1 has instead, of names, sizes and CRC-32, which others can be made to have too."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.size}\0{file.crc:08x}\n".encode())
    return digest.hexdigest()


def not_downloaded(place: str) -> DamagedFileError:
    """Return what to say of a file that stands for one elsewhere."""
    return DamagedFileError(f"{place} stands for a file that iCloud keeps", hint="Download it from iCloud first.")
