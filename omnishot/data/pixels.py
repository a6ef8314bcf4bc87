"""Images whose pixels are read by index, wherever they are: on a device, in memory or in a file."""

from typing import Protocol

import torch
from torch import Tensor


class Pixels(Protocol):
    """All images of a data set; a tensor of shape (n, h, h) and uint8 is one."""

    @property
    def device(self) -> torch.device:
        """Where the pixels that are read are, and where indices have to be."""

    def __getitem__(self, images: Tensor, /) -> Tensor:
        """Return the pixels of images by their indices, shape (k,): shape (k, h, h), uint8."""
