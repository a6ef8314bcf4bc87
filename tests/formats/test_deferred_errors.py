"""HDF5 does not notice a full disk; whoever closes the file does."""

import errno
import io
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import UnavailableError
from omnishot.formats.deferred_errors import DeferredErrors
from omnishot.formats.hdf5 import create_hdf5

WRITER = """
import resource, sys
from pathlib import Path
import numpy as np
from omnishot.formats.hdf5 import create_hdf5
from omnishot.errors import UnavailableError

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with create_hdf5(Path(sys.argv[1])) as file:
        for i in range(20):
            file.create_dataset(f"group/{i}", data=np.arange(5000), chunks=(100,), compression="gzip")
except UnavailableError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("size", [500, 3_000, 20_000, 60_000])
def test_a_writer_on_a_full_disk_ends_with_one_sentence(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file.h5"
    done = subprocess.run([sys.executable, "-c", WRITER, path, str(size)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, (done.returncode, signal.Signals(max(-done.returncode, 1)))
    assert done.stderr == f"{path} cannot be written: [Errno 27] File too large\n"


def test_a_bug_while_a_file_is_written_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"), create_hdf5(tmp_path / "file.h5"):
        raise RuntimeError("a bug")
    with pytest.raises(UnavailableError, match="cannot be written"), create_hdf5(tmp_path / "missing" / "file.h5"):
        pass


def test_what_is_written_is_in_the_file(tmp_path: Path) -> None:
    with DeferredErrors((tmp_path / "file").open("x+b", buffering=0)) as file:
        file.write(b"abcdef")
        file.seek(2)
        file.write(b"XY")
        file.truncate(5)
        file.seek(1)
        buffer = bytearray(6)
        assert file.readinto(buffer) == 6
    assert buffer == b"bXYe\0\0"
    assert (tmp_path / "file").read_bytes() == b"abXYe"


class Full(io.FileIO):
    """A file on a full disk."""

    def write(self, content: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_first_error_comes_when_the_file_is_closed(tmp_path: Path) -> None:
    file = DeferredErrors((tmp_path / "file").open("x+b", buffering=0))
    file._file.close()
    file._file = Full(tmp_path / "file", "r+b")
    assert file.write(b"abc") == 3
    assert file.write(b"def") == 3
    with pytest.raises(OSError, match="No space left"):
        file.close()
    file.close()
