"""Which files of a folder are opened, by whatever process, in whatever library: what the system says of it."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_OPEN, _IN_ISDIR = 0x20, 0x40000000
_EVENT = struct.Struct("iIII")


@contextmanager
def opened_below(root: Path) -> Iterator[set[str]]:
    """Give a set that holds, after the block, the paths below `root` of the files that were there and were opened."""
    system, found = ctypes.CDLL(None), set[str]()
    watch = system.inotify_init1(os.O_NONBLOCK)
    try:
        folders = {}
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            folders[system.inotify_add_watch(watch, os.fsencode(folder), _IN_OPEN)] = folder
        yield found
        while events := _read(watch):
            place = 0
            while place < len(events):
                number, mask, _, length = _EVENT.unpack_from(events, place)
                place += _EVENT.size + length
                if number in folders and not mask & _IN_ISDIR and length:
                    name = events[place - length : place].rstrip(b"\0").decode()
                    found.add(str((folders[number] / name).relative_to(root)))
    finally:
        os.close(watch)


def _read(watch: int) -> bytes:
    try:
        return os.read(watch, 1 << 20)
    except BlockingIOError:
        return b""
