"""A trained network on disk: safetensors weights, its settings, and the history of its training."""

import io
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from omnishot.artifacts.text_file import read_text
from omnishot.config import TrainSettings, as_yaml, check
from omnishot.errors import DamagedFileError, NotFoundError, SettingsError, UnavailableError, brief
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.strict_yaml import read_yaml

CHECKPOINT = "checkpoint.pt"
"""File name of the state of an unfinished run."""

_TYPES = {torch.float32: "F32", torch.int64: "I64"}


def write_model(
    folder: Path, weights: dict[str, Tensor], settings: TrainSettings, history: list[dict[str, Any]]
) -> None:
    """Write weights.safetensors, config.yaml and history.jsonl into a folder."""
    # Through bytes, so that a full disk is an OSError like everywhere else.
    content = save({name: tensor.contiguous().cpu() for name, tensor in weights.items()})
    (folder / "weights.safetensors").write_bytes(content)
    (folder / "config.yaml").write_text(as_yaml(settings), "utf-8")
    (folder / "history.jsonl").write_text("".join(json.dumps(row, allow_nan=False) + "\n" for row in history), "utf-8")


def read_model(weights_file: Path, config_file: Path) -> SiameseNetwork:
    """Build the network that a model's files describe.

    Raises:
        DamagedFileError: The settings are not those of a training run, or the weights are unreadable, another
            network's, or not finite.
    """
    try:
        values = read_yaml(read_text(config_file), origin=str(config_file))
        settings = check(TrainSettings, values, origin=str(config_file))
    except SettingsError as error:
        raise DamagedFileError(f"{error}") from None
    network = build_network(settings.twin)
    load_weights(network, weights_file)
    return network


def load_weights(network: SiameseNetwork, weights_file: Path) -> None:
    """Replace a network's weights by those of a file.

    Raises:
        DamagedFileError: The weights are unreadable, another network's, or not finite.
    """
    expected = network.state_dict()
    try:
        if not weights_file.is_file():
            raise OSError("it is missing, or no regular file")
        with safe_open(weights_file, "pt") as file:
            _refuse_other_tensors(file, expected)  # Before any of them is in memory.
            weights = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise DamagedFileError(f"{weights_file} does not hold this network's weights: {brief(error)}") from None
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise DamagedFileError(f"{weights_file}: {name} holds values that are not finite")
        if name.endswith("running_var") and (tensor < 0).any():
            raise DamagedFileError(f"{weights_file}: {name} holds variances below zero")
    network.load_state_dict(weights)


def _refuse_other_tensors(file: Any, expected: dict[str, Tensor]) -> None:
    found = set(file.keys())
    for names, what in ((expected.keys() - found, "lacks"), (found - expected.keys(), "has a strange")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ValueError(f"it {what} {brief(min(names))}{more}")
    for name, tensor in expected.items():
        stored = file.get_slice(name)
        mine = (_TYPES[tensor.dtype], list(tensor.shape))
        theirs = (stored.get_dtype(), stored.get_shape())
        if mine != theirs:
            raise ValueError(f"its {name} is {theirs[0]} {theirs[1]}, but this network's is {mine[0]} {mine[1]}")


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write the state of an unfinished run, aside and then in place of an older one.

    Raises:
        UnavailableError: The disk is full or the store cannot be written.
    """
    content = io.BytesIO()
    torch.save(state, content)
    aside = folder / f"{CHECKPOINT}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content.getbuffer())
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
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file; all mean the same here.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedFileError(f"{path} is damaged: {reason}", hint="Run without --resume.") from None
    return state
