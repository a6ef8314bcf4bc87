"""A trained network on disk: safetensors weights, its settings, and the history of its training."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from omnishot.config import TrainSettings, as_yaml, check
from omnishot.errors import DamagedFileError
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.strict_yaml import read_yaml


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
