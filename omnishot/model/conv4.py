"""Four blocks of 3x3 convolutions, the usual small network of few-shot learning.

Source: Vinyals et al. 2016, section 4.1; narrower at first, wider at last.
"""

from torch import Tensor, nn

CHANNELS = (32, 64, 128, 128)
"""Filters of each block."""


class Conv4Twin(nn.Module):
    """Convolution, 2x2 max-pooling, batch normalisation and ReLU, four times.

    Pooling comes right after the convolution: normalising a quarter of the values makes a step a third shorter.

    Attributes:
        side: Side of the images it takes, pixels.
        dimension: Length of the vectors it returns.
    """

    def __init__(self) -> None:
        """Build the layers; torch's own initialisation."""
        super().__init__()
        self.side, self.dimension = 35, CHANNELS[-1] * 4
        incoming = 1
        for number, outgoing in enumerate(CHANNELS, 1):
            self.add_module(f"conv{number}", nn.Conv2d(incoming, outgoing, 3, padding=1, bias=False))
            self.add_module(f"norm{number}", nn.BatchNorm2d(outgoing))
            incoming = outgoing

    def forward(self, images: Tensor) -> Tensor:
        """Return a vector for each image, shape (n, dimension); images have shape (n, 1, 35, 35), ink 1 on 0."""
        x = images
        for number in range(1, len(CHANNELS) + 1):
            x = nn.functional.max_pool2d(self.get_submodule(f"conv{number}")(x), 2)
            x = nn.functional.relu(self.get_submodule(f"norm{number}")(x))
        return x.flatten(1)
