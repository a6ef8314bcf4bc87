"""What compares two vectors, fitted as a logistic regression on the distances of pairs whose vectors are fixed.

Source: Koch et al. 2015, section 3.1, for a weight on each component; here nothing below it is trained along.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from omnishot.model.siamese import SiameseNetwork

_PENALTY = {"cosine": 1e-4, "l1": 1.0}
"""Of the squared weights, summed, where a step of one standard deviation counts as 1; a single one needs little."""

_SLOWEST = 1e-3
"""The least a larger distance lowers the logit, so that the order of scores is that of the distances."""


def fit_cosine_head(network: SiameseNetwork, vectors: Tensor, left: Tensor, right: Tensor, same: Tensor) -> None:
    """Make the logit the cosine but for scale and shift, both fitted to pairs; the network's distance is `squared`.

    Args:
        network: Its head is replaced.
        vectors: Of length 1, shape (n, d).
        left: Places of the pairs' left images among them, shape (n_pairs,).
        right: Likewise.
        same: Whether a pair shows one class, shape (n_pairs,).
    """
    squares = (vectors[left] - vectors[right]).square().sum(dim=1, keepdim=True)
    weight, bias = _regressed(squares, same, _PENALTY["cosine"])
    with torch.no_grad():
        network.head.weight.fill_(min(float(weight), -_SLOWEST))
        network.head.bias.fill_(float(bias))


def fit_l1_head(network: SiameseNetwork, vectors: Tensor, left: Tensor, right: Tensor, same: Tensor) -> None:
    """Fit a weight to each component's |u - v|; the network's distance is `l1`, and arguments are as above."""
    weight, bias = _regressed((vectors[left] - vectors[right]).abs(), same, _PENALTY["l1"])
    with torch.no_grad():
        network.head.weight.copy_(weight[None])
        network.head.bias.fill_(float(bias))


@torch.no_grad()
def log_loss(network: SiameseNetwork, vectors: Tensor, left: Tensor, right: Tensor, same: Tensor) -> float:
    """Return the mean binary cross-entropy of pairs; arguments are as above."""
    return float(F.binary_cross_entropy_with_logits(network.compare(vectors[left], vectors[right]), same.float()))


def _regressed(distances: Tensor, same: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Return weights, shape (k,), and a bias for distances of shape (n_pairs, k); Newton's method in disguise."""
    values, truth = distances.double(), same.double()
    scale = values.std(dim=0).clamp_min(1e-9)
    values = (values - values.mean(dim=0)) / scale
    weight = torch.zeros(values.shape[1], dtype=torch.float64, device=values.device, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, device=values.device, requires_grad=True)
    steps = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        steps.zero_grad()
        found = F.binary_cross_entropy_with_logits(values @ weight + bias, truth, reduction="sum")
        total = found + penalty * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    steps.step(loss)  # type: ignore[no-untyped-call]
    own = weight.detach() / scale
    return own, bias.detach() - (own * distances.double().mean(dim=0)).sum()
