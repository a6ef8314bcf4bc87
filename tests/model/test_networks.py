"""The networks are the paper's, and symmetric."""

import pytest
import torch

from omnishot.config import Architecture
from omnishot.errors import SettingsError
from omnishot.model.koch import PUBLISHED, KochTwin
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.vocabulary import TwinName

TWINS: list[TwinName] = ["koch35", "conv4", "residual"]


def test_the_papers_network_has_the_papers_number_of_parameters() -> None:
    network = build_network("koch")
    assert sum(parameter.numel() for parameter in network.parameters()) == 38_951_745


def test_the_papers_layers_have_the_papers_shapes() -> None:
    shapes = {name: tuple(layer.weight.shape) for name, layer in KochTwin(PUBLISHED["koch"]).named_children()}  # type: ignore[arg-type]
    assert shapes == {
        "conv1": (64, 1, 10, 10),
        "conv2": (128, 64, 7, 7),
        "conv3": (128, 128, 4, 4),
        "conv4": (256, 128, 4, 4),
        "dense": (4096, 9216),
    }


def test_layers_may_have_other_sizes() -> None:
    sizes = Architecture(filters=(16, 32, 48, 64), filter_sizes=(5, 3, 2, 1), dense_units=256)
    network = build_network("koch35", architecture=sizes)
    assert [tuple(layer.weight.shape) for layer in network.twin.children()] == [  # type: ignore[arg-type]
        (16, 1, 5, 5),
        (32, 16, 3, 3),
        (48, 32, 2, 2),
        (64, 48, 1, 1),
        (256, 64 * 2 * 2),
    ]
    assert network(*torch.rand(2, 3, 1, 35, 35)).shape == (3,)


def test_filters_that_leave_nothing_of_the_image_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"20, 3, 2, 2 pixels.* leave nothing of a 35x35 image"):
        build_network("koch35", architecture=Architecture(filter_sizes=(20, 3, 2, 2)))
    with pytest.raises(SettingsError, match="not for conv4"):
        build_network("conv4", architecture=Architecture(dense_units=8))


def test_weights_are_drawn_as_in_the_paper() -> None:
    torch.manual_seed(0)
    for name, layer in KochTwin(PUBLISHED["koch35"]).named_children():
        weight, bias = layer.weight.detach(), layer.bias.detach()  # type: ignore[operator]
        assert float(weight.mean()) == pytest.approx(0, abs=0.002)
        assert float(weight.std()) == pytest.approx(0.2 if name == "dense" else 0.01, rel=0.1)
        assert float(bias.mean()) == pytest.approx(0.5, abs=0.01)
        assert float(bias.std()) == pytest.approx(0.01, rel=0.3)


@pytest.mark.parametrize("name", TWINS)
def test_swapping_the_images_changes_nothing(name: TwinName) -> None:
    network = build_network(name).eval()
    left, right = torch.rand(2, 3, 1, 35, 35)
    with torch.no_grad():
        assert torch.equal(network(left, right), network(right, left))


@pytest.mark.parametrize("distance", ["l1", "squared"])
def test_comparing_all_is_comparing_each(distance: str) -> None:
    network = SiameseNetwork(build_network("conv4").twin, distance)  # type: ignore[arg-type]
    torch.nn.init.normal_(network.head.weight)
    left, right = torch.randn(4, 512), torch.randn(3, 512)
    with torch.no_grad():
        each = torch.stack([torch.stack([network.compare(a, b) for b in right]) for a in left])
        assert torch.allclose(network.compare_all(left, right), each, rtol=1e-4, atol=1e-3)


def test_the_head_is_a_weighted_sum_of_distances() -> None:
    network = SiameseNetwork(build_network("conv4").twin, "l1")
    left, right = torch.randn(2, 512)
    weight, bias = network.head.weight[0].detach(), network.head.bias[0].detach()
    expected = sum(float(w) * abs(float(a) - float(b)) for w, a, b in zip(weight, left, right, strict=True))
    with torch.no_grad():
        assert float(network.compare(left, right)) == pytest.approx(expected + float(bias), abs=1e-3)
