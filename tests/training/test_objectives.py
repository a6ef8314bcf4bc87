"""Batches hold what they should, and losses are what a naive loop computes."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from omnishot.config import ClassesObjective, PairsObjective
from omnishot.data.affine import draw_affine
from omnishot.data.class_index import ClassIndex
from omnishot.data.image_set import ImageSet
from omnishot.data.pairs import Pairs, draw_pairs
from omnishot.data.render import shrink
from omnishot.errors import SamplingError
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.objective import Objective, Step, rendered
from omnishot.training.pairs_objective import PairsLoss, PairTensors

CPU = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture(scope="module")
def index(images: ImageSet) -> ClassIndex:
    return ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))


def pairs_loss(
    images: ImageSet, index: ClassIndex, n: int, k: int, batch_size: int, steps_per_epoch: int | None = None
) -> tuple[PairsLoss, Pairs]:
    rng = np.random.default_rng(0)
    pairs = draw_pairs(index, n, negatives="any", rng=rng)
    tensors = PairTensors.of(pairs, (draw_affine((n, k), rng), draw_affine((n, k), rng)), CPU.device)
    return PairsLoss(PairsObjective(batch_size=batch_size, steps_per_epoch=steps_per_epoch), tensors, seed=0), pairs


def drawn_batch(objective: PairsLoss, images: ImageSet, *, epoch: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch's images as the network gets them, and what is the same."""
    batch = objective.batch(epoch, step)
    return rendered(torch.from_numpy(images.pixels)[batch.images], batch, 35), batch.truth


def test_an_epoch_shows_every_pair_and_variant_once(images: ImageSet, index: ClassIndex) -> None:
    objective, pairs = pairs_loss(images, index, n=12, k=2, batch_size=6)
    assert objective.steps_per_epoch == 6
    batches = [drawn_batch(objective, images, epoch=0, step=step) for step in range(6)]
    seen = torch.cat([shown.flatten(1).view(2, 6, -1).transpose(0, 1).flatten(1) for shown, _ in batches])
    assert len(torch.unique(seen, dim=0)) == 36
    assert int(sum(same.sum() for _, same in batches)) == 3 * pairs.same.sum()


def test_epochs_of_any_length_go_on_where_the_last_one_ended(images: ImageSet, index: ClassIndex) -> None:
    whole, _ = pairs_loss(images, index, n=12, k=2, batch_size=6)
    parts, _ = pairs_loss(images, index, n=12, k=2, batch_size=6, steps_per_epoch=4)
    passes = [whole.batch(number, step).matrices for number in range(2) for step in range(6)]
    epochs = [parts.batch(number, step).matrices for number in range(3) for step in range(4)]
    assert parts.steps_per_epoch == 4
    assert all(torch.equal(one, other) for one, other in zip(passes, epochs, strict=True))


def test_undistorted_pairs_are_the_stored_images_with_their_truth(images: ImageSet, index: ClassIndex) -> None:
    objective, pairs = pairs_loss(images, index, n=10, k=0, batch_size=10)
    shown, same = drawn_batch(objective, images, epoch=3, step=0)
    clean = shrink(torch.from_numpy(images.pixels), 35)
    for left, right, truth in zip(shown[:10], shown[10:], same, strict=True):
        found = [int((clean - side).abs().sum(dim=(1, 2, 3)).argmin()) for side in (left, right)]
        match = (pairs.left == found[0]) & (pairs.right == found[1])
        assert match.any()
        assert bool(truth) == bool(pairs.same[match][0])


def test_epochs_have_different_orders_that_depend_on_nothing_else(images: ImageSet, index: ClassIndex) -> None:
    objective, _ = pairs_loss(images, index, n=20, k=1, batch_size=8)
    first = objective.batch(1, 2).matrices
    assert not torch.equal(first, objective.batch(2, 2).matrices)
    fresh, _ = pairs_loss(images, index, n=20, k=1, batch_size=8)
    assert torch.equal(first, fresh.batch(1, 2).matrices)


def test_the_pairs_loss_is_binary_cross_entropy(images: ImageSet, index: ClassIndex) -> None:
    objective, _ = pairs_loss(images, index, n=16, k=0, batch_size=16)
    torch.manual_seed(0)
    network = build_network("koch35")
    shown, same = drawn_batch(objective, images, epoch=0, step=0)
    with torch.no_grad():
        loss, right = step_of(network, objective, images)
        logits = [float(network(shown[i : i + 1], shown[16 + i : 17 + i])) for i in range(16)]
    naive = [math.log1p(math.exp(-z)) if y else math.log1p(math.exp(z)) for z, y in zip(logits, same, strict=True)]
    assert loss == pytest.approx(sum(naive) / 16, rel=1e-3)
    assert right == sum((z > 0) == bool(y) for z, y in zip(logits, same, strict=True)) / 16


def step_of(network: SiameseNetwork, objective: Objective, images: ImageSet) -> tuple[float, float]:
    """Return loss and share of right answers of the first batch."""
    batch = objective.batch(0, 0)
    loss, right = Step(network, objective, CPU)(torch.from_numpy(images.pixels)[batch.images], batch).tolist()
    return loss, right


def classes_loss(images: ImageSet, index: ClassIndex, seed: int = 0, **settings: object) -> ClassesLoss:
    values = {"classes_per_batch": 8, "drawers_per_class": 3, "affine": 0.0, "elastic": 0.0, **settings}
    return ClassesLoss(ClassesObjective.model_validate(values), index, seed=seed)


def test_a_batch_holds_distinct_images_of_distinct_classes(images: ImageSet, index: ClassIndex) -> None:
    for epoch in range(20):
        drawn, turns, _ = classes_loss(images, index)._draw(np.random.default_rng(epoch))
        assert drawn.shape == (8, 3)
        assert set(turns.tolist()) <= {0, 1, 2, 3}
        characters = images.labels.character[drawn]
        assert (characters == characters[:, :1]).all()
        assert len(set(zip(characters[:, 0].tolist(), turns.tolist(), strict=True))) == 8
        assert all(len(set(row)) == 3 for row in drawn.tolist())


def test_batches_within_alphabets_take_one_alphabet_after_the_other(images: ImageSet, index: ClassIndex) -> None:
    drawn, *_ = classes_loss(images, index, within_alphabet=1.0, rotations=1)._draw(np.random.default_rng(0))
    counts = np.sort(np.bincount(images.labels.alphabet[drawn[:, 0]], minlength=4))
    assert counts.tolist() == [0, 0, 2, 6]


def test_alphabets_that_turn_as_a_whole_fill_a_batch_in_one_position_each(images: ImageSet, index: ClassIndex) -> None:
    objective = classes_loss(images, index, within_alphabet=1.0, turning="alphabets")
    positions = set()
    for seed in range(20):
        drawn, turns, _ = objective._draw(np.random.default_rng(seed))
        alphabets = images.labels.alphabet[drawn[:, 0]]
        groups = sorted(np.unique(np.stack([alphabets, turns]), axis=1, return_counts=True)[1].tolist())
        assert groups == [2, 6]
        positions |= set(turns.tolist())
    assert positions == {0, 1, 2, 3}
    everything = classes_loss(images, index, classes_per_batch=200, within_alphabet=1.0, turning="alphabets")
    drawn, turns, _ = everything._draw(np.random.default_rng(0))
    assert len(set(zip(images.labels.character[drawn[:, 0]].tolist(), turns.tolist(), strict=True))) == 96


def test_a_quarter_turn_is_a_quarter_turn(images: ImageSet, index: ClassIndex) -> None:
    batch = classes_loss(images, index, classes_per_batch=96, within_alphabet=0.0).batch(0, 0)
    pixels = torch.from_numpy(images.pixels)[batch.images]
    shown, clean = rendered(pixels, batch, 35)[:, 0], shrink(pixels, 35)[:, 0]
    distances = torch.stack([(torch.rot90(clean, k, dims=(1, 2)) - shown).abs().amax(dim=(1, 2)) for k in range(4)])
    nearest = distances.argmin(dim=0)
    assert float(distances.amin(dim=0).max()) < 1e-4
    for first in range(0, len(nearest), 3):  # Images of one class are turned alike, and each turn is a class.
        assert len(set(nearest[first : first + 3].tolist())) == 1
    assert torch.bincount(nearest[::3]).tolist() == [24, 24, 24, 24]


def shown(images: ImageSet, objective: ClassesLoss, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a batch's images as they are shown, as they are, and the alphabet of each class."""
    batch = objective.batch(0, seed)
    pixels = torch.from_numpy(images.pixels)[batch.images]
    alphabets = torch.from_numpy(images.labels.alphabet)[batch.images[::3].long()]
    return rendered(pixels, batch, 35)[:, 0], shrink(pixels, 35)[:, 0], alphabets


@pytest.mark.parametrize("turning", ["characters", "alphabets"])
def test_a_mirrored_class_is_mirrored_in_all_its_images(images: ImageSet, index: ClassIndex, turning: str) -> None:
    settings = {"mirroring": 0.5, "rotations": 1, "within_alphabet": 1.0, "turning": turning}
    mixed = False
    for seed in range(12):
        seen, clean, alphabets = shown(images, classes_loss(images, index, **settings), seed)
        as_they_are = (seen - clean).abs().amax(dim=(1, 2)) < 1e-4
        mirrored = (seen - clean.flip(2)).abs().amax(dim=(1, 2)) < 1e-4
        assert bool((as_they_are | mirrored).all())
        per_class = mirrored.reshape(-1, 3)
        assert bool((per_class == per_class[:, :1]).all())
        mixed |= any(len(set(per_class[alphabets == one, 0].tolist())) == 2 for one in alphabets.unique())
    assert mixed == (turning == "characters")


def test_images_of_a_class_share_its_distortion_and_stay_where_they_are(images: ImageSet, index: ClassIndex) -> None:
    batch = classes_loss(images, index, class_affine=1.0, rotations=1).batch(0, 0)
    by_class = batch.matrices.reshape(8, 3, 2, 3)
    assert torch.equal(by_class, by_class[:, :1].expand(-1, 3, -1, -1))
    assert len(by_class[:, 0].flatten(1).unique(dim=0)) > 5
    assert not batch.matrices[:, :, 2].any()


def test_the_classes_loss_is_what_a_loop_computes(images: ImageSet, index: ClassIndex) -> None:
    objective = classes_loss(images, index)
    torch.manual_seed(0)
    network, vectors = build_network("conv4"), torch.randn(24, 512)
    with torch.no_grad():
        loss, right = objective.loss(network, vectors, objective.batch(0, 0)).tolist()
        scores = network.compare_all(vectors, vectors).double()
    surprises = []
    for i in range(24):
        everyone = sum(math.exp(scores[i, j]) for j in range(24) if j != i)
        partners = [j for j in range(24) if j != i and j // 3 == i // 3]
        surprises += [-math.log(math.exp(scores[i, j]) / everyone) for j in partners]
    assert loss == pytest.approx(sum(surprises) / len(surprises), rel=1e-4)
    best = [max((j for j in range(24) if j != i), key=lambda j: float(scores[i, j])) for i in range(24)]
    assert right == pytest.approx(sum(j // 3 == i // 3 for i, j in enumerate(best)) / 24)


@pytest.mark.parametrize(
    "setting",
    [
        {"affine": 1.0},
        {"elastic": 0.05},
        {"rotations": 1},
        {"within_alphabet": 0.0},
        {"turning": "alphabets"},
        {"mirroring": 0.5},
        {"class_affine": 0.5},
    ],
)
def test_each_setting_changes_the_batch(images: ImageSet, index: ClassIndex, setting: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = build_network("conv4").eval()
    plain: dict[str, Any] = {"rotations": 4, "within_alphabet": 1.0}
    with torch.no_grad():
        first, _ = step_of(network, classes_loss(images, index, **plain), images)
        second, _ = step_of(network, classes_loss(images, index, **{**plain, **setting}), images)
    assert first != second


def test_a_small_source_fills_its_batches_with_all_it_has(images: ImageSet, index: ClassIndex) -> None:
    drawn, turns, _ = classes_loss(images, index, classes_per_batch=200)._draw(np.random.default_rng(0))
    assert drawn.shape == (96, 3)
    assert len(set(zip(images.labels.character[drawn[:, 0]].tolist(), turns.tolist(), strict=True))) == 96


def test_too_few_images_for_a_batch_are_counted(images: ImageSet, index: ClassIndex) -> None:
    words = (
        "6 images of each of 2 classes or more, rotations included, but 0 of 24 classes have as many; the largest has 5"
    )
    with pytest.raises(SamplingError, match=words) as refused:
        classes_loss(images, index, drawers_per_class=6)
    assert refused.value.hint == "Add images, or lower --set objective.drawers_per_class."


def test_classes_of_too_few_images_are_left_out_of_batches(images: ImageSet, index: ClassIndex) -> None:
    few = np.concatenate([index.images[: 5 * 4], index.images[20:23], index.images[25:26], index.images[30:]])
    objective = classes_loss(images, ClassIndex.of(images.labels, few), classes_per_batch=200, drawers_per_class=4)
    assert objective.n_left_out == 2
    drawn, *_ = objective._draw(np.random.default_rng(0))
    assert set(images.labels.character[drawn[:, 0]].tolist()) == set(range(24)) - {4, 5}


def test_a_hint_never_advises_what_settings_refuse(images: ImageSet) -> None:
    singles = ClassIndex.of(images.labels, np.arange(0, len(images.labels), 5, dtype=np.int32))
    with pytest.raises(SamplingError, match="0 of 24 classes have as many; the largest has 1") as refused:
        classes_loss(images, singles, drawers_per_class=2)
    assert refused.value.hint == "Add images."
