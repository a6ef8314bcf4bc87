"""What a convolution responds to is what torch computes there, in every twin."""

import numpy as np
import pytest
import torch

from omnishot.data.image_set import ImageSet
from omnishot.data.render import shrink
from omnishot.evaluation.activations import responses
from omnishot.model.device import choose_compute
from omnishot.model.siamese import build_network
from omnishot.vocabulary import TwinName

CPU = choose_compute("cpu", "fp32")


@pytest.mark.parametrize(
    ("twin", "shapes"),
    [
        ("koch", [(64, 96, 96), (128, 42, 42), (128, 18, 18), (256, 6, 6)]),
        ("koch35", [(64, 32, 32), (128, 14, 14), (128, 6, 6), (256, 2, 2)]),
        ("conv4", [(32, 35, 35), (64, 17, 17), (128, 8, 8), (128, 4, 4)]),
    ],
)
def test_every_convolution_of_every_twin_responds(
    images: ImageSet, twin: TwinName, shapes: list[tuple[int, ...]]
) -> None:
    network = build_network(twin)
    found = responses(network, images.pixels[0], CPU)
    assert [response.layer for response in found] == ["conv1", "conv2", "conv3", "conv4"]
    assert [response.maps.shape for response in found] == shapes
    assert all(response.maps.min() >= 0 for response in found)
    assert not any(module._forward_hooks for module in network.modules())


def test_the_first_responses_are_the_convolution_normalised_where_it_is_and_rectified(images: ImageSet) -> None:
    network = build_network("conv4").eval()
    norm = network.twin.get_submodule("norm1")
    norm.get_parameter("bias").data.fill_(0.3)
    with torch.no_grad():
        convolved = network.twin.get_submodule("conv1")(shrink(torch.from_numpy(images.pixels[:1]), 35))
        expected = torch.relu(convolved / (1 + 1e-5) ** 0.5 + 0.3)[0].numpy()
    np.testing.assert_allclose(responses(network, images.pixels[0], CPU)[0].maps, expected, atol=1e-5)
