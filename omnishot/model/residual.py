"""The four blocks of `conv4`, the last one wider, with a residual block after each but the first.

Source: He et al. 2016, section 3 (residual learning) and figure 2; Vinyals et al. 2016, section 4.1 (the four blocks).
"""

from torch import Tensor, nn

CHANNELS = (32, 64, 128, 256)
"""Filters of each block."""


class ResidualTwin(nn.Module):
    """Convolution, 2x2 max-pooling, batch normalisation and ReLU, four times; all but the first with a residual block.

    The residual blocks come after the pooling, where three quarters of the values are gone, so that six convolutions
    more only double the time of a step: 29 million multiplications an image.

    Attributes:
        side: Side of the images it takes, pixels.
        dimension: Length of the vectors it returns.
    """

    def __init__(self) -> None:
        """Build the layers; torch's own initialisation, but every residual block begins as the identity."""
        super().__init__()
        self.side, self.dimension = 35, CHANNELS[-1] * 4
        incoming = 1
        for number, outgoing in enumerate(CHANNELS, 1):
            self.add_module(f"conv{number}", nn.Conv2d(incoming, outgoing, 3, padding=1, bias=False))
            self.add_module(f"norm{number}", nn.BatchNorm2d(outgoing))
            if number > 1:
                self.add_module(f"block{number}", ResidualBlock(outgoing))
            incoming = outgoing

    def forward(self, images: Tensor) -> Tensor:
        """Return a vector for each image.

        Args:
            images: Shape (n, 1, 35, 35), ink 1 on 0.

        Returns:
            Shape (n, dimension).
        """
        x = images
        for number in range(1, len(CHANNELS) + 1):
            x = nn.functional.max_pool2d(self.get_submodule(f"conv{number}")(x), 2)
            x = nn.functional.relu(self.get_submodule(f"norm{number}")(x))
            if number > 1:
                x = self.get_submodule(f"block{number}")(x)
        return x.flatten(1)


class ResidualBlock(nn.Module):
    """What two 3x3 convolutions add to their input, rectified."""

    def __init__(self, channels: int) -> None:
        """Build the layers; with the second normalisation at zero the block passes its input on (Goyal et al. 2017)."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return values of the input's shape, 0 or more."""
        added = self.norm2(self.conv2(nn.functional.relu(self.norm1(self.conv1(x)))))
        return nn.functional.relu(x + added)
