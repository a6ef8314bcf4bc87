"""The twin for photographs: features that know ImageNet, evened out, then whitened for classes of one's own."""

import torch
from torch import Tensor, nn

from omnishot.model.efficientnet_lite0 import FEATURES, EfficientNetLite0
from omnishot.model.whitening import Whitening


class PhotoTwin(nn.Module):
    """EfficientNet-Lite0, square roots of unit length, a whitening, and unit length again.

    Attributes:
        side: Side of the images it takes, pixels.
        dimension: Length of the vectors it returns.

    Source: Perronnin et al. 2010, section 3.1, for the power ½ and the norm.
    """

    def __init__(self, side: int) -> None:
        """Build the layers without knowledge, and with a whitening that changes nothing."""
        super().__init__()
        self.side, self.dimension = side, FEATURES
        self.backbone = EfficientNetLite0()
        self.register_buffer("center", torch.zeros(FEATURES))
        self.register_buffer("whitening", torch.eye(FEATURES))

    def forward(self, images: Tensor) -> Tensor:
        """Return vectors of length 1, shape (n, 1280), of normalised images, shape (n, 3, side, side)."""
        features = self.backbone(images)
        with torch.autocast(images.device.type, enabled=False):  # It costs nothing, and decides what is near.
            evened = nn.functional.normalize(features.float().sqrt(), dim=1)
            return nn.functional.normalize((evened - self.get_buffer("center")) @ self.get_buffer("whitening"), dim=1)

    def whiten(self, fitted: Whitening) -> None:
        """Replace the whitening."""
        self.get_buffer("center").copy_(torch.from_numpy(fitted.center))
        self.get_buffer("whitening").copy_(torch.from_numpy(fitted.matrix))
