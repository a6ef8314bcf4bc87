"""Where a network runs, and in which arithmetic."""

from dataclasses import dataclass
from typing import Literal

import torch

from omnishot.errors import UnavailableError

DeviceName = Literal["auto", "cuda", "cpu"]
Precision = Literal["auto", "bf16", "fp32"]


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and an arithmetic.

    Attributes:
        device: Where tensors live.
        bf16: Whether networks run under bfloat16 autocast.
    """

    device: torch.device
    bf16: bool

    def autocast(self) -> torch.autocast:
        """Return the context in which networks run."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def describe(self) -> dict[str, str | None]:
        """Return what a manifest says of the machine."""
        on_cuda = self.device.type == "cuda"
        return {
            "torch": str(torch.__version__),
            "cuda": torch.version.cuda if on_cuda else None,
            "device": torch.cuda.get_device_name(self.device) if on_cuda else "cpu",
            "precision": "bf16" if self.bf16 else "fp32",
        }


def choose_compute(device: DeviceName, precision: Precision) -> Compute:
    """Resolve `auto`: CUDA where there is one, bfloat16 where the device computes it natively.

    Raises:
        UnavailableError: CUDA is asked for and absent.
    """
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise UnavailableError("--device cuda: this machine has no usable CUDA device", hint="Use --device cpu.")
    chosen = torch.device("cuda" if has_cuda and device != "cpu" else "cpu")
    return Compute(chosen, precision == "bf16" or (precision == "auto" and _computes_bf16(chosen)))


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # torch has no public question for this; without the answer, fp32 is right everywhere.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return probe is not None and bool(probe())
