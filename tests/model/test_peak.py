"""The peak is a speed that a matrix product reaches, and no product is faster."""

import time

import pytest
import torch

from omnishot.model.device import Compute
from omnishot.model.peak import matmul_peak


@pytest.mark.slow
def test_the_peak_is_what_one_product_after_another_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    # Processor time, which is the same for both whatever else the machine does.
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    peak = matmul_peak(Compute(torch.device("cpu"), bf16=False), seconds=0.3)
    n = 1024
    left = torch.ones(n, n)
    speeds = []
    for _ in range(20):
        began = time.perf_counter()
        left @ left
        speeds.append(2 * n**3 / (time.perf_counter() - began))
    # Others take caches and clock speed, so within a factor of three of the fastest.
    assert max(speeds) / 3 < peak < 3 * max(speeds)
