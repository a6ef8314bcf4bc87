"""The peak speed of a device, in a large matrix product, with which that of a training is compared."""

import time

import torch

from omnishot.model.device import Compute

_SIDE = {"cuda": 8192, "cpu": 1024}
_AT_ONCE = 8


def matmul_peak(compute: Compute, *, seconds: float = 0.5) -> float:
    """Measure matrix products for a while.

    Args:
        compute: Device and arithmetic to measure.
        seconds: For how long, after a first product that is not counted.

    Returns:
        Floating-point operations per second of the fastest few products; what else the machine does slows the others.
    """
    n = _SIDE[compute.device.type]
    kind = torch.bfloat16 if compute.bf16 else torch.float32
    # Random numbers, as a device multiplies ones faster.
    generator = torch.Generator(compute.device).manual_seed(0)
    left, right = (torch.rand(n, n, device=compute.device, generator=generator).to(kind) for _ in range(2))
    product = left @ right
    fastest, started = float("inf"), time.perf_counter()
    while fastest == float("inf") or time.perf_counter() - started < seconds:
        _wait(compute)
        began = time.perf_counter()
        for _ in range(_AT_ONCE):
            torch.matmul(left, right, out=product)
        _wait(compute)
        fastest = min(fastest, (time.perf_counter() - began) / _AT_ONCE)
    return 2 * n**3 / fastest


def _wait(compute: Compute) -> None:
    if compute.device.type == "cuda":
        torch.cuda.synchronize(compute.device)
