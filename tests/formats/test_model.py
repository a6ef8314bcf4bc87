"""Weights are loaded only into the network they belong to."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, TrainingError
from omnishot.formats.model import read_model, write_model

MODEL = Path(__file__).parents[1] / "golden/v1/models/golden/v1"


def rewritten(tmp_path: Path, change: Callable[[dict[str, Any], bytearray], None]) -> Path:
    content = (MODEL / "weights.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    change(header, data)
    written = json.dumps(header).encode()
    path = tmp_path / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", len(written)) + written + bytes(data))
    return path


def put(name: str, value: float) -> Callable[[dict[str, Any], bytearray], None]:
    def change(header: dict[str, Any], data: bytearray) -> None:
        start = header[name]["data_offsets"][0]
        data[start : start + 4] = struct.pack("<f", value)

    return change


def reshape(header: dict[str, Any], data: bytearray) -> None:
    header["head.weight"]["shape"] = header["head.weight"]["shape"][::-1]


def retype(header: dict[str, Any], data: bytearray) -> None:
    header["head.bias"]["dtype"] = "I32"


def rename(header: dict[str, Any], data: bytearray) -> None:
    header["tail.bias"] = header.pop("head.bias")


def overlap(header: dict[str, Any], data: bytearray) -> None:
    header["head.bias"]["data_offsets"] = [0, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (reshape, r"head.weight is F32 \[512, 1\], but this network's is F32 \[1, 512\]"),
        (retype, r"head.bias is I32 \[1\], but this network's is F32 \[1\]"),
        (rename, "lacks head.bias"),
        (overlap, "does not hold this network's weights"),
        (put("head.bias", float("nan")), "head.bias holds values that are not finite"),
    ],
)
def test_other_weights_are_named(tmp_path: Path, change: Any, words: str) -> None:
    with pytest.raises(DamagedFileError, match=words):
        read_model(rewritten(tmp_path, change), MODEL / "config.yaml")


def test_a_variance_below_zero_is_refused(tmp_path: Path) -> None:
    content = (MODEL / "weights.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    name = next(name for name in header if name.endswith("running_var"))
    with pytest.raises(DamagedFileError, match="variances below zero"):
        read_model(rewritten(tmp_path, put(name, -1.0)), MODEL / "config.yaml")


@pytest.mark.parametrize("length", [0, 2**32, 2**64 - 1])
def test_a_header_of_impossible_length_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", length) + (MODEL / "weights.safetensors").read_bytes()[8:])
    with pytest.raises(DamagedFileError, match="does not hold this network's weights"):
        read_model(path, MODEL / "config.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"twin: koch35", b"twin: vgg", b"- 1", b"", b"[" * 100_000])
def test_settings_of_something_else_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(DamagedFileError):
        read_model(MODEL / "weights.safetensors", tmp_path / "config.yaml")


def test_a_head_of_many_names_is_refused_before_it_is_read(tmp_path: Path) -> None:
    header = " " * 2_000_000 + "{}"
    path = tmp_path / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
    with pytest.raises(DamagedFileError, match="a head that claims 2,000,002 of them"):
        read_model(path, MODEL / "config.yaml")


def test_a_network_that_its_weights_do_not_fill_is_not_built(tmp_path: Path) -> None:
    sizes = "{filters: [256, 256, 256, 256], filter_sizes: [3, 3, 3, 3], dense_units: 4096}"
    (tmp_path / "config.yaml").write_text(f"twin: koch\narchitecture: {sizes}\n")
    with pytest.raises(DamagedFileError, match=r"but [0-9,]{9,} bytes of tensors are needed"):
        read_model(MODEL / "weights.safetensors", tmp_path / "config.yaml")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_no_reader_accepts_are_not_written(tmp_path: Path, value: float) -> None:
    network = read_model(MODEL / "weights.safetensors", MODEL / "config.yaml")
    weights = network.state_dict()
    weights["head.bias"] = weights["head.bias"] * value
    with pytest.raises(TrainingError, match=r"values of head.bias that are not finite"):
        write_model(tmp_path, weights, TrainSettings(), [])
    assert list(tmp_path.iterdir()) == []


def test_a_network_averages_as_its_settings_say(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_bytes((MODEL / "config.yaml").read_bytes() + b"test_variants: 3\n")
    assert read_model(MODEL / "weights.safetensors", MODEL / "config.yaml").test_variants == 0
    assert read_model(MODEL / "weights.safetensors", config).test_variants == 3
