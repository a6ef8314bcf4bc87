"""Arithmetic is counted as by hand, and device settings are undone."""

import pytest
import torch

from omnishot.errors import UnavailableError
from omnishot.model.cost import training_flops
from omnishot.model.device import Compute, choose_compute


@pytest.mark.slow
def test_koch_costs_what_the_shapes_of_the_paper_say() -> None:
    convolutions = [  # Side of the result, filters, channels, side of the filter.
        (96, 64, 1, 10),
        (42, 128, 64, 7),
        (18, 128, 128, 4),
        (6, 256, 128, 4),
    ]
    forward = [2 * side**2 * filters * channels * size**2 for side, filters, channels, size in convolutions]
    forward.append(2 * 9216 * 4096)
    # Back, each layer costs as much for its weights and as much for its input; the image needs no gradient.
    assert training_flops("koch") == 3 * sum(forward) - forward[0]


def test_switches_of_the_process_are_as_before() -> None:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    with Compute(torch.device("cpu"), bf16=False, tf32=True).tuned():
        assert torch.get_float32_matmul_precision() == "high"
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark) == before


def test_tf32_is_refused_where_there_is_none() -> None:
    with pytest.raises(UnavailableError, match="cpu does not compute it"):
        choose_compute("cpu", "tf32")
