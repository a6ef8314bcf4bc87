"""A file of torch is opened only where it holds tensors and plain values, and no more than it has bytes."""

import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from omnishot.errors import DamagedFileError
from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint
from omnishot.formats.torch_file import refuse_other_content


def saved(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def rewritten(content: bytes, *, compression: int = zipfile.ZIP_STORED, pickled: bytes | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w", compression) as after:
        for name in before.namelist():
            kept = before.read(name)
            after.writestr(name, pickled if pickled is not None and name.endswith("data.pkl") else kept)
    return target.getvalue()


STATE = {
    "weights": torch.arange(10.0),
    "best": None,
    "position": {"epoch": 1, "betas": (0.9, 0.99), "history": [{1: 2}]},
}


def test_tensors_and_plain_values_are_read() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    network(torch.ones(1, 1, 9, 9)).sum().backward()
    optimizer.step()
    refuse_other_content(saved({**STATE, "network": network.state_dict(), "optimizer": optimizer.state_dict()}))


def nested_key() -> bytes:
    """Return a pickle with a key whose hash takes two to the power of sixty steps."""
    doubled = b"K\x01" + b"".join(b"\x85q\x01h\x01\x86q\x01" for _ in range(60))
    return b"\x80\x02}" + doubled + b"K\x01s."


@pytest.mark.parametrize(
    ("pickled", "words"),
    [
        (nested_key(), "a key that is neither a word nor a whole number"),
        (b"\x80\x02c__builtin__\nbytearray\nK\x09\x85R.", "it names"),
        (b"\x80\x02cpathlib\nPath\n)R.", "it names"),
        (b"\x80\x02}K\x01K\x02\x86K\x03s.", "a key that is neither"),
        (b"\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00N.", "its pickle holds"),
        (b"\x80\x02ccollections\nOrderedDict\n]\x85R.", "it calls"),
        (b"\x80\x02ctorch\nFloatStorage\nK\x01\x85R.", "it calls"),
    ],
)
def test_what_a_pickle_should_not_hold_is_named(pickled: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        refuse_other_content(rewritten(saved(STATE), pickled=pickled))


def test_packed_records_are_refused() -> None:
    large = saved({"weights": torch.zeros(10_000_000)})
    packed = rewritten(large, compression=zipfile.ZIP_DEFLATED)
    assert len(packed) < len(large) / 100
    with pytest.raises(ValueError, match="claim more than the file holds"):
        refuse_other_content(packed)


def test_a_long_list_of_records_is_refused_before_it_is_read() -> None:
    content = bytearray(saved(STATE))
    content[-10:-6] = struct.pack("<I", 1 << 30)
    with pytest.raises(ValueError, match=r"the list of its records has 1,073,741,824 bytes"):
        refuse_other_content(bytes(content))


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 1000, saved(STATE)[:-5], saved(STATE)[100:]], ids=len)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"it is no archive of torch|its records|seek"):
        refuse_other_content(content)


@pytest.mark.parametrize("kind", ["pipe", "link to a device", "large"])
def test_a_checkpoint_that_is_no_file_of_its_size_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / CHECKPOINT
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "large":
        write_checkpoint(tmp_path, {"x": 1})
        os.truncate(path, 1 << 40)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DamagedFileError, match=r"not a regular file|a state of this run has at most 1,000"):
        read_checkpoint(tmp_path, most_bytes=1000)
