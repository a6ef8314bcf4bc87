"""The state of an unfinished training run on disk: written aside, replaced in one step, checked before it is read."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError, brief

CHECKPOINT = "checkpoint.pt"
"""File name of the state: 64 hexadecimal digits and a line feed, then what torch saves, whose SHA-256 they are."""

_HEADER_LENGTH = 65


def _header(content: bytes | memoryview) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}\n".encode("ascii")


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of an unfinished run in place of an older one; killed at any moment, one of them remains.

    Args:
        folder: Where to; made if it is missing.
        state: Tensors and plain values.

    Raises:
        UnavailableError: The disk is full or the store cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    aside = folder / f"{CHECKPOINT}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(_header(content))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / CHECKPOINT)
    except OSError as error:
        raise UnavailableError(f"The checkpoint {aside} cannot be written: {error}") from None
    finally:
        aside.unlink(missing_ok=True)


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """Read the state of an unfinished run, without unpickling anything but tensors and plain values.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: It cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        raise NotFoundError(
            "There is nothing to resume: no run with these settings and this pair dataset was interrupted",
            hint="Run without --resume, or give the same options as the interrupted run.",
        )
    try:
        with path.open("rb") as file:
            expected, content = file.read(_HEADER_LENGTH), file.read()
        # torch does not look at its checksums when it loads: a flipped bit would go on into the weights.
        if (found := _header(content)) != expected:
            raise ValueError(f"expected SHA-256 {expected.decode('ascii', 'replace')!r}, found {found.decode()!r}")
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file; all mean the same here.
        # Its first sentence only: others advise to load the file unsafely.
        raise DamagedFileError(
            f"{path} is damaged: {brief(error).partition('. ')[0]}", hint="Run without --resume."
        ) from None
    return state
