"""The floating-point operations of a network, counted by torch from the shapes of its products and convolutions."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from omnishot.config import Architecture
from omnishot.model.siamese import build_network
from omnishot.vocabulary import TwinName


def training_flops(twin: TwinName, architecture: Architecture | None = None) -> int:
    """Return the floating-point operations of one image's way through a twin and back.

    A multiplication and an addition are two. Pooling, activations and the head, which are below a hundredth, are left
    out, and so is the gradient of the image, which is not computed.
    """
    with torch.device("meta"):
        network = build_network(twin, architecture=architecture)
        images = torch.empty(2, 1, network.twin.side, network.twin.side)
    with FlopCounterMode(display=False) as counter:
        network.twin(images).sum().backward()
    return int(counter.get_total_flops()) // len(images)
