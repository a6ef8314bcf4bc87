"""The state of an unfinished training run on disk: written aside, replaced in one step, checked before it is read."""

import hashlib
import io
import os
from pathlib import Path
from typing import IO, Any, cast

import torch

from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError, brief, is_short_of_memory
from omnishot.formats.deferred_errors import DeferredErrors
from omnishot.formats.torch_file import refuse_other_content
from omnishot.store.atomic_write import replaced
from omnishot.store.text_file import open_regular

CHECKPOINT = "checkpoint.pt"
"""File name of the state: 64 hexadecimal digits and a line feed, then what torch saves, whose SHA-256 they are."""

MOST_BYTES = 1 << 34
"""Larger states are of no network that is built here."""

_HEADER_LENGTH = 65


class _Hashed(DeferredErrors):
    """Hashes what is written, so that the state of a large network is not held twice."""

    def __init__(self, file: io.FileIO) -> None:
        super().__init__(file)
        self.hash = hashlib.sha256()

    def write(self, content: Any) -> int:
        """Write, and hash."""
        self.hash.update(content)
        return super().write(content)


def _header(digest: str) -> bytes:
    return f"{digest}\n".encode("ascii")


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of an unfinished run, tensors and plain values, in place of an older one.

    Killed at any moment, one of the two remains.

    Raises:
        UnavailableError: The disk is full or the store cannot be written.
    """
    path = folder / CHECKPOINT
    try:
        with replaced(path) as aside, _Hashed(io.FileIO(os.dup(aside.fileno()), "r+b")) as file:
            file.seek(_HEADER_LENGTH)
            torch.save(state, cast(IO[bytes], file))
            header = _header(file.hash.hexdigest())
            file.seek(0)
            file.write(header)
    except OSError as error:
        kept = "The one before is kept: the same command with --resume continues from there." if path.exists() else ""
        raise UnavailableError(f"The checkpoint {path} cannot be written: {error}", hint=kept) from None


def find_checkpoint(folder: Path) -> Path:
    """Return where the state of an unfinished run is.

    Raises:
        NotFoundError: There is none.
    """
    path = folder / CHECKPOINT
    if not os.path.lexists(path):
        raise NotFoundError(
            "There is nothing to resume: no run with these settings and this pair dataset was interrupted",
            hint="Run without --resume, or give the same options as the interrupted run.",
        )
    return path


def read_checkpoint(folder: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Read the state of an unfinished run, without unpickling anything but tensors and plain values.

    Nothing is read of a file of more than `most_bytes`, or of what is no regular file.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: It does not hold what was written.
        UnavailableError: This machine cannot read it.
    """
    path = find_checkpoint(folder)
    try:
        with open_regular(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > most_bytes:
                raise ValueError(f"it has {size:,} bytes; a state of this run has at most {most_bytes:,}")
            expected, content = file.read(_HEADER_LENGTH), file.read(most_bytes)
        # torch does not look at its checksums when it loads: a flipped bit would go on into the weights.
        if (found := _header(hashlib.sha256(content).hexdigest())) != expected:
            wanted = expected.decode("ascii", "replace")
            raise ValueError(f"expected SHA-256 {brief(wanted)}, found {brief(found.decode())}")
        refuse_other_content(content)
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error}", hint="The state is kept; try again.") from None
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file; all mean the same here.
        if is_short_of_memory(error):
            raise UnavailableError(
                f"The memory is too small to read {path}", hint="The state is kept; end other programs, and try again."
            ) from None
        # Its first sentence only: others advise to load the file unsafely.
        raise DamagedFileError(
            f"{path} is damaged: {brief(error).partition('. ')[0]}", hint="Run without --resume."
        ) from None
    return state
