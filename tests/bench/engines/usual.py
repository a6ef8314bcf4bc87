"""The training loop as public re-implementations write it: what the engine is compared with.

A Dataset opens two PNG files per pair and distorts them with PIL; a DataLoader with worker processes batches them; each
twin is a pass of its own, in single precision; ReLU comes before pooling; the optimizer is torch's default; loss and
accuracy are read with `.item()` in every step. Pairs, order, distortions and initial weights are those of the engine,
so that the loss curves can be compared.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Sample = tuple[Tensor, Tensor, Tensor]


class PairDataset(Dataset[Sample]):
    """Pairs of files with the affine distortion of each side."""

    def __init__(
        self,
        folder: Path,
        pairs: NDArray[np.int64],
        same: NDArray[np.bool_],
        affine: NDArray[np.float32],
        order: NDArray[np.int64],
        side: int,
    ) -> None:
        """Take what to show.

        Args:
            folder: Holds `0.png`, `1.png`, ...
            pairs: Image numbers, shape (n_pairs, 2).
            same: Whether they show one class, shape (n_pairs,).
            affine: Seven numbers per variant and side, identity first, shape (2, n_pairs, 1 + k, 7).
            order: Samples, `pair * (1 + k) + variant`, in the order in which they are shown.
            side: Side of the images that are returned, pixels.
        """
        self.folder, self.pairs, self.same, self.affine, self.order = folder, pairs, same, affine, order
        self.side = side

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> Sample:
        pair, variant = divmod(int(self.order[index]), self.affine.shape[2])
        left, right = (self._image(int(self.pairs[pair, side]), self.affine[side, pair, variant]) for side in (0, 1))
        return left, right, torch.tensor(float(self.same[pair]))

    def _image(self, number: int, affine: NDArray[np.float32]) -> Tensor:
        image = Image.open(self.folder / f"{number}.png").convert("L")
        image = image.transform(image.size, Image.Transform.AFFINE, pil_affine(affine), Image.Resampling.BILINEAR)
        if self.side != image.width:
            image = image.resize((self.side, self.side), Image.Resampling.BOX)
        return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).unsqueeze(0)


def pil_affine(affine: NDArray[np.float32], size: int = 105) -> tuple[float, ...]:
    """Return PIL's six numbers, which lead from a point of the result to a point of the image."""
    rotation, shear_x, shear_y, scale_x, scale_y, shift_x, shift_y = map(float, affine)
    angle = math.radians(rotation)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    forward = turn @ np.array([[1, shear_x], [shear_y, 1]]) @ np.diag([scale_x, scale_y])
    back, centre = np.linalg.inv(forward), np.array([size / 2, size / 2])
    offset = centre - back @ (centre + np.array([shift_x, shift_y]))
    return (*back[0], float(offset[0]), *back[1], float(offset[1]))


class UsualTwins(nn.Module):
    """Koch's network, one pass per twin; its weights have the names that the engine's have."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.twin, self.head = network.get_submodule("twin"), network.get_submodule("head")

    def embed(self, x: Tensor) -> Tensor:
        blocks = [name for name, _ in self.twin.named_children() if name.startswith("conv")]
        for number, name in enumerate(blocks, 1):
            x = self.twin.get_submodule(name)(x)
            if hasattr(self.twin, f"norm{number}"):
                x = nn.functional.max_pool2d(torch.relu(self.twin.get_submodule(f"norm{number}")(x)), 2)
            else:
                x = torch.relu(x)
                x = nn.functional.max_pool2d(x, 2) if number < len(blocks) else x
        x = x.flatten(1)
        return torch.sigmoid(self.twin.get_submodule("dense")(x)) if hasattr(self.twin, "dense") else x

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        a, b = self.embed(left), self.embed(right)
        logits: Tensor = self.head((a - b).abs()).squeeze(-1)
        return logits


def train_usually(
    network: nn.Module,
    dataset: PairDataset,
    *,
    batch_size: int,
    workers: int,
    rate: float,
    momentum: float,
    device: torch.device,
) -> Iterator[float]:
    """Train and yield each step's loss.

    Args:
        network: The engine's, whose weights are trained.
        dataset: In the order in which it is shown.
        batch_size: Pairs per step.
        workers: Processes of the DataLoader.
        rate: Learning rate of SGD.
        momentum: Its momentum.
        device: Where.
    """
    model = UsualTwins(network).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    loader = DataLoader(
        dataset, batch_size=batch_size, num_workers=workers, drop_last=True, pin_memory=device.type == "cuda"
    )
    model.train()
    for left, right, same in loader:
        left, right, same = left.to(device), right.to(device), same.to(device)
        optimizer.zero_grad()
        logits = model(left, right)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, same)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        value, accuracy = loss.item(), ((logits > 0) == (same > 0.5)).float().mean().item()
        assert 0 <= accuracy <= 1
        yield value


def infer_usually(
    network: nn.Module, dataset: PairDataset, *, batch_size: int, workers: int, device: torch.device
) -> Iterator[None]:
    """Score pairs and yield after each batch."""
    model = UsualTwins(network).to(device).eval()
    loader = DataLoader(dataset, batch_size=batch_size, num_workers=workers, drop_last=True)
    with torch.no_grad():
        for left, right, _ in loader:
            torch.sigmoid(model(left.to(device), right.to(device))).tolist()
            yield None
