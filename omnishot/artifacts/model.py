"""A trained network on disk: safetensors weights, its settings, and the history of its training."""

import io
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from omnishot.config import TrainSettings, as_yaml, check
from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.strict_yaml import read_yaml

CHECKPOINT = "checkpoint.pt"
"""File name of the state of an unfinished run."""


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
        DamagedFileError: The weights are unreadable, another network's, or not finite.
        SettingsError: The settings are not those of a training run.
    """
    values = read_yaml(config_file.read_text("utf-8"), origin=str(config_file))
    network = build_network(check(TrainSettings, values, origin=str(config_file)).twin)
    load_weights(network, weights_file)
    return network


def load_weights(network: SiameseNetwork, weights_file: Path) -> None:
    """Replace a network's weights by those of a file.

    Raises:
        DamagedFileError: The weights are unreadable, another network's, or not finite.
    """
    try:
        weights = load_file(weights_file)
        network.load_state_dict(weights)
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DamagedFileError(f"{weights_file} does not hold this network's weights: {reason}") from None
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise DamagedFileError(f"{weights_file}: {name} holds values that are not finite")


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
