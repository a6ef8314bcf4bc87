"""Where a network runs, and in which precision."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from omnishot.errors import UnavailableError
from omnishot.machine import memory
from omnishot.vocabulary import DeviceName, Precision


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and a precision.

    Attributes:
        device: Where tensors live.
        bf16: Whether networks run under bfloat16 autocast.
        tf32: Whether what is left in single precision may be multiplied in TensorFloat-32.
    """

    device: torch.device
    bf16: bool
    tf32: bool = False

    def autocast(self) -> torch.autocast:
        """Return the context in which networks run."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    @contextlib.contextmanager
    def tuned(self) -> Iterator[None]:
        """Set what torch knows only as process-wide switches, while the block runs."""
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        try:
            # Shapes stay the same from step to step, so that the fastest kernels are worth looking for.
            with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=self.tf32):
                yield
        finally:
            torch.set_float32_matmul_precision(before)

    def describe(self) -> dict[str, str | None]:
        """Return what a manifest says of the machine."""
        on_cuda = self.device.type == "cuda"
        return {
            "torch": str(torch.__version__),
            "cuda": torch.version.cuda if on_cuda else None,
            "device": torch.cuda.get_device_name(self.device) if on_cuda else "cpu",
            "precision": "bf16" if self.bf16 else "tf32" if self.tf32 else "fp32",
        }


def choose_compute(device: DeviceName, precision: Precision) -> Compute:
    """Resolve `auto`: CUDA where there is one, bfloat16 where the device computes it natively.

    Raises:
        UnavailableError: CUDA is asked for and absent, or TF32 on a device without it.
    """
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise UnavailableError("--device cuda: this machine has no usable CUDA device", hint="Use --device cpu.")
    chosen = _own_cuda_device() if has_cuda and device != "cpu" else torch.device("cpu")
    bf16 = precision == "bf16" or (precision == "auto" and _computes_bf16(chosen))
    if precision == "tf32" and not _computes_tf32(chosen):
        raise UnavailableError(f"precision = tf32: {chosen.type} does not compute it", hint="Use --set precision=auto.")
    return Compute(chosen, bf16, tf32=precision == "tf32" or (bf16 and _computes_tf32(chosen)))


def _own_cuda_device() -> torch.device:
    """Return the device of this process: torchrun numbers the processes of a machine, and each takes one."""
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        hint = f"Start {count} processes on each machine: torchrun --nproc-per-node {count}."
        raise UnavailableError(f"Process {number} of this machine has no CUDA device, as there are {count}", hint=hint)
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def _computes_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # torch has no public API for this; where it is unknown, fp32 is right everywhere.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return probe is not None and bool(probe())


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that are free on a device, or None where that is not known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory()["available"]
