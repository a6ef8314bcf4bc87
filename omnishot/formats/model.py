"""A trained network on disk: safetensors weights, its settings, and the history of its training."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, SettingsError, brief
from omnishot.formats.history import write_history
from omnishot.model.siamese import SiameseNetwork, network_for
from omnishot.settings_text import as_yaml, check
from omnishot.store.text_file import read_text
from omnishot.strict_yaml import read_yaml
from omnishot.training.history import TrainingHistory

_TYPES = {torch.float32: "F32", torch.int64: "I64"}


def write_model(folder: Path, weights: dict[str, Tensor], settings: TrainSettings, history: TrainingHistory) -> None:
    """Write weights.safetensors, config.yaml and history.jsonl into a folder."""
    # Through bytes, so that a full disk is an OSError like everywhere else.
    content = save({name: tensor.contiguous().cpu() for name, tensor in weights.items()})
    (folder / "weights.safetensors").write_bytes(content)
    (folder / "config.yaml").write_text(as_yaml(settings), "utf-8")
    write_history(folder / "history.jsonl", history)


def read_model(weights_file: Path, config_file: Path) -> SiameseNetwork:
    """Build the network that a model's files describe.

    Raises:
        DamagedFileError: The settings are not those of a training run, or the weights are unreadable, another
            network's, or not finite.
    """
    try:
        values = read_yaml(read_text(config_file), origin=str(config_file))
        settings = check(TrainSettings, values, origin=str(config_file))
        network = network_for(settings)
    except SettingsError as error:
        raise DamagedFileError(f"{error}") from None
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
