"""The engine with one of its parts switched off; reaches into the trainer, as the parts are no settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from engines.setup import Task
from engines.usual import UsualTwins
from omnishot.training.loop import Trainer


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the engine, and how to do without it.

    Attributes:
        without: What is done instead, in words.
        alter: Changes the trainer.
        change: Changes the task.
        keeps_memory: Whether freed memory is kept for the next step.
        chooses_threads: Whether threads wait a short moment only.
        reads_loss: Whether loss and accuracy are read in each step.
    """

    without: str
    alter: Callable[[Trainer], None] = lambda trainer: None
    change: Callable[[Task], Task] = lambda task: task
    keeps_memory: bool = True
    chooses_threads: bool = True
    reads_loss: bool = False


class _TwoPasses(nn.Module):
    """A pass for the left images and one for the right ones."""

    def __init__(self, twin: nn.Module, side: int) -> None:
        super().__init__()
        self.twin, self.side = twin, side

    def forward(self, images: Tensor) -> Tensor:
        left, right = images.chunk(2)
        return torch.cat([self.twin(left), self.twin(right)])


def _pass_twice(trainer: Trainer) -> None:
    network = trainer._network
    network.twin = _TwoPasses(network.twin, network.twin.side)


def _put_channels_first(trainer: Trainer) -> None:
    twin = trainer._network.twin.to(memory_format=torch.contiguous_format)
    forward = twin.forward
    twin.forward = lambda images: forward(images.contiguous())


def _pool_last(trainer: Trainer) -> None:
    trainer._network.twin.forward = UsualTwins(trainer._network).embed


def _step_one_by_one(trainer: Trainer) -> None:
    kept = ("params", "lr", "initial_lr", "momentum", "final_momentum", "weight_decay")
    groups = [{name: group[name] for name in kept} for group in trainer._optimizer.param_groups]
    trainer._optimizer = torch.optim.SGD(groups, fused=False, foreach=False)


PARTS = {
    "engine": Part("nothing left out"),
    "bf16": Part("single precision", change=lambda task: replace(task, precision="fp32")),
    "channels_last": Part("channels first", _put_channels_first),
    "one pass": Part("a pass per twin", _pass_twice),
    "pooling first": Part("ReLU before pooling", _pool_last),
    "fused optimizer": Part("a parameter at a time", _step_one_by_one),
    "kept memory": Part("freed memory is given back", keeps_memory=False),
    "short waits": Part("threads wait as libgomp has them", chooses_threads=False),
    "no sync": Part("loss and accuracy read in each step", reads_loss=True),
    "no compile": Part("compiled by torch (compile: default)", change=lambda task: replace(task, compile="default")),
    "no graphs": Part("compiled, with CUDA graphs", change=lambda task: replace(task, compile="reduce-overhead")),
}
"""What the engine is made of; the last two are options that are off by default."""
