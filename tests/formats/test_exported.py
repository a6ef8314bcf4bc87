"""What an exported model says of itself: read as data, refused where it could do harm or mean nothing."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from omnishot.errors import DamagedFileError
from omnishot.formats.exported import KEY, Exported, read_exported
from omnishot.recognition.drawing_preparation import DrawingPreparation

LOOK: dict[str, Any] = {"extent": [60, 94], "width": [4.0, 7.0], "pen": 5}
SAID: dict[str, Any] = {
    "format": 1,
    "name": "models/a:v1",
    "settings": {"twin": "conv4"},
    "preparation": {"kind": "drawing", "version": 1, "look": LOOK},
    "similarity": "a sum",
    "digest": "0" * 64,
}
PHOTOS: dict[str, Any] = {
    "settings": {"twin": "lite0", "objective": {"kind": "whitening"}, "epochs": 1},
    "preparation": {"kind": "photo", "version": 1, "look": None},
}


def written(path: Path, said: object) -> Path:
    save_file({"a": torch.zeros(1)}, path, {KEY: said if isinstance(said, str) else json.dumps(said)})
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    said = read_exported(written(tmp_path / "a.safetensors", SAID))
    assert said.preparation.look == DrawingPreparation().look
    assert Exported.model_validate_json(said.model_dump_json()) == said
    plain = {**SAID, "preparation": {**SAID["preparation"], "look": None}}
    assert read_exported(written(tmp_path / "a.safetensors", plain)).preparation.look is None
    assert read_exported(written(tmp_path / "a.safetensors", SAID | PHOTOS)).preparation.kind == "photo"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"name": "two\nlines"},
        {"settings": {"twin": "nothing"}},
        {"settings": {"unknown": 1}},
        {"digest": "abc"},
        {"more": 1},
        {"preparation": {"kind": "photo", "version": 1, "look": LOOK}},
        {"preparation": PHOTOS["preparation"]},
        {"settings": PHOTOS["settings"]},
        {**PHOTOS, "preparation": {**PHOTOS["preparation"], "look": LOOK}},
        {"preparation": {"kind": "drawing", "version": 2, "look": LOOK}},
        *({"preparation": {**SAID["preparation"], "look": {**LOOK, **wrong}}} for wrong in (
            {"extent": [60, 106]}, {"extent": [0, 60]}, {"extent": [80, 60]}, {"width": [7.0, 4.0]}, {"pen": 4},
            {"pen": 1001}, {"pen": -1}, {"width": [-1.0, 4.0]},
        )),
    ],
    ids=str,
)  # fmt: skip
def test_what_means_nothing_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"a\.safetensors is no exported model"):
        read_exported(written(tmp_path / "a.safetensors", {**SAID, **changes}))


@pytest.mark.parametrize("said", ["[]", "null", "{", "7"])
def test_metadata_of_another_kind_are_refused(said: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError):
        read_exported(written(tmp_path / "a.safetensors", said))


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_without_waiting(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(DamagedFileError, match="not a regular file"):
        read_exported(path)
