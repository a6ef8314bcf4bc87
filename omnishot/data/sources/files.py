"""Image files in a folder or a zip archive, identified by content whichever it is."""

import contextlib
import errno
import hashlib
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from omnishot.data.sources.litter import is_litter, is_no_picture, is_own_output, is_placeholder, own_folders
from omnishot.errors import DamagedFileError, brief, is_one_line

MAX_MEMBER_BYTES = 64_000_000
"""Larger files in a zip archive are refused before they are unpacked."""

MAX_FILE_BYTES = 512_000_000
"""Larger picture files are refused."""

_LONGEST_NAME = 500
_DEEPEST = 32
_MOST_VISITS = 100
_BLOCK = 1 << 20
_MAKE_READABLE = "Mend or remove what cannot be read."
_SPECIAL = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))


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


def files_of_zip(archive: Path, *, pictures_only: bool = False) -> Listing:
    """List the files of a zip archive; nothing is ever unpacked to the disk.

    Args:
        archive: The archive.
        pictures_only: Passes over what is no picture by its name.

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
    found, seen, passed_over = Listing(), set[str](), set[str]()
    own = own_folders(opened.namelist())
    for info in opened.infolist():
        name = info.filename.removesuffix("/")
        parts = name.split("/")
        litter = next((i for i, part in enumerate(parts) if is_litter(part) and not is_placeholder(part)), None)
        if litter is not None and not {"", ".", ".."} & set(parts):
            passed_over.add("/".join(parts[: litter + 1]) + ("/" if info.is_dir() or parts[litter + 1 :] else ""))
            continue
        if (reason := _reason_to_refuse(info)) or name in seen:
            raise DamagedFileError(
                f"{archive} holds {brief(repr(info.filename))}, which {reason or 'comes twice'}",
                hint="Delete it and fetch it again.",
            )
        seen.add(name)
        place = f"{archive}/{name}"
        if store := next((folder for folder in own if info.filename.startswith(folder)), None):
            passed_over.add(store)
        elif info.is_dir():
            found.folders.append(name)
        elif is_placeholder(parts[-1]):
            found.problems.append(_not_downloaded(place))
        elif pictures_only and is_no_picture(parts[-1]):
            passed_over.add(name)
        else:
            found.files.append(File(name, place, info.file_size, info.CRC, partial(_member, opened, info)))
    found.passed_over = sorted(passed_over)
    found.files.sort(key=lambda file: file.name)
    return found


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


def files_of_folder(folder: Path, *, pictures_only: bool = False) -> Listing:
    """List the files below a folder; links are followed, and what is not read is passed over or a problem.

    Args:
        folder: The folder.
        pictures_only: Passes over what is no picture by its name.
    """
    walk = _Walk(Listing(), pictures_only)
    walk.visit(folder, (), ())
    walk.found.files.sort(key=lambda file: file.name)
    return walk.found


@dataclass(slots=True)
class _Walk:
    """A way through a folder and all that lies or is linked below it."""

    found: Listing
    pictures_only: bool
    visits: Counter[tuple[int, int]] = field(default_factory=Counter)

    def visit(self, folder: Path, parts: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> None:
        """List a folder.

        Args:
            folder: Where it is.
            parts: The names that lead to it.
            above: Device and number of each folder that it lies in.
        """
        try:
            state = folder.stat()
            own = state.st_dev, state.st_ino
            self.visits[own] += 1
            if own in above:
                raise OSError(errno.ELOOP, "it is a link back to a folder that it lies in")
            if len(above) > _DEEPEST or self.visits[own] > _MOST_VISITS:
                raise OSError(
                    errno.ELOOP, f"it lies over {_DEEPEST} folders deep, or over {_MOST_VISITS} links lead to it"
                )
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            self._refuse(folder, f"cannot be read: {error.strerror}")
            return
        if parts:
            self.found.folders.append("/".join(parts))
        for name in names:
            self._enter(folder / name, (*parts, name), (*above, own))

    def _enter(self, path: Path, parts: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> None:
        name = "/".join(parts)
        if is_placeholder(path.name):
            self.found.problems.append(_not_downloaded(str(path)))
        elif is_litter(path.name):
            self.found.passed_over.append(name + ("/" if os.path.isdir(path) else ""))  # noqa: PTH112
        elif not is_one_line(path.name):
            self._refuse(path, "has a name with line breaks, control characters or letters that are not UTF-8")
        else:
            try:
                mode = path.stat().st_mode
            except OSError as error:
                is_dead = path.is_symlink() and error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
                self._refuse(path, "is a link that leads nowhere" if is_dead else f"cannot be read: {error.strerror}")
                return
            if stat.S_ISDIR(mode) and not is_own_output(path):
                self.visit(path, parts, above)
            elif stat.S_ISDIR(mode):
                self.found.passed_over.append(name + "/")
            elif not stat.S_ISREG(mode):
                kind = next((word for is_kind, word in _SPECIAL if is_kind(mode)), "device")
                self.found.passed_over.append(f"{name} (a {kind})")
            elif self.pictures_only and is_no_picture(path.name):
                self.found.passed_over.append(name)
            else:
                self._measure(path, name)

    def _measure(self, path: Path, name: str) -> None:
        try:
            size, crc = _measured(path)
        except DamagedFileError as error:
            self.found.problems.append(error)
        else:
            self.found.files.append(File(name, str(path), size, crc, partial(_content, path)))

    def _refuse(self, path: Path, reason: str) -> None:
        self.found.problems.append(DamagedFileError(f"{brief(path)} {reason}", hint=_MAKE_READABLE))


def _not_downloaded(place: str) -> DamagedFileError:
    return DamagedFileError(f"{place} stands for a file that iCloud keeps", hint="Download it from iCloud first.")


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
        raise DamagedFileError(f"{path} cannot be read: {error.strerror}", hint=_MAKE_READABLE) from None


def content_digest(files: Iterable[File]) -> str:
    """Return one digest of all names, sizes and checksums; a zip and its unpacked folder have the same."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.size}\0{file.crc:08x}\n".encode())
    return digest.hexdigest()
