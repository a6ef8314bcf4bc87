"""Heads are fitted to pairs as a logistic regression is, and the cosine's keeps its order."""

import numpy as np
import pytest
import torch
from torch import Tensor

from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork, cosine_network
from omnishot.training.pair_head import fit_cosine_head, fit_l1_head, log_loss

Data = tuple[Tensor, Tensor, Tensor, Tensor]


def pairs(n_pairs: int = 3000, *, seed: int = 0) -> Data:
    """Return vectors of length 1 of ten classes, and pairs of which half are of one class."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(10), 20)
    vectors = rng.normal(size=(10, 1280))[classes] + rng.normal(size=(200, 1280)) * 1.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    left = rng.integers(0, 200, n_pairs)
    same_class = (left // 20) * 20 + rng.integers(0, 20, n_pairs)
    right = np.where(rng.random(n_pairs) < 0.5, same_class, rng.integers(0, 200, n_pairs))
    same = classes[left] == classes[right]
    arrays = (vectors.astype(np.float32), left, right, same)
    return tuple(torch.from_numpy(values) for values in arrays)  # type: ignore[return-value]


def test_the_cosine_network_says_the_cosine() -> None:
    vectors, left, right, _ = pairs(50)
    with torch.no_grad():
        found = cosine_network(PhotoTwin(32)).compare(vectors[left], vectors[right])
    assert torch.allclose(found, (vectors[left] * vectors[right]).sum(dim=1), atol=1e-5)


def test_a_fitted_cosine_keeps_the_order_and_is_at_its_best() -> None:
    vectors, left, right, same = pairs()
    network = cosine_network(PhotoTwin(32))
    before = log_loss(network, vectors, left, right, same)
    fit_cosine_head(network, vectors, left, right, same)
    after = log_loss(network, vectors, left, right, same)
    assert after < 0.7 * before
    with torch.no_grad():
        logits = network.compare(vectors[left], vectors[right]).numpy()
        cosines = (vectors[left] * vectors[right]).sum(dim=1).numpy()
        assert np.corrcoef(logits, cosines)[0, 1] == pytest.approx(1, abs=1e-4)
        for change in (0.98, 1.02):  # No other scale or shift fits better.
            network.head.weight.mul_(change)
            assert log_loss(network, vectors, left, right, same) > after - 1e-5
            network.head.weight.div_(change)


def test_pairs_that_say_the_opposite_do_not_turn_the_order_round() -> None:
    vectors, left, right, same = pairs()
    network = cosine_network(PhotoTwin(32))
    fit_cosine_head(network, vectors, left, right, ~same)
    assert (network.head.weight < 0).all()


def test_a_weighted_head_finds_what_tells_classes_apart() -> None:
    rng = np.random.default_rng(1)
    vectors = torch.from_numpy(rng.normal(size=(300, 1280)).astype(np.float32))
    left, right = (torch.from_numpy(rng.integers(0, 300, 4000)) for _ in range(2))
    same = (vectors[left, :2] - vectors[right, :2]).abs().sum(dim=1) < 1.2
    network = SiameseNetwork(PhotoTwin(32), "l1")
    fit_l1_head(network, vectors, left, right, same)
    weights = network.head.weight[0].detach()
    assert set(weights.argsort()[:2].tolist()) == {0, 1}
    assert log_loss(network, vectors, left, right, same) < 0.5
