"""Image files in a folder or a zip archive, identified by content whichever it is."""

import contextlib
import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from omnishot.errors import DamagedFileError, brief, is_one_line

MAX_MEMBER_BYTES = 64_000_000
"""Larger files in a zip archive are refused before they are unpacked."""

MAX_FILE_BYTES = 512_000_000
"""Larger picture files are refused."""

_LONGEST_NAME = 500
_BLOCK = 1 << 20


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
    """List the files of a zip archive, ordered by name; nothing is ever unpacked to the disk.

    Raises:
        DamagedFileError: The archive cannot be read, or holds something other than files with plain, distinct names.
    """
    if not archive.is_file():  # Opening a pipe would wait for its writer.
        raise DamagedFileError(f"{archive} is no file")
    try:
        opened = zipfile.ZipFile(archive)
    except Exception as error:  # zipfile raises whatever its parsing of a damaged directory runs into.
        raise DamagedFileError(
            f"{archive} ({archive.stat().st_size} bytes) is not a readable zip archive: {brief(error)}",
            hint="Delete it and fetch it again.",
        ) from None
    entries: dict[str, File] = {}
    for info in opened.infolist():
        name, reason = info.filename, _reason_to_refuse(info)
        if reason or name in entries:
            raise DamagedFileError(
                f"{archive} holds {brief(repr(name))}, which {reason or 'comes twice'}",
                hint="Delete it and fetch it again.",
            )
        if not info.is_dir():
            read = partial(_member, opened, info)
            entries[name] = File(name, f"{archive}/{name}", info.file_size, info.CRC, read)
    return sorted(entries.values(), key=lambda entry: entry.name)


def _reason_to_refuse(info: zipfile.ZipInfo) -> str:
    parts = info.filename.removesuffix("/").split("/")
    if {"", ".", ".."} & set(parts) or "\\" in info.filename or not is_one_line(info.filename):
        return "is not a plain path"
    if len(info.filename) > _LONGEST_NAME:
        return f"has a name of {len(info.filename):,} characters"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"is packed by method {info.compress_type}, which is not deflate"
    if info.file_size > MAX_MEMBER_BYTES:
        return f"claims {info.file_size:,} bytes; {MAX_MEMBER_BYTES:,} is the limit"
    return ""


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as member:
            # A size, so that no more than was claimed is unpacked; reading on to the end checks the CRC.
            content = member.read(info.file_size)
            if len(content) != info.file_size or member.read(1):
                raise zipfile.BadZipFile(f"{len(content)} bytes instead of {info.file_size}")
            return content
    except Exception as error:  # As above.
        raise DamagedFileError(
            f"{info.filename} in {archive.filename} cannot be read: {brief(error)}",
            hint="Delete the archive and fetch it again.",
        ) from None


def files_of_folder(folder: Path) -> list[File]:
    """List the files below a folder, ordered by name; names that begin with a dot, and devices, are passed over.

    Raises:
        DamagedFileError: A file cannot be read, is too large, or has a name that cannot be printed and stored.
    """
    entries = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if _is_file(path) and not any(part.startswith(".") for part in parts):
            name = "/".join(parts)
            if not is_one_line(name):
                raise DamagedFileError(
                    f"{brief(path)} has a name with line breaks, control characters or letters that are not UTF-8",
                    hint="Rename it.",
                )
            size, crc = _measured(path)
            entries.append(File(name, str(path), size, crc, partial(_content, path)))
    return sorted(entries, key=lambda entry: entry.name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise DamagedFileError(f"{brief(path)} cannot be read: {error.strerror}") from None


def _measured(path: Path) -> tuple[int, int]:
    """Return size and CRC-32 of a file without holding more than a block of it."""
    size = crc = 0
    with _opened(path) as file:
        while block := file.read(_BLOCK):
            size, crc = size + len(block), zlib.crc32(block, crc)
            if size > MAX_FILE_BYTES:
                raise DamagedFileError(f"{path} has more than {MAX_FILE_BYTES:,} bytes, the limit for a picture")
    return size, crc


def _content(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read(MAX_FILE_BYTES)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {brief(error)}") from None


def content_digest(files: Iterable[File]) -> str:
    """Return one digest of all names, sizes and checksums; a zip and its unpacked folder have the same."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.size}\0{file.crc:08x}\n".encode())
    return digest.hexdigest()
