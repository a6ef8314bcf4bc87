"""What every convolution of a twin responds to in one image."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omnishot.data.render import shrink
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork


@dataclass(frozen=True, slots=True)
class Response:
    """Rectified responses of one convolution.

    Attributes:
        layer: Its name, such as conv1.
        maps: Shape (n_channels, height, width), 0 or more.
    """

    layer: str
    maps: NDArray[np.float32]


@torch.no_grad()
def responses(network: SiameseNetwork, pixels: NDArray[np.uint8], compute: Compute) -> list[Response]:
    """Return the responses of every convolution to an image, before pooling so that they are as sharp as they get.

    Where a normalisation follows a convolution, it is applied first, so that what is shown is what may pass on. The
    image has the shape (h, h), uint8, ink 255 on 0, where h is a multiple of the twin's side. The twin is put into
    evaluation mode.
    """
    twin = network.twin.eval()
    modules = dict(twin.named_modules())
    found: dict[str, Tensor] = {}

    def keep(module: nn.Module, given: object, output: Tensor) -> None:
        found[names[module]] = output

    names: dict[nn.Module, str] = {module: name for name, module in modules.items() if isinstance(module, nn.Conv2d)}
    hooks = [module.register_forward_hook(keep) for module in names]
    try:
        with compute.autocast():
            twin(shrink(torch.from_numpy(pixels[None]).to(compute.device), twin.side))
    finally:
        for hook in hooks:
            hook.remove()
    rectified = []
    for name, output in found.items():
        normalisation = modules.get(name.replace("conv", "norm"))
        maps = torch.relu(normalisation(output) if normalisation else output)[0]
        rectified.append(Response(name, maps.float().cpu().numpy()))
    return rectified
