"""The convolutional twin of Koch, Zemel & Salakhutdinov 2015, in full and for 35x35 images."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from omnishot.config import Architecture
from omnishot.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of a twin's layers.

    Attributes:
        side: Side of the images, pixels.
        filters: Filters of each convolution.
        filter_sizes: Side of each convolution's filters, pixels.
        dense_units: Units of the dense layer.
    """

    side: int
    filters: tuple[int, ...]
    filter_sizes: tuple[int, ...]
    dense_units: int

    def changed_to(self, architecture: Architecture) -> "Sizes":
        """Return these sizes but for those that an architecture names."""
        return replace(self, **architecture.model_dump(exclude_none=True))

    def sides_after(self) -> list[int]:
        """Return the side of what each convolution passes on, the last one without pooling; below 1 nothing is left."""
        side, sides = self.side, []
        for number, filter_size in enumerate(self.filter_sizes, 1):
            side = side - filter_size + 1
            side = side if number == len(self.filter_sizes) else side // 2
            sides.append(side)
        return sides


PUBLISHED: dict[str, Sizes] = {
    "koch": Sizes(105, (64, 128, 128, 256), (10, 7, 4, 4), 4096),
    # The paper gives no sizes for this one, so filters shrink with the image.
    "koch35": Sizes(35, (64, 128, 128, 256), (4, 3, 2, 2), 4096),
}
"""Source: Koch et al. 2015, figure 4 and section 4.4."""


class KochTwin(nn.Module):
    """Four convolutions with ReLU, the first three max-pooled, then a dense layer with a sigmoid.

    Attributes:
        side: Side of the images it takes, pixels.
        dimension: Length of the vectors it returns.

    Source: Koch et al. 2015, section 3.1 and figure 4.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Build the layers and draw their weights as the paper does.

        Raises:
            SettingsError: The filters are too large for the images.
        """
        super().__init__()
        self.side, self.dimension = sizes.side, sizes.dense_units
        last = sizes.sides_after()[-1]
        if last < 1:
            filter_sizes = ", ".join(map(str, sizes.filter_sizes))
            raise SettingsError(
                f"Filters of {filter_sizes} pixels, with pooling between them, leave nothing of a "
                f"{sizes.side}x{sizes.side} image",
                hint="Lower architecture.filter_sizes.",
            )
        incoming = 1
        for number, (outgoing, filter_size) in enumerate(zip(sizes.filters, sizes.filter_sizes, strict=True), 1):
            self.add_module(f"conv{number}", nn.Conv2d(incoming, outgoing, filter_size))
            incoming = outgoing
        self.n_convolutions = len(sizes.filters)
        self.dense = nn.Linear(incoming * last * last, sizes.dense_units)
        self.apply(initialize_as_koch)

    def forward(self, images: Tensor) -> Tensor:
        """Return vectors in (0, 1), shape (n, dimension), of images of shape (n, 1, side, side), ink 1 on 0."""
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
