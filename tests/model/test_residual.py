"""The residual twin begins as its four plain blocks, and its residual blocks then do something."""

import pytest
import torch
from torch import nn

from omnishot.config import Architecture
from omnishot.errors import SettingsError
from omnishot.model.residual import CHANNELS, ResidualBlock, ResidualTwin
from omnishot.model.siamese import build_network


def test_it_has_ten_convolutions_and_as_many_parameters_as_their_sizes_say() -> None:
    twin = ResidualTwin()
    convolutions = [module for module in twin.modules() if isinstance(module, nn.Conv2d)]
    weights = 9 * (32 + 32 * 64 + 64 * 128 + 128 * 256 + 2 * (64**2 + 128**2 + 256**2))
    scales_and_shifts = 2 * (32 + 3 * (64 + 128 + 256))
    assert len(convolutions) == 10
    assert sum(parameter.numel() for parameter in twin.parameters()) == weights + scales_and_shifts


def test_it_keeps_a_fourth_of_a_fourth_of_the_image_for_each_of_the_last_channels() -> None:
    twin = ResidualTwin().eval()
    with torch.no_grad():
        vectors = twin(torch.rand(3, 1, 35, 35))
    assert vectors.shape == (3, twin.dimension) == (3, 2 * 2 * CHANNELS[-1])


def test_a_block_begins_as_the_identity_and_learns_to_add() -> None:
    torch.manual_seed(0)
    block, x = ResidualBlock(8), torch.rand(2, 8, 4, 4)
    assert torch.equal(block(x), x)
    nn.init.ones_(block.norm2.weight)
    with torch.no_grad():
        added = block.norm2(block.conv2(torch.relu(block.norm1(block.conv1(x)))))
        assert torch.allclose(block(x), torch.relu(x + added))
        assert not torch.allclose(block(x), x)


def test_every_parameter_gets_a_gradient_once_the_blocks_have_opened() -> None:
    torch.manual_seed(0)
    network = build_network("residual")
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            nn.init.ones_(module.norm2.weight)
    network(*torch.rand(2, 4, 1, 35, 35)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert float(parameter.grad.abs().sum()) > 0, name


def test_its_layers_have_no_other_sizes() -> None:
    with pytest.raises(SettingsError, match="not for residual"):
        build_network("residual", architecture=Architecture(dense_units=8))
