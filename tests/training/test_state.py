"""A state of another run, or of none, is refused by name before anything of it is used."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from omnishot.data.image_set import ImageSet
from omnishot.training.loop import Trainer
from tests.training.test_loop import QUICK, trainer

SGD = QUICK | {"optimizer": {"kind": "sgd", "momentum_start": 0.5}, "weight_averaging": 0.0}
State = dict[str, Any]


@pytest.fixture(scope="module", params=[QUICK, SGD], ids=["adamw", "sgd"])
def trained(request: pytest.FixtureRequest) -> tuple[dict[str, Any], State]:
    values: dict[str, Any] = request.param
    images: ImageSet = request.getfixturevalue("images")
    run = trainer(images, values, lambda network: 0.5)
    with run.steps() as steps:
        for _ in zip(range(4), steps, strict=False):
            pass
    return values, run.state()


def put(*path: Any, value: Any) -> Callable[[State], None]:
    def change(state: State) -> None:
        place = state
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def slot(change: Callable[[Tensor], Any]) -> Callable[[State], None]:
    def apply(state: State) -> None:
        known = next(iter(state["optimizer"]["state"].values()))
        name = sorted(known)[0]
        known[name] = change(known[name])

    return apply


def weight(change: Callable[[Tensor], Any]) -> Callable[[State], None]:
    def apply(state: State) -> None:
        state["network"]["head.weight"] = change(state["network"]["head.weight"])

    return apply


CHANGES = {
    "another shape of a moment": slot(lambda tensor: tensor.reshape(-1)[:1]),
    "a moment that has one element for all": slot(lambda tensor: tensor.reshape(-1)[:1].expand(10**9)),
    "a moment in double precision": slot(lambda tensor: tensor.double()),
    "a moment that is a number": slot(lambda tensor: 0.5),
    "a moment that is sparse": slot(lambda tensor: tensor.to_sparse()),
    "a moment that is not finite": slot(lambda tensor: torch.full_like(tensor, float("nan"))),
    "parameters that the run does not have": put("optimizer", "state", 10**6, value={}),
    "groups without parameters": put("optimizer", "param_groups", value=[]),
    "groups that are none": put("optimizer", "param_groups", value=[None] * 9),
    "another shape of a weight": weight(lambda tensor: tensor.reshape(-1)),
    "a weight in half precision": weight(lambda tensor: tensor.half()),
    "a weight that is not finite": weight(lambda tensor: tensor * float("inf")),
    "a weight that is missing": lambda state: state["network"].popitem(),
    "no network": put("network", value=None),
    "another average": put("average", value={"n_averaged": torch.tensor(1)}),
    "a best that is none": put("best", value={"x": torch.zeros(1)}),
    "sums of another shape": put("sums", value=torch.zeros(3)),
    "an epoch before the first": put("position", "epoch", value=-1),
    "an epoch after the last": put("position", "epoch", value=4),
    "a step after the last": put("position", "step", value=3),
    "a step that is a truth value": put("position", "step", value=True),
    "a time that is none": put("position", "seconds", value=float("inf")),
    "an accuracy that is none": put("position", "best_accuracy", value=1.5),
    "more epochs than there are": put("position", "planned_epochs", value=10**9),
    "a history that lacks an epoch": put("position", "history", value=[]),
    "a history that is none": put("position", "history", value=[{}]),
    "a position that lacks something": lambda state: state["position"].pop("seconds"),
    "something more": put("more", value=1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_no_state_of_the_run_is_refused_and_the_run_stays_as_it_was(
    trained: tuple[dict[str, Any], State], images: ImageSet, change: Callable[[State], Any]
) -> None:
    values, state = trained
    fresh = trainer(images, values)
    before = copy.deepcopy(fresh.state())
    spoiled = copy.deepcopy(state)
    change(spoiled)
    with pytest.raises(ValueError, match="it"):
        fresh.load_state(spoiled)
    assert_equal(fresh.state(), before)


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_equal(one[name], other[name])
    else:
        assert torch.equal(one, other) if isinstance(one, Tensor) else one == other


def test_rates_and_options_are_the_settings_and_not_the_files(
    trained: tuple[dict[str, Any], State], images: ImageSet
) -> None:
    values, state = trained
    spoiled = copy.deepcopy(state)
    for group in spoiled["optimizer"]["param_groups"]:
        group |= {"maximize": True, "initial_lr": 1e9, "weight_decay": -1.0, "fused": None}
    fresh = trainer(images, values)
    own = copy.deepcopy(fresh.state()["optimizer"]["param_groups"])
    fresh.load_state(spoiled)
    assert fresh.state()["optimizer"]["param_groups"] == own


def test_a_state_with_another_layout_in_memory_continues_all_the_same(
    trained: tuple[dict[str, Any], State], images: ImageSet
) -> None:
    values, state = trained
    odd = copy.deepcopy(state)
    for known in odd["optimizer"]["state"].values():
        for name, value in known.items():
            if value.ndim:
                known[name] = torch.zeros(*value.shape, 2)[..., 0].copy_(value)
    results = [run_from(values, images, found) for found in (state, odd)]
    assert_equal(*results)


def run_from(values: dict[str, Any], images: ImageSet, state: State) -> dict[str, Tensor]:
    run: Trainer = trainer(images, values, lambda network: 0.5)
    run.load_state(copy.deepcopy(state))
    run.run()
    return run.best_weights
