"""The files of a folder and of all that lies or is linked below it."""

import contextlib
import errno
import hashlib
import os
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from omnishot.data.sources.files import START_BYTES, File, Listing, is_kept, not_downloaded
from omnishot.data.sources.litter import (
    is_litter,
    is_no_picture,
    is_own_figure,
    is_own_output,
    is_placeholder,
    may_be_figure,
)
from omnishot.errors import DamagedFileError, brief, is_one_line

MAX_FILE_BYTES = 512_000_000
"""Larger picture files are refused."""

_DEEPEST = 32
_MOST_VISITS = 100
_BLOCK = 1 << 20
_MAKE_READABLE = "Mend or remove what cannot be read."
_SPECIAL = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))


def files_of_folder(folder: Path, *, pictures_only: bool = False) -> Listing:
    """List the files below a folder; links are followed, and what is not read is passed over or a problem.

    Args:
        folder: The folder.
        pictures_only: Passes over what is no picture by its name.
    """
    walk = _Walk(Listing(), pictures_only)
    with contextlib.suppress(OSError):  # A folder that cannot be found is named when it is visited.
        walk.around = {(state.st_dev, state.st_ino) for state in map(Path.stat, folder.resolve().parents)}
    walk.visit(folder, (), ())
    walk.found.files.sort(key=lambda file: file.name)
    return walk.found


@dataclass(slots=True)
class _Walk:
    """A way through a folder and all that lies or is linked below it."""

    found: Listing
    pictures_only: bool
    visits: Counter[tuple[int, int]] = field(default_factory=Counter)
    around: set[tuple[int, int]] = field(default_factory=set)

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
            if own in above or own in self.around:
                raise OSError(errno.ELOOP, "it is a link back to a folder that it lies in")
            if len(parts) > _DEEPEST or self.visits[own] > _MOST_VISITS:
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
            self.found.problems.append(not_downloaded(str(path)))
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
            file, content, start = _measured(path, name)
        except DamagedFileError as error:
            self.found.problems.append(error)
            return
        if self.pictures_only and may_be_figure(path.name) and is_own_figure(start):
            self.found.passed_over.append(name)
        else:
            self.found.add(file, content)

    def _refuse(self, path: Path, reason: str) -> None:
        self.found.problems.append(DamagedFileError(f"{brief(path)} {reason}", hint=_MAKE_READABLE))


def _measured(path: Path, name: str) -> tuple[File, bytes | None, bytes]:
    """Return a file with its digest, its content if that is small, and its first bytes; no more than that is held."""
    size, crc, start, digest, kept = 0, 0, b"", hashlib.sha256(), b""
    with _opened(path) as file:
        while block := file.read(_BLOCK):
            start = start or block[:START_BYTES]
            size, crc = size + len(block), zlib.crc32(block, crc)
            digest.update(block)
            kept = kept + block if is_kept(size) else b""
            if size > MAX_FILE_BYTES:
                raise DamagedFileError(f"{path} has more than {MAX_FILE_BYTES:,} bytes, the limit for a picture")
    found = File(name, str(path), size, crc, digest.hexdigest(), partial(_content, path))
    return found, kept if is_kept(size) else None, start


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
