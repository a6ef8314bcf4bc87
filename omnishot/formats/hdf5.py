"""HDF5 files that may come from anywhere: what is read lies in the file itself and is what was expected.

HDF5 can point at other files (external links, external storage, virtual data sets), claim sizes that it does not hold
and load filters from elsewhere. None of it is followed.
"""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import h5py
import numpy as np
from h5py import h5d, h5l, h5z
from numpy.typing import DTypeLike, NDArray

from omnishot.errors import DamagedFileError, UnavailableError, brief, is_one_line, is_short_of_memory
from omnishot.formats.deferred_errors import DeferredErrors

_MOST_BYTES_PER_STORED_BYTE = 1032
"""What deflate reaches at best."""

_MOST_UNPROVEN = 1 << 25
_MOST_DENSITY = 16
"""Bytes that a stored byte may stand for beyond the first 32 MiB of a data set; pictures have a limit of their own."""

_LARGEST_CHUNK = 1 << 24
_LARGE = 4096
_LONGEST_NAME = 1000
_MOST_HEAP = 1 << 20
_TEXT = np.dtype([("length", "<u4"), ("heap", "<u8"), ("index", "<u4")])
_RAISED_BY_H5PY = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}


@contextlib.contextmanager
def create_hdf5(path: Path, mode: Literal["w", "r+"] = "w", *, alignment: int = 1) -> Iterator[h5py.File]:
    """Create an HDF5 file for writing, which must not exist yet, or open one that is not published yet.

    Args:
        path: The file.
        mode: `w` or `r+`.
        alignment: Large data sets begin at a multiple of so many bytes, as is needed to map them into memory.

    Raises:
        UnavailableError: The disk is full or the folder cannot be written.
    """
    try:
        target = DeferredErrors(path.open("x+b" if mode == "w" else "r+b", buffering=0))
    except OSError as error:
        raise _cannot_be_written(path, error) from None
    try:
        aligned = {"alignment_threshold": _LARGE, "alignment_interval": alignment}
        with target, h5py.File(target, mode, libver="v110", **aligned) as file:
            yield file
    except (OSError, RuntimeError):  # Where HDF5 reads back what could not be written, it raises something else.
        if target.error is None:
            raise
        raise _cannot_be_written(path, target.error) from None


def _cannot_be_written(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"{path} cannot be written: {error}", hint="Nothing was published.")


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises:
        DamagedFileError: It is none.
    """
    if not path.is_file():  # Opening a pipe would wait for its writer.
        raise DamagedFileError(f"{path} is no file")
    try:
        # Without a lock: a published file never changes, and some network file systems have none.
        file = h5py.File(path, "r", locking=False)
    except MemoryError:
        raise UnavailableError(f"The memory is too small to open {path}", hint="End other programs.") from None
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise DamagedFileError(f"{path} is not a readable HDF5 file: {brief(error)}") from None
    with file:
        yield file


@contextlib.contextmanager
def reading_from(file: h5py.File) -> Iterator[None]:
    """Turn what h5py raises over a damaged file into the error that says which file it is."""
    try:
        yield
    except (MemoryError, *_RAISED_BY_H5PY) as error:
        if is_short_of_memory(error):
            hint = "End other programs, or use a machine with more memory."
            raise UnavailableError(f"The memory is too small to read {file.filename}", hint=hint) from None
        raise damaged(file, brief(error)) from None


def damaged(file: h5py.File, what: str) -> DamagedFileError:
    """Return the error that a file does not hold what it should, and what is wrong with it."""
    return DamagedFileError(f"{file.filename} does not hold what it should: {what}")


def contains(file: h5py.File, path: str) -> bool:
    """Tell whether there is something at a path, names with slashes between them, without following any link.

    Raises:
        DamagedFileError: A group on the way is none, or cannot be read.
    """
    *groups, last = path.split("/")
    with reading_from(file):
        place = _walk(file, groups)
        return isinstance(place, h5py.Group) and bool(place.id.links.exists(last.encode()))


Dimensions = int | tuple[int, ...]
"""How many dimensions a data set has, or may have."""


def open_dataset(
    file: h5py.File, path: str, dtype: DTypeLike | None, n_dimensions: Dimensions, *, most_density: int = _MOST_DENSITY
) -> h5py.Dataset:
    """Return a data set that holds what it claims, in the file itself.

    Args:
        file: The file.
        path: Where it lies, with a slash between the names.
        dtype: Type of its elements; None for texts.
        n_dimensions: Number of its dimensions, or those that it may have.
        most_density: Bytes that one stored byte may stand for, where it is large.

    Raises:
        DamagedFileError: There is none, or it is another, or elsewhere, or larger than its file can hold.
    """
    with reading_from(file):
        found = _walk(file, path.split("/"))
        if not isinstance(found, h5py.Dataset):
            raise damaged(file, f"{path} is {'a group' if isinstance(found, h5py.Group) else 'missing'}")
        # Before anything else: even the shape of a virtual data set is looked up in the files it points at.
        _refuse_storage_elsewhere(file, path, found.id.get_create_plist())
        wanted = "text" if dtype is None else np.dtype(dtype).name
        is_text = h5py.check_string_dtype(found.dtype) is not None
        fitting = n_dimensions if isinstance(n_dimensions, tuple) else (n_dimensions,)
        if not (is_text if dtype is None else found.dtype == np.dtype(dtype)) or found.ndim not in fitting:
            shown, asked = "text" if is_text else brief(found.dtype), " or ".join(map(str, fitting))
            raise damaged(file, f"{path} is {shown} in {found.ndim} dimensions, not {wanted} in {asked}")
        _refuse_impossible_sizes(file, path, found, most_density)
        return found


def read_array(file: h5py.File, path: str, dtype: DTypeLike, n_dimensions: Dimensions) -> NDArray[Any]:
    """Read a whole data set; see `open_dataset`.

    Raises:
        DamagedFileError: There is none that `open_dataset` would return, or it cannot be read.
    """
    found = open_dataset(file, path, dtype, n_dimensions)
    with reading_from(file):
        read: NDArray[Any] = found[...]
        if read.dtype == np.bool_ and read.view(np.uint8).max(initial=0) > 1:
            raise damaged(file, f"{path} holds truth values that are neither true nor false")
        return read


def map_array(file: h5py.File, path: str, dtype: DTypeLike, n_dimensions: int) -> NDArray[Any]:
    """Return a data set that may not fit the memory: as a part of the file that is read where it is looked at.

    What is stored in chunks, or begins where NumPy would have to copy it again and again, is read whole; arguments and
    errors are those of `read_array`.
    """
    found = open_dataset(file, path, dtype, n_dimensions)
    offset = found.id.get_offset()
    if offset is None or file.userblock_size or not found.size or offset % found.dtype.itemsize:
        return read_array(file, path, dtype, n_dimensions)
    if offset + found.nbytes > file.id.get_filesize():
        raise damaged(file, f"{path} ends after the file does")
    return np.memmap(file.filename, dtype, "c", offset, found.shape)  # Torch warns of arrays that cannot be written.


def read_names(file: h5py.File, path: str) -> tuple[str, ...]:
    """Read names, each of them on one line of at most 1,000 characters.

    Raises:
        DamagedFileError: There are none, or they are no such names.
    """
    found = open_dataset(file, path, None, 1)
    with reading_from(file):
        _refuse_long_texts(file, path, found)
        read = tuple(found.asstr()[...])
    for name in read:
        if len(name) > _LONGEST_NAME or not is_one_line(name):
            raise damaged(file, f"{path} holds {brief(repr(name))}, which is no name")
    return read


def _refuse_long_texts(file: h5py.File, path: str, found: h5py.Dataset) -> None:
    """Look at the lengths that texts claim: libhdf5 trusts them, and a false one takes gigabytes or does not end."""
    if not len(found) or h5py.check_string_dtype(found.dtype).length is not None:
        return
    offset, stored = found.id.get_offset(), found.id.get_storage_size()
    if offset is None or stored != len(found) * _TEXT.itemsize or file.userblock_size:
        raise damaged(file, f"{path} is not stored in one piece")
    with Path(file.filename).open("rb") as raw:
        raw.seek(offset)
        texts = np.frombuffer(raw.read(stored), _TEXT)
        if texts["length"].max() > 4 * _LONGEST_NAME:
            raise damaged(file, f"{path} holds a name that claims {texts['length'].max():,} bytes")
        size = file.id.get_filesize()
        if texts["length"].sum(dtype=np.int64) > size:  # Names differ, so that each has a place of its own.
            raise damaged(file, f"{path} holds names that claim more bytes than the file has")
        for place in np.unique(texts["heap"]):
            walked = _size_of_sound_heap(raw, int(place))
            size -= walked  # Collections do not overlap, so that all of them are within the file.
            if not walked or size < 0:
                raise damaged(file, f"{path} points at texts that are not there")


def _size_of_sound_heap(raw: BinaryIO, place: int) -> int:
    """Walk over a collection of texts as libhdf5 will, and return its size, or 0 where it would not come to an end."""
    raw.seek(place)
    header = raw.read(16)
    if len(header) < 16 or header[:4] != b"GCOL":
        return 0
    size = int.from_bytes(header[8:], "little")
    if not 16 <= size <= _MOST_HEAP:
        return 0
    content, start = raw.read(size - 16), 0
    while start + 16 <= len(content):
        index, length = struct.unpack_from("<H6xQ", content, start)
        step = length if index == 0 else 16 + (length + 7) // 8 * 8  # What is left free counts its own head.
        if not 16 <= step <= len(content) - start:
            return 0
        start += step
    return size if len(content) == size - 16 else 0


def _walk(file: h5py.File, path: list[str]) -> Any:
    """Return what lies at the end of a path of hard links, or None."""
    place: Any = file
    for name in path:
        if not isinstance(place, h5py.Group) or not place.id.links.exists(name.encode()):
            return None
        if place.id.links.get_info(name.encode()).type != h5l.TYPE_HARD:
            raise damaged(file, f"{'/'.join(path)} is a link to elsewhere")
        place = place[name]
    return place


def _refuse_storage_elsewhere(file: h5py.File, path: str, plan: Any) -> None:
    if plan.get_layout() not in {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED} or plan.get_external_count():
        raise damaged(file, f"{path} is stored in other files")
    filters = {plan.get_filter(number)[0] for number in range(plan.get_nfilters())}
    if not filters <= _FILTERS or plan.get_nfilters() > len(_FILTERS):
        raise damaged(file, f"{path} is packed with something other than gzip")


def _refuse_impossible_sizes(file: h5py.File, path: str, found: h5py.Dataset, most_density: int) -> None:
    stored, size = found.id.get_storage_size(), file.id.get_filesize()
    chunk = int(np.prod(found.chunks or (0,), dtype=object)) * found.dtype.itemsize
    claimed = max(int(np.prod(found.shape, dtype=object)) * found.dtype.itemsize, chunk)
    most = min(stored * _MOST_BYTES_PER_STORED_BYTE, max(_MOST_UNPROVEN, stored * most_density))
    if stored > size or claimed > most:
        raise damaged(file, f"{path} claims {claimed:,} bytes, but {stored:,} of the file's {size:,} are its own")
    if chunk > _LARGEST_CHUNK:
        raise damaged(file, f"{path} is stored in chunks of {chunk:,} bytes; {_LARGEST_CHUNK:,} is the limit")
