"""EfficientNet-Lite0: the smallest network of its family, without what small devices compute slowly.

It is kept as it was fitted, so that its batch normalisations, which are fixed then, are part of its convolutions.

Source: Tan & Le 2019, table 1, for the stages; the Lite variant of the same authors leaves out squeeze-and-excitation,
has ReLU6 for swish, and scales neither stem nor head.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 1280
"""Length of the vectors before the classifier."""

_STEM = 32
_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one resolution.

    Attributes:
        n_blocks: How many follow each other; the first of them has the stride.
        filter_size: Side of the depthwise filters, pixels.
        stride: Of the first block.
        expansion: How many times as many channels there are between a block's first and last layer.
        channels: What a block passes on.
    """

    n_blocks: int
    filter_size: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
"""Source: Tan & Le 2019, table 1."""


class _Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow does it: ⌈side / stride⌉ pixels come out, and odd padding ends below.

    The weights were fitted this way; padded evenly, as torch does it, a stride of two looks at other pixels.
    """

    def __init__(
        self, incoming: int, outgoing: int, filter_size: int = 1, *, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        super().__init__(incoming, outgoing, filter_size, stride=stride, groups=groups)
        self.relu = relu

    def forward(self, images: Tensor) -> Tensor:
        """Return maps, shape (n, outgoing, ⌈height / stride⌉, ⌈width / stride⌉)."""
        stride, filter_size = self.stride[0], self.kernel_size[0]
        down, across = (max((-(-side // stride) - 1) * stride + filter_size - side, 0) for side in images.shape[-2:])
        if down % 2 or across % 2:
            images = F.pad(images, (across // 2, across - across // 2, down // 2, down - down // 2))
            down = across = 0
        padding = (down // 2, across // 2)
        maps = F.conv2d(images, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return F.relu6(maps, inplace=not maps.requires_grad) if self.relu else maps


class _Block(nn.Module):
    """An inverted residual block: expand, filter each channel by itself, project; added to its input where it fits.

    Source: Sandler et al. 2018, section 3.3.
    """

    def __init__(self, incoming: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        wide = incoming * stage.expansion
        self.expand = _Convolution(incoming, wide) if stage.expansion > 1 else None
        self.depthwise = _Convolution(wide, wide, stage.filter_size, stride=stride, groups=wide)
        self.project = _Convolution(wide, stage.channels, relu=False)
        self.is_residual = stride == 1 and incoming == stage.channels

    def forward(self, images: Tensor) -> Tensor:
        """Return the maps of images."""
        maps: Tensor = self.project(self.depthwise(images if self.expand is None else self.expand(images)))
        return maps + images if self.is_residual else maps


class EfficientNetLite0(nn.Module):
    """The features of an image before the classifier; any size of at least 32 pixels will do, 224 is that it knows."""

    def __init__(self) -> None:
        """Build the layers; torch's own initialisation."""
        super().__init__()
        self.stem = _Convolution(3, _STEM, 3, stride=2)
        blocks, incoming = list[nn.Module](), _STEM
        for stage in _STAGES:
            for number in range(stage.n_blocks):
                blocks.append(_Block(incoming, stage, stage.stride if number == 0 else 1))
                incoming = stage.channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(incoming, FEATURES)

    def forward(self, images: Tensor) -> Tensor:
        """Return features of at least 0, shape (n, 1280), of normalised images, shape (n, 3, height, width)."""
        # In bfloat16 the first layers would lose more than all others together, for no time to speak of.
        with torch.autocast(images.device.type, enabled=False):
            maps: Tensor = self.blocks[0](self.stem(images))
        maps = self.head(self.blocks[1:](maps))
        return maps.float().mean(dim=(2, 3))


def fitted_weights(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of this network from those that were published, with the normalisations worked in.

    Args:
        published: Weights by the names of lukemelas' EfficientNet for PyTorch, the classifier included.

    Raises:
        KeyError: One is missing.
    """
    weights: dict[str, Tensor] = {}
    for name, convolution, norm in _published_names():
        of_norm = (published[f"{norm}.{what}"].double() for what in ("weight", "bias", "running_mean", "running_var"))
        scale, shift, mean, variance = of_norm
        factor = scale / (variance + _EPSILON).sqrt()
        weights[f"{name}.weight"] = (published[f"{convolution}.weight"].double() * factor[:, None, None, None]).float()
        weights[f"{name}.bias"] = (shift - mean * factor).float()
    return weights


def _published_names() -> Iterator[tuple[str, str, str]]:
    """Yield each convolution's name here, and there with that of its normalisation."""
    yield "stem", "_conv_stem", "_bn0"
    for number in range(sum(stage.n_blocks for stage in _STAGES)):
        there = f"_blocks.{number}"
        if number:  # The first block does not expand.
            yield f"blocks.{number}.expand", f"{there}._expand_conv", f"{there}._bn0"
        yield f"blocks.{number}.depthwise", f"{there}._depthwise_conv", f"{there}._bn1"
        yield f"blocks.{number}.project", f"{there}._project_conv", f"{there}._bn2"
    yield "head", "_conv_head", "_bn1"
