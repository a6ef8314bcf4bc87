"""The files of a zip archive, none of which is ever unpacked to the disk."""

import hashlib
import io
import stat
import zipfile
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from omnishot.data.sources.files import START_BYTES, File, Listing, is_kept, not_downloaded
from omnishot.data.sources.litter import (
    is_litter,
    is_no_picture,
    is_own_figure,
    is_placeholder,
    may_be_figure,
    own_folders,
)
from omnishot.errors import DamagedFileError, brief, is_one_line

MAX_MEMBER_BYTES = 64_000_000
"""Larger files in a zip archive are refused before they are unpacked."""

_ALWAYS_UNPACKED = 1_000_000_000
_MOST_TIMES = 100
"""How much an archive may unpack to: so many bytes, or more where it is large itself.

Deflate reaches 1,032:1, but pictures are far from that: PNG and JPEG are packed already.
"""

_LONGEST_NAME = 500
_WINDOWS = {0, 10}
"""Numbers of file systems in which an archive can have been made, FAT and NTFS."""


def files_of_zip(archive: Path, *, pictures_only: bool = False, content: bytes | None = None) -> Listing:
    """List the files of a zip archive; nothing is ever unpacked to the disk.

    Args:
        archive: The archive.
        pictures_only: Passes over what is no picture by its name.
        content: The bytes of the archive, where their digest is known; its files are not hashed then.

    Raises:
        DamagedFileError: The archive cannot be read, or holds something other than files with plain, distinct names.
    """
    if not archive.is_file():  # Opening a pipe would wait for its writer.
        raise DamagedFileError(f"{archive} is no file")
    try:
        opened = zipfile.ZipFile(archive if content is None else io.BytesIO(content))
    except Exception as error:  # zipfile raises whatever its parsing of a damaged directory runs into.
        raise DamagedFileError(
            f"{archive} ({archive.stat().st_size} bytes) is not a readable zip archive: {brief(error)}",
            hint="Delete it and fetch it again.",
        ) from None
    _refuse_bomb(archive, opened, archive.stat().st_size if content is None else len(content))
    own = own_folders(opened.namelist())
    found, taken, passed_over = Listing(), set[str](), set[str]()
    for info in opened.infolist():
        name = _name_in(info)
        if outside := _outermost_litter(name, own):
            passed_over.add(outside)
            continue
        reason, remedy = _reason_to_refuse(info, name)
        if (reason and not (remedy and pictures_only)) or name in taken:
            raise DamagedFileError(
                f"{archive} holds {brief(repr(name))}, which {reason or 'comes twice'}",
                hint="Delete it and fetch it again.",
            )
        own_name = name.rpartition("/")[2]
        if name.endswith("/"):
            found.folders.append(name.removesuffix("/"))
            continue
        taken.add(name)
        if reason:
            found.problems.append(DamagedFileError(f"{archive}/{brief(name)} {reason}", hint=remedy))
        elif is_placeholder(own_name):
            found.problems.append(not_downloaded(f"{archive}/{name}"))
        elif pictures_only and (
            is_no_picture(own_name) or (may_be_figure(own_name) and is_own_figure(_start(opened, info)))
        ):
            passed_over.add(name)
        else:
            read = partial(_member, opened, info, archive)
            file = File(name, f"{archive}/{name}", info.file_size, info.CRC, "", read)
            if content is None:
                _add_hashed(found, file)
            else:
                found.files.append(file)
    found.passed_over = sorted(passed_over)
    found.files.sort(key=lambda file: file.name)
    return found


def _refuse_bomb(archive: Path, opened: zipfile.ZipFile, size: int) -> None:
    sizes = [info.file_size for info in opened.infolist()]
    claimed = sum(one for one in sizes if one <= MAX_MEMBER_BYTES)  # Larger ones are never unpacked.
    most = max(_ALWAYS_UNPACKED, _MOST_TIMES * size)
    if claimed > most:
        raise DamagedFileError(
            f"{archive} has {size:,} bytes and claims to unpack to {claimed:,}; {most:,} is the limit for its size",
            hint="Unpack it and give the folder, if you trust where it is from.",
        )


def _add_hashed(found: Listing, file: File) -> None:
    try:
        content = file.read()
    except DamagedFileError as error:
        found.problems.append(error)
    else:
        hashed = replace(file, sha256=hashlib.sha256(content).hexdigest())
        found.add(hashed, content if is_kept(file.size) else None)


def _name_in(info: zipfile.ZipInfo) -> str:
    """Return a name as it was meant: macOS writes UTF-8 as if it were an old code page, Windows perhaps backslashes."""
    name = info.filename.replace("\\", "/") if info.create_system in _WINDOWS else info.filename
    name = name.removeprefix("./") if len(name) > 2 else name
    if info.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _outermost_litter(name: str, own: Collection[str]) -> str:
    """Return the part of a path that ends with the first litter or store in it, or an empty string."""
    parts = name.removesuffix("/").split("/")
    if {"", ".", ".."} & set(parts):
        return ""  # Of what leads elsewhere nothing is passed over.
    for i, part in enumerate(parts):
        inside = "/".join(parts[: i + 1])
        if f"{inside}/" in own or (is_litter(part) and not is_placeholder(part)):
            return inside if inside == name else f"{inside}/"
    return ""


def _start(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as member:
            return member.read(START_BYTES)
    except Exception:  # Reading it as a picture will say what is wrong.
        return b""


def _reason_to_refuse(info: zipfile.ZipInfo, name: str) -> tuple[str, str]:
    """Return why a file is refused, and what helps where the others can be read all the same; or empty strings."""
    parts = name.removesuffix("/").split("/")
    if {"", ".", ".."} & set(parts) or "\\" in name or not is_one_line(name):
        return "is not a plain path", ""
    if len(name) > _LONGEST_NAME:
        return f"has a name of {len(name):,} characters", ""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link", "Pack the archive again with the pictures that links lead to."
    if info.flag_bits & 1:
        return "is encrypted", "Unpack with its password what is encrypted."
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return (
            f"is packed by method {info.compress_type}, which is not deflate",
            "Pack again what deflate has not packed.",
        )
    if info.file_size > MAX_MEMBER_BYTES:
        return f"claims {info.file_size:,} bytes; {MAX_MEMBER_BYTES:,} is the limit", "Save smaller what is too large."
    return "", ""


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: Path) -> bytes:
    try:
        with archive.open(info) as member:
            # A size, so that no more than was claimed is unpacked; reading on to the end checks the CRC.
            content = member.read(info.file_size)
            if len(content) != info.file_size or member.read(1):
                raise zipfile.BadZipFile(f"{len(content)} bytes instead of {info.file_size}")
            return content
    except Exception as error:  # As above.
        raise DamagedFileError(
            f"{info.filename} in {place} cannot be read: {brief(error)}",
            hint="Delete the archive and fetch it again.",
        ) from None
