"""What processes share is what one process would have computed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from omnishot.config import PairsObjective
from omnishot.errors import SettingsError
from omnishot.training.processes import SINGLE_PROCESS, Processes, equal_share, process_group


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    """A group of one, whose sums are those of this process."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (100.0, 0.1), (100.0, 0.01), (-3.0, 50.0)])
def test_shared_batch_normalisation_is_torchs(mean: float, deviation: float) -> None:
    torch.manual_seed(0)
    values = (mean + deviation * torch.randn(12, 5, 4, 4)).requires_grad_()
    theirs = nn.Sequential(nn.BatchNorm2d(5))
    ours = nn.Sequential(nn.BatchNorm2d(5))
    Processes(0, 2).sync_batch_norm(ours)
    assert type(ours[0]) is not nn.BatchNorm2d
    results = []
    for layer in (theirs, ours):
        out = layer(values)
        (gradient,) = torch.autograd.grad((out**3).sum(), values)
        results.append((out.detach(), gradient, *layer.state_dict().values()))
    for one, other in zip(*results, strict=True):
        scale = float(one.double().abs().max())
        assert torch.allclose(one.double(), other.double(), rtol=2e-3, atol=2e-3 * scale + 1e-6)
    expected, evaluated = (layer.eval()(values) for layer in (theirs, ours))
    assert torch.allclose(expected, evaluated, rtol=1e-3, atol=1e-3)


def test_a_single_process_keeps_everything_as_it_is() -> None:
    rows = torch.randn(3, 2)
    assert SINGLE_PROCESS.all_gather(rows) is rows
    assert SINGLE_PROCESS.all_reduce_mean(rows) is rows
    assert SINGLE_PROCESS.all_reduce_max(15, 2.5) == [15, 2.5]
    assert SINGLE_PROCESS.from_rank_zero(2.5) == 2.5
    assert [SINGLE_PROCESS.any_failed(failed) for failed in (False, True)] == [False, True]
    module = nn.Linear(2, 2)
    assert SINGLE_PROCESS.data_parallel(module) is module


def test_a_clusters_variables_alone_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")  # Many clusters set it in every shell.
    assert "TORCHELASTIC_RUN_ID" not in os.environ
    with process_group(torch.device("cpu")) as processes:
        assert processes.world_size == 1


def test_what_cannot_be_shared_equally_is_refused() -> None:
    size = PairsObjective().batch_size
    assert equal_share(size, Processes(0, 4), what="pairs", setting="objective.batch_size") == 32
    with pytest.raises(SettingsError, match="The 128 pairs of a batch cannot be shared by 3 processes"):
        equal_share(size, Processes(0, 3), what="pairs", setting="objective.batch_size")
