"""Images that arrive in a folder while it is watched."""

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from omnishot.data.sources.litter import is_litter, is_no_picture
from omnishot.errors import DamagedFileError, NotFoundError, brief

_SECONDS_BETWEEN_LOOKS = 0.3

Stamp = tuple[int, int, int]


def arrivals(folder: Path, *, wait: Callable[[float], None] = time.sleep) -> Iterator[Path]:
    """Yield the files that appear or change in a folder, without end, once they have stayed the same between two looks.

    What was there before is passed over, and so is what by its name is no picture.

    Args:
        folder: The folder.
        wait: Waits a number of seconds.

    Raises:
        NotFoundError: There is no such folder.
        DamagedFileError: It cannot be read.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {brief(folder)} to watch", hint="Make it first.")
    told, seen = _stamps(folder), dict[Path, Stamp]()
    while True:
        wait(_SECONDS_BETWEEN_LOOKS)
        now = _stamps(folder)
        for path, stamp in now.items():
            if told.get(path) != stamp and seen.get(path) == stamp:
                told[path] = stamp
                yield path
        seen = now
        told = {path: stamp for path, stamp in told.items() if path in now}


def _stamps(folder: Path) -> dict[Path, Stamp]:
    """Return number, size and time of change of the files in a folder that may be pictures, by name."""
    found = {}
    try:
        for path in sorted(folder.iterdir()):
            if is_litter(path.name) or is_no_picture(path.name):
                continue
            try:
                state = path.stat()
            except OSError:  # It went meanwhile, or is a link to what is not there yet.
                continue
            if stat.S_ISREG(state.st_mode):
                found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise DamagedFileError(f"{brief(folder)} cannot be read: {error.strerror}") from None
    return found
