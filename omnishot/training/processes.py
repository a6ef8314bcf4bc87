"""The processes that train one network together: torchrun starts them, rank 0 tells the others what to do."""

import contextlib
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
"""The others wait for rank 0 for as long as it may wait for a busy store."""


class Processes:
    """Those that share every batch among them; a single process shares with nobody.

    Attributes:
        rank: Number of this process, from 0.
        world_size: How many there are.
    """

    def __init__(self, rank: int = 0, world_size: int = 1, host_group: dist.ProcessGroup | None = None) -> None:
        """Join torch's default group; `host_group` has the same processes, for values in main memory."""
        self.rank, self.world_size, self._host_group = rank, world_size, host_group

    def all_reduce_max(self, *values: float) -> list[float]:
        """Return the largest that any process gives of each value, without waiting for the device."""
        if self.world_size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(shared, dist.ReduceOp.MAX, group=self._host_group)
        found: list[float] = shared.tolist()
        return found

    def any_failed(self, failed: bool) -> bool:
        """Return whether any process has failed; each has to ask at the same point."""
        return self.all_reduce_max(failed)[0] > 0

    def from_rank_zero(self, value: float) -> float:
        """Return the value that rank 0 gives."""
        if self.world_size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(shared, src=0, group=self._host_group)
        return float(shared)

    def all_reduce_mean(self, values: Tensor) -> Tensor:
        """Return the mean over the processes, on the device and without waiting for it."""
        if self.world_size == 1:
            return values
        shared = values.clone()
        dist.all_reduce(shared)
        return shared / self.world_size

    def all_gather(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, shape (world_size * n, d), by rank; gradients flow back to each."""
        if self.world_size == 1:
            return rows
        before, after = self.rank * len(rows), (self.world_size - 1 - self.rank) * len(rows)
        padded = nn.functional.pad(rows, (0, 0, before, after))
        gathered: Tensor = _AllReduceSum.apply(padded)  # type: ignore[no-untyped-call]
        return gathered

    def sync_batch_norm(self, network: nn.Module) -> None:
        """Let the network's batch normalisation, in training, see the batches of all processes."""
        if self.world_size == 1:
            return
        for parent in list(network.modules()):
            for name, layer in parent.named_children():
                if isinstance(layer, nn.BatchNorm2d):
                    synced = _SyncBatchNorm(layer.num_features, eps=layer.eps, momentum=layer.momentum)
                    synced.load_state_dict(layer.state_dict())
                    setattr(parent, name, synced)

    def data_parallel(self, module: nn.Module) -> nn.Module:
        """Return the module so that the gradients of its parameters are means over the processes."""
        if self.world_size == 1:
            return module
        return DistributedDataParallel(module, gradient_as_bucket_view=True)

    @contextlib.contextmanager
    def broadcasting(self) -> Iterator[Callable[[Callable[[], str]], None]]:
        """Give rank 0 a function that sends the others one message; left without a call, they receive None.

        The message is written only where there are others.
        """
        is_sent = False

        def broadcast(write: Callable[[], str]) -> None:
            nonlocal is_sent
            if self.world_size > 1:
                content = write().encode()
                is_sent = True
                self._send(content)

        try:
            yield broadcast
        finally:
            if not is_sent:
                self._send(b"")

    def _send(self, content: bytes) -> None:
        if self.world_size > 1:
            dist.broadcast(torch.tensor(len(content)), src=0, group=self._host_group)
            if content:
                dist.broadcast(torch.frombuffer(bytearray(content), dtype=torch.uint8), src=0, group=self._host_group)

    def receive(self) -> str | None:
        """Return the message that rank 0 sends, or None where it has nothing for the others to do."""
        length = torch.tensor(0)
        dist.broadcast(length, src=0, group=self._host_group)
        if not length:
            return None
        content = torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(content, src=0, group=self._host_group)
        return content.numpy().tobytes().decode()


SINGLE_PROCESS = Processes()


def equal_share(n: int, processes: Processes, *, what: str, setting: str) -> int:
    """Return how many of the n items of a batch each process takes; a setting decides what n is.

    Raises:
        SettingsError: They cannot be shared equally.
    """
    if n % processes.world_size:
        hint = f"Set {setting} so that they can, or start another number of processes."
        raise SettingsError(
            f"The {n} {what} of a batch cannot be shared by {processes.world_size} processes", hint=hint
        )
    return n // processes.world_size


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started with this one, which trains on a device; without torchrun there is none.

    Raises:
        UnavailableError: Another process ended while this one needed it.
    """
    if not dist.is_torchelastic_launched() or os.environ.get("WORLD_SIZE", "1") == "1":
        yield SINGLE_PROCESS
        return
    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        yield Processes(rank, world_size, dist.new_group(backend="gloo", timeout=_PATIENCE))
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        raise UnavailableError(
            f"Process {rank} lost its connection to the others: {brief(str(error).partition(chr(10))[0])}",
            hint="Another process ended first. --resume continues from the last checkpoint, if there is one.",
        ) from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


class _AllReduceSum(torch.autograd.Function):
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


class _SyncBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes, also on a CPU, where torch's own cannot."""

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            alone: Tensor = super().forward(values)
            return alone
        world_size = dist.get_world_size()
        x = values.float()
        mean: Tensor = _AllReduceSum.apply(x.mean(dim=(0, 2, 3)) / world_size)  # type: ignore[no-untyped-call]
        centred = x - mean[:, None, None]
        variance: Tensor = _AllReduceSum.apply(centred.square().mean(dim=(0, 2, 3)) / world_size)  # type: ignore[no-untyped-call]
        self._remember(mean.detach(), variance.detach(), n=world_size * x.numel() // x.shape[1])
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
