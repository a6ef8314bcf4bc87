"""A trained network on disk: safetensors weights, its settings, and the history of its training."""

import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, SettingsError, TrainingError, brief
from omnishot.formats.history import write_history
from omnishot.model.siamese import SiameseNetwork, network_for
from omnishot.settings_text import as_yaml, check
from omnishot.store.atomic_write import write_new
from omnishot.store.text_file import open_regular, read_text
from omnishot.strict_yaml import read_yaml
from omnishot.training.history import TrainingHistory

_MOST_HEAD = 1_000_000
_TYPES = {torch.float32: ("F32", "F16"), torch.int64: ("I64",)}
"""How each type may be stored; in half precision only where the results stay the same, as in the box."""


def write_model(folder: Path, weights: dict[str, Tensor], settings: TrainSettings, history: TrainingHistory) -> None:
    """Write weights.safetensors, config.yaml and history.jsonl into a folder.

    Raises:
        TrainingError: A weight is not finite, which no reader accepts.
    """
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            hint = "Lower --set optimizer.learning_rate."
            raise TrainingError(f"The training ended with values of {name} that are not finite", hint=hint)
    # Through bytes, so that a full disk is an OSError like everywhere else.
    content = save({name: tensor.contiguous().cpu() for name, tensor in weights.items()})
    write_new(folder / "weights.safetensors", content)
    write_new(folder / "config.yaml", as_yaml(settings).encode())
    write_history(folder / "history.jsonl", history)


def read_model(weights_file: Path, config_file: Path) -> SiameseNetwork:
    """Build the network that a model's files describe.

    Raises:
        DamagedFileError: The settings are not those of a training run, or the weights are unreadable, another
            network's, or not finite.
    """
    return read_network(weights_file, read_settings(config_file))


def read_settings(config_file: Path) -> TrainSettings:
    """Return the settings that a model was trained with.

    Raises:
        DamagedFileError: They are not those of a training run.
    """
    try:
        values = read_yaml(read_text(config_file), origin=str(config_file))
        return check(TrainSettings, values, origin=str(config_file))
    except SettingsError as error:
        raise DamagedFileError(f"{error}") from None


def read_network(weights_file: Path, settings: TrainSettings) -> SiameseNetwork:
    """Build the network that settings describe, with the weights of a file.

    Raises:
        DamagedFileError: No network has such settings, or the weights are unreadable, another network's, or not finite.
    """
    try:
        with torch.device("meta"):  # Sizes alone: what the settings ask for may be larger than the memory.
            planned = network_for(settings)
    except SettingsError as error:
        raise DamagedFileError(f"{error}") from None
    _refuse_other_size(weights_file, planned.state_dict())
    network = network_for(settings)
    load_weights(network, weights_file)
    network.test_variants = settings.test_variants
    return network


def load_weights(network: SiameseNetwork, weights_file: Path) -> None:
    """Replace a network's weights by those of a file.

    Raises:
        DamagedFileError: The weights are unreadable, another network's, or not finite.
    """
    expected = network.state_dict()
    _refuse_other_size(weights_file, expected)
    try:
        with safe_open(weights_file, "pt") as file:
            _refuse_other_tensors(file, expected)  # Before any of them is in memory.
            weights = {name: file.get_tensor(name).to(tensor.dtype) for name, tensor in expected.items()}
    except (SafetensorError, ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise DamagedFileError(f"{weights_file} does not hold this network's weights: {brief(error)}") from None
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise DamagedFileError(f"{weights_file}: {name} holds values that are not finite")
        if name.endswith("running_var") and (tensor < 0).any():
            raise DamagedFileError(f"{weights_file}: {name} holds variances below zero")
    network.load_state_dict(weights)


def _refuse_other_size(weights_file: Path, expected: dict[str, Tensor]) -> None:
    """Compare the size of a file, and what it says of its head, with the tensors that it should hold.

    Raises:
        DamagedFileError: They are others, or there is no such file.
    """
    try:
        with open_regular(weights_file) as file:
            size, head = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{weights_file} cannot be read: {brief(error)}") from None
    wanted = sum(tensor.nbytes for tensor in expected.values())
    in_half = sum(tensor.nbytes // (1 + tensor.is_floating_point()) for tensor in expected.values())
    if not 8 < head <= _MOST_HEAD or size not in {8 + head + wanted, 8 + head + in_half}:
        raise DamagedFileError(
            f"{weights_file} does not hold this network's weights: it has {size:,} bytes, and a head that claims "
            f"{head:,} of them, but {wanted:,} bytes of tensors are needed, or {in_half:,} in half precision"
        )


def _refuse_other_tensors(file: Any, expected: dict[str, Tensor]) -> None:
    found = set(file.keys())
    for names, what in ((expected.keys() - found, "lacks"), (found - expected.keys(), "has a strange")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ValueError(f"it {what} {brief(min(names))}{more}")
    for name, tensor in expected.items():
        stored = file.get_slice(name)
        types, shape = _TYPES[tensor.dtype], list(tensor.shape)
        if stored.get_dtype() not in types or stored.get_shape() != shape:
            theirs = f"{stored.get_dtype()} {stored.get_shape()}"
            raise ValueError(f"its {name} is {theirs}, but this network's is {types[0]} {shape}")
