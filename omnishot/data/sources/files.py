"""Image files in a folder or a zip archive, identified by content whichever it is."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from omnishot.errors import DamagedFileError


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


def files_of_zip(archive: Path) -> list[File]:
    """List the files of a zip archive, ordered by name.

    Raises:
        DamagedFileError: The archive cannot be read.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as error:
        size = archive.stat().st_size if archive.exists() else 0
        raise DamagedFileError(
            f"{archive} ({size} bytes) is not a readable zip archive: {error}",
            hint="Delete it and fetch it again.",
        ) from None
    entries = [
        File(info.filename, f"{archive}/{info.filename}", info.file_size, info.CRC, partial(_member, opened, info))
        for info in opened.infolist()
        if not info.is_dir()
    ]
    return sorted(entries, key=lambda entry: entry.name)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise DamagedFileError(
            f"{info.filename} in {archive.filename} cannot be read: {error}",
            hint="Delete the archive and fetch it again.",
        ) from None


def files_of_folder(folder: Path) -> list[File]:
    """List the files below a folder, ordered by name; names that begin with a dot are passed over."""
    entries = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            content = _content(path)
            entries.append(File("/".join(parts), str(path), len(content), zlib.crc32(content), partial(_content, path)))
    return sorted(entries, key=lambda entry: entry.name)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {error}") from None


def content_digest(files: Iterable[File]) -> str:
    """Return one digest of all names, sizes and checksums; a zip and its unpacked folder have the same."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.size}\0{file.crc:08x}\n".encode())
    return digest.hexdigest()
