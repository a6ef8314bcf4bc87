"""Whether a saved state is one of a run: names, shapes, types and ranges, compared with its own before it is used.

A tensor of another shape reaches kernels that trust it, so that nothing is loaded before all of it was looked at.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from omnishot.errors import brief
from omnishot.training.history import EpochRecord, TrainingHistory
from omnishot.training.position import Position

_HISTORY = TypeAdapter(list[EpochRecord])
_NEVER_NEGATIVE = ("running_var", "num_batches_tracked", "n_averaged", "exp_avg_sq", ".step")
_OF_THE_PARAMETER = {"momentum_buffer", "exp_avg", "exp_avg_sq"}
_BEYOND_TENSORS = 1 << 26


@dataclass(frozen=True, slots=True)
class StateRules:
    """What a state has to be to be one of a run.

    Attributes:
        own: What the run's trainer returns as its state.
        optimizer: Its optimizer.
        epochs: The most that the run may have.
        steps_per_epoch: Steps of each.
    """

    own: Mapping[str, Any]
    optimizer: torch.optim.Optimizer
    epochs: int
    steps_per_epoch: int

    @property
    def most_bytes(self) -> int:
        """What a file with a state has at most: network, average, best, two moments, and its history."""
        own: Mapping[str, Tensor] = self.own["network"]
        return 6 * sum(tensor.nbytes for tensor in own.values()) + _BEYOND_TENSORS

    def check(self, state: object) -> None:
        """Check a state that was read from a file.

        Raises:
            ValueError: Something is missing, or not what a state of this run can hold.
        """
        own = self.own
        if not isinstance(state, dict) or state.keys() != own.keys():
            raise ValueError(f"it does not hold {', '.join(own)}")
        _check_tensors("network", state["network"], own["network"])
        if (state["average"] is None) != (own["average"] is None):
            raise ValueError("it has an average of the weights and this run has none, or the other way round")
        if own["average"]:
            _check_tensors("average", state["average"], own["average"])
        if state["best"] is not None:
            _check_tensors("best", state["best"], own["network"])
        _check_tensor("sums", state["sums"], own["sums"])
        _check_optimizer(state["optimizer"], own["optimizer"], self.optimizer)
        _check_position(state["position"], epochs=self.epochs, steps_per_epoch=self.steps_per_epoch)


def _check_tensors(what: str, found: object, own: Mapping[str, Tensor]) -> None:
    if not isinstance(found, dict) or found.keys() != own.keys():
        raise ValueError(f"its {what} does not hold the tensors of this run's")
    for name, tensor in own.items():
        _check_tensor(f"{what}.{name}", found[name], tensor)


def _check_tensor(name: str, found: object, own: Tensor) -> None:
    if not isinstance(found, Tensor) or found.layout != torch.strided or found.is_quantized or found.is_meta:
        raise ValueError(f"its {brief(name)} is no plain tensor")
    if found.shape != own.shape or found.dtype != own.dtype:
        theirs, mine = (f"{tensor.dtype} {list(tensor.shape)}" for tensor in (found, own))
        raise ValueError(f"its {brief(name)} is {theirs}, but this run's is {mine}")
    if found.dtype.is_floating_point and not torch.isfinite(found).all():
        raise ValueError(f"its {brief(name)} holds values that are not finite")
    if name.endswith(_NEVER_NEGATIVE) and (found < 0).any():
        raise ValueError(f"its {brief(name)} holds values below zero")


def _check_optimizer(found: object, own: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> None:
    if not isinstance(found, dict) or found.keys() != own.keys() or not isinstance(found["state"], dict):
        raise ValueError("its optimizer does not hold a state and groups")
    groups = found["param_groups"]
    mine = [group["params"] for group in own["param_groups"]]
    if not isinstance(groups, list) or [_parameters_of(group) for group in groups] != mine:
        raise ValueError("its optimizer has other groups of parameters than this run's")
    by_number, slots = _parameters_by_number(optimizer), _slots_of(optimizer)
    if not found["state"].keys() <= by_number.keys():
        raise ValueError("its optimizer knows parameters that this run does not have")
    for number, known in found["state"].items():
        if not isinstance(known, dict) or known.keys() != slots:
            raise ValueError(f"its optimizer holds something other than {', '.join(sorted(slots))}")
        for name, value in known.items():
            wanted = by_number[number] if name in _OF_THE_PARAMETER else torch.zeros((), dtype=torch.float32)
            _check_tensor(f"optimizer.{number}.{name}", value, wanted)


def _parameters_of(group: object) -> object:
    return group.get("params") if isinstance(group, dict) else None


def _slots_of(optimizer: torch.optim.Optimizer) -> set[str]:
    """Return what the optimizer keeps of each parameter once a step is taken."""
    return {"momentum_buffer"} if isinstance(optimizer, torch.optim.SGD) else {"step", "exp_avg", "exp_avg_sq"}


def optimizer_state(found: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return a checked state of an optimizer as it may be loaded.

    Rates and options stay the optimizer's own, as the settings decide them and not a file. Tensors get the layout of
    their parameters: torch takes over theirs, and its kernels do not look at it.
    """
    own, by_number = optimizer.state_dict(), _parameters_by_number(optimizer)
    state = {
        number: {
            name: torch.empty_like(by_number[number]).copy_(value) if name in _OF_THE_PARAMETER else value.clone()
            for name, value in known.items()
        }
        for number, known in found["state"].items()
    }
    return {"state": state, "param_groups": own["param_groups"]}


def _parameters_by_number(optimizer: torch.optim.Optimizer) -> dict[int, Tensor]:
    numbers = [number for group in optimizer.state_dict()["param_groups"] for number in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return dict(zip(numbers, parameters, strict=True))


def _check_position(found: object, *, epochs: int, steps_per_epoch: int) -> None:
    if not isinstance(found, dict) or found.keys() != Position().as_plain_values().keys():
        raise ValueError("its position is another version's")
    _check_count("position.planned_epochs", found["planned_epochs"], most=epochs)
    _check_count("position.epoch", found["epoch"], most=epochs)
    _check_count("position.step", found["step"], most=steps_per_epoch - 1)
    _check_count("position.best_epoch", found["best_epoch"], most=found["epoch"])
    seconds, accuracy = found["seconds"], found["best_accuracy"]
    if type(seconds) is not float or not math.isfinite(seconds) or seconds < 0:
        raise ValueError("its position.seconds is no time")
    if type(accuracy) is not float or not (accuracy == -1 or 0 <= accuracy <= 1):
        raise ValueError("its position.best_accuracy is no accuracy")
    if type(found["cut_short"]) is not bool:
        raise ValueError("its position.cut_short is neither true nor false")
    records = _checked_history(found["history"], n_epochs=found["epoch"])
    if accuracy >= 0 and any(record.validation_accuracy is None for record in records):
        raise ValueError("its history lacks the accuracies of which one was the best")


def _check_count(name: str, found: object, *, most: int) -> None:
    if type(found) is not int or not 0 <= found <= most:
        raise ValueError(f"its {name} does not count from 0 to {most:,}")


def _checked_history(found: object, *, n_epochs: int) -> TrainingHistory:
    if not isinstance(found, list) or len(found) != n_epochs:
        raise ValueError(f"its history is not of {n_epochs:,} epochs")
    try:
        records = _HISTORY.validate_python(found)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise ValueError(f"its history is none: {brief(problems[0]['msg'])}") from None
    if [record.epoch for record in records] != list(range(1, n_epochs + 1)):
        raise ValueError("its history does not count its epochs from 1")
    return records
