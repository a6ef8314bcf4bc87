"""The convolutional twin of Koch, Zemel & Salakhutdinov 2015, in full and for 35x35 images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class KochTwin(nn.Module):
    """Four convolutions with ReLU, the first three max-pooled, then a dense layer with a sigmoid.

    Attributes:
        side: Side of the images it takes, pixels.
        dimension: Length of the vectors it returns.

    Source: Koch et al. 2015, section 3.1 and figure 4.
    """

    def __init__(self, side: int, channels: Sequence[int], kernel_sizes: Sequence[int], dimension: int) -> None:
        """Build the layers and draw their weights as the paper does.

        Args:
            side: Side of the images, pixels.
            channels: Filters of each convolution.
            kernel_sizes: Side of each convolution's filters, pixels.
            dimension: Units of the dense layer.
        """
        super().__init__()
        self.side, self.dimension = side, dimension
        incoming = 1
        for number, (outgoing, kernel_size) in enumerate(zip(channels, kernel_sizes, strict=True), 1):
            self.add_module(f"conv{number}", nn.Conv2d(incoming, outgoing, kernel_size))
            side = side - kernel_size + 1
            side = side if number == len(channels) else side // 2
            incoming = outgoing
        self.n_convolutions = len(channels)
        self.dense = nn.Linear(incoming * side * side, dimension)
        self.apply(initialize_as_koch)

    def forward(self, images: Tensor) -> Tensor:
        """Return a vector for each image.

        Args:
            images: Shape (n, 1, side, side), ink 1 on 0.

        Returns:
            Shape (n, dimension), in (0, 1).
        """
        x = images
        for number in range(1, self.n_convolutions + 1):
            x = self.get_submodule(f"conv{number}")(x)
            if number < self.n_convolutions:
                x = nn.functional.max_pool2d(x, 2)
            x = torch.relu(x)  # The same before and after pooling, but here on a quarter of the values.
        return torch.sigmoid(self.dense(x.flatten(1)))


def initialize_as_koch(layer: nn.Module) -> None:
    """Draw a layer's weights: convolutions N(0, 0.01²), dense N(0, 0.2²), all biases N(0.5, 0.01²).

    Source: Koch et al. 2015, section 3.2.
    """
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.01 if isinstance(layer, nn.Conv2d) else 0.2)
        if layer.bias is not None:
            nn.init.normal_(layer.bias, 0.5, 0.01)


def koch() -> KochTwin:
    """Return the paper's twin for 105x105 images."""
    return KochTwin(105, channels=(64, 128, 128, 256), kernel_sizes=(10, 7, 4, 4), dimension=4096)


def koch35() -> KochTwin:
    """Return the twin for 35x35 images; the paper gives no sizes for it, so filters shrink with the image."""
    return KochTwin(35, channels=(64, 128, 128, 256), kernel_sizes=(4, 3, 2, 2), dimension=4096)
