"""An averaged vector is the mean over the image and its variants, always the same ones."""

import numpy as np
import pytest
import torch
from torch import Tensor

from omnishot.data.affine import IDENTITY, REACH
from omnishot.data.image_set import ImageSet
from omnishot.data.render import affine_matrices, render, shrink
from omnishot.evaluation.embedding import VARIANT_STRENGTH, embed, fixed_variants
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork, build_network

CPU = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture
def network() -> SiameseNetwork:
    torch.manual_seed(0)
    return build_network("conv4").eval()


def vectors_of(network: SiameseNetwork, pixels: Tensor, indices: list[int], *, test_variants: int) -> Tensor:
    network.test_variants = test_variants
    return embed(network, pixels, np.array(indices), CPU)


def test_a_vector_is_the_mean_over_the_image_and_each_variant(network: SiameseNetwork, images: ImageSet) -> None:
    pixels = torch.from_numpy(images.pixels)
    vectors = vectors_of(network, pixels, [7, 3], test_variants=3)
    for vector, number in zip(vectors, [7, 3], strict=True):
        seen = [shrink(pixels[number][None], 35)]
        for variant in fixed_variants(3):
            seen.append(render(pixels[number][None], affine_matrices(torch.from_numpy(variant)[None]), 35))
        with torch.no_grad():
            expected = torch.stack([network.twin(image)[0] for image in seen]).mean(dim=0)
            assert not torch.allclose(vector, network.twin(seen[0])[0], atol=1e-4)
        assert torch.allclose(vector, expected, atol=1e-6)


def test_without_variants_it_is_the_vector_of_the_image(network: SiameseNetwork, images: ImageSet) -> None:
    pixels = torch.from_numpy(images.pixels)
    with torch.no_grad():
        expected = network.twin(shrink(pixels[[0, 5]], 35))
    assert torch.allclose(vectors_of(network, pixels, [0, 5], test_variants=0), expected, atol=1e-6)


def test_a_vector_depends_on_nothing_but_its_image(network: SiameseNetwork, images: ImageSet) -> None:
    pixels = torch.from_numpy(images.pixels)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    everyone = vectors_of(network, pixels, list(range(len(pixels))), test_variants=2)
    assert torch.equal(torch.get_rng_state(), state)
    again = vectors_of(network, pixels, [11, 11, 4], test_variants=2)
    assert torch.allclose(again[0], again[1])
    assert torch.allclose(again, everyone[[11, 11, 4]], atol=1e-5)


def test_variants_are_always_the_same_within_reach_and_more_begin_with_the_fewer() -> None:
    assert fixed_variants(0).shape == (0, 7)
    eight, four = fixed_variants(8), fixed_variants(4)
    np.testing.assert_array_equal(eight[:4], four)
    assert (np.abs(eight - IDENTITY) <= VARIANT_STRENGTH * REACH + 1e-6).all()
    assert len(np.unique(eight, axis=0)) == 8
