"""The processes that train one network together: torchrun starts them, process 0 leads the others."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from omnishot.errors import SettingsError, UnavailableError, brief

_PATIENCE = timedelta(days=7)
"""Others wait for process 0 as long as it waits for a store that is busy."""

Message = dict[str, Any] | None


class Processes:
    """Those that share every batch among them; a process that is alone shares with nobody.

    Attributes:
        number: Number of this process, from 0.
        count: How many there are.
    """

    def __init__(self, number: int = 0, count: int = 1, host_group: dist.ProcessGroup | None = None) -> None:
        """Take a place among the processes of torch's default group.

        Args:
            number: Number of this process.
            count: How many there are.
            host_group: A group of the same processes for values in main memory, which wait for no device.
        """
        self.number, self.count, self._host_group = number, count, host_group

    def agree(self, stop: bool, value: float) -> tuple[bool, float]:
        """Return, the same everywhere, whether any process wants to stop, and the value of process 0.

        Args:
            stop: Whether this one wants to.
            value: What process 0 says, 0 or more.
        """
        if self.count == 1:
            return stop, value
        shared = torch.tensor([float(stop), value if self.number == 0 else 0.0], dtype=torch.float64)
        dist.all_reduce(shared, dist.ReduceOp.MAX, group=self._host_group)
        return bool(shared[0]), float(shared[1])

    def all_well(self, well: bool) -> bool:
        """Tell whether all is well everywhere; every process has to ask at the same point."""
        if self.count == 1:
            return well
        shared = torch.tensor(float(well))
        dist.all_reduce(shared, dist.ReduceOp.MIN, group=self._host_group)
        return bool(shared)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the processes, on the device and without waiting for it."""
        if self.count == 1:
            return values
        shared = values.clone()
        dist.all_reduce(shared)
        return shared / self.count

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes below each other, in their order; gradients flow back to each.

        Args:
            rows: Shape (n, d), the same in each process.

        Returns:
            Shape (count * n, d).
        """
        if self.count == 1:
            return rows
        before, after = self.number * len(rows), (self.count - 1 - self.number) * len(rows)
        padded = nn.functional.pad(rows, (0, 0, before, after))
        gathered: Tensor = _Sum.apply(padded)  # type: ignore[no-untyped-call]
        return gathered

    def share(self, network: nn.Module) -> None:
        """Let the network's batch normalisation, in training, see the batches of all processes."""
        if self.count == 1:
            return
        for parent in list(network.modules()):
            for name, layer in parent.named_children():
                if isinstance(layer, nn.BatchNorm2d):
                    shared = _SharedBatchNorm(layer.num_features, eps=layer.eps, momentum=layer.momentum)
                    shared.load_state_dict(layer.state_dict())
                    setattr(parent, name, shared)

    def wrapped(self, module: nn.Module) -> nn.Module:
        """Return the module so that the gradients of its parameters are means over the processes."""
        if self.count == 1:
            return module
        return DistributedDataParallel(module, gradient_as_bucket_view=True)

    @contextlib.contextmanager
    def leading(self) -> Iterator[Callable[[dict[str, Any]], None]]:
        """Give process 0 a function that tells the others what to do; without a call they hear None in the end."""
        told = False

        def tell(message: Message) -> None:
            nonlocal told
            told = True
            if self.count > 1:
                content = torch.frombuffer(bytearray(json.dumps(message).encode()), dtype=torch.uint8)
                dist.broadcast(torch.tensor(len(content)), src=0, group=self._host_group)
                dist.broadcast(content, src=0, group=self._host_group)

        try:
            yield tell
        finally:
            if not told:
                tell(None)

    def listen(self) -> Message:
        """Return what process 0 tells."""
        length = torch.tensor(0)
        dist.broadcast(length, src=0, group=self._host_group)
        content = torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(content, src=0, group=self._host_group)
        message: Message = json.loads(content.numpy().tobytes())
        return message


ALONE = Processes()


def equal_share(n: int, processes: Processes, *, what: str, setting: str) -> int:
    """Return how many of a batch's items each process takes.

    Args:
        n: Items in a batch.
        processes: Those that share it.
        what: What is shared, for the message.
        setting: Setting that decides their number.

    Raises:
        SettingsError: They cannot be shared equally.
    """
    if n % processes.count:
        hint = f"Set {setting} so that they can, or start another number of processes."
        raise SettingsError(f"The {n} {what} of a batch cannot be shared by {processes.count} processes", hint=hint)
    return n // processes.count


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started with this one; without torchrun, be alone.

    Args:
        device: Where this process trains.

    Raises:
        UnavailableError: Another process ended while this one needed it.
    """
    if not dist.is_torchelastic_launched() or os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE
        return
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        yield Processes(number, count, dist.new_group(backend="gloo", timeout=_PATIENCE))
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        raise UnavailableError(
            f"Process {number} lost touch with the others: {brief(str(error).partition(chr(10))[0])}",
            hint="Another process ended first. --resume continues from the last checkpoint, if there is one.",
        ) from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


class _Sum(torch.autograd.Function):
    """Adds up the tensors of all processes; so does its gradient, as each process has a part of the loss."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        shared = values.clone()
        dist.all_reduce(shared)
        return shared

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        shared = gradient.contiguous().clone()
        dist.all_reduce(shared)
        return shared


class _SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes, also on a CPU, where torch's own cannot."""

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            alone: Tensor = super().forward(values)
            return alone
        count = dist.get_world_size()
        x = values.float()
        mean: Tensor = _Sum.apply(x.mean(dim=(0, 2, 3)) / count)  # type: ignore[no-untyped-call]
        centred = x - mean[:, None, None]
        variance: Tensor = _Sum.apply(centred.square().mean(dim=(0, 2, 3)) / count)  # type: ignore[no-untyped-call]
        self._remember(mean.detach(), variance.detach(), n=count * x.numel() // x.shape[1])
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalised: Tensor = centred * scale[:, None, None] + self.bias[:, None, None]
        return normalised.to(values.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, n: int) -> None:
        momentum = self.momentum
        if self.running_mean is None or self.running_var is None or momentum is None:
            raise RuntimeError("batch normalisation without running averages cannot be shared")
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (n / (n - 1)), momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
