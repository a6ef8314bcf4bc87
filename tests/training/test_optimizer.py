"""Every setting of the optimizer acts on the weights."""

from typing import Any

import pytest
import torch

from omnishot.config import TrainSettings
from omnishot.config.optimization import SgdSettings
from omnishot.errors import SettingsError
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.settings_text import check
from omnishot.training.optimizer import build_optimizer, layers_of, set_rates

pytestmark = pytest.mark.slow


def fitted(steps: int = 3, epochs: int = 2, schedule: str = "constant", **values: Any) -> SiameseNetwork:
    """Take a few steps on fixed data, one epoch each."""
    torch.manual_seed(0)
    network = build_network("koch35")
    left, right = torch.rand(2, 4, 1, 35, 35)
    sections = {
        "optimizer": {"kind": "sgd", "learning_rate": 0.01, **values},
        "schedule": {"kind": schedule},
        "epochs": epochs,
    }
    settings = check(TrainSettings, sections, origin="test")
    optimizer = build_optimizer(network, settings.optimizer)
    for step in range(steps):
        done = step / steps
        set_rates(optimizer, settings, step=step, epoch=step, done=done)
        optimizer.zero_grad()
        network(left, right).square().mean().backward()
        optimizer.step()
    return network


def changed_layers(first: SiameseNetwork, second: SiameseNetwork) -> set[str]:
    return {
        name
        for name, layer in layers_of(first).items()
        if not torch.equal(layer.weight, layers_of(second)[name].weight)  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("change", [{"learning_rate": 0.02}, {"l2": 0.1}])
def test_general_settings_change_every_layer(kind: str, change: dict[str, Any]) -> None:
    changed = changed_layers(fitted(kind=kind), fitted(kind=kind, **change))
    assert changed == {"conv1", "conv2", "conv3", "conv4", "dense", "head"}


@pytest.mark.parametrize("change", [{"momentum": 0.5}, {"momentum_start": 0.1}, {"schedule": "exponential"}])
def test_momentum_and_schedule_act(change: dict[str, Any]) -> None:
    assert changed_layers(fitted(), fitted(**change))


@pytest.mark.parametrize("setting", ["learning_rate", "momentum", "l2"])
def test_a_layers_own_setting_acts_on_that_layer_in_the_first_step_that_uses_it(setting: str) -> None:
    values: dict[str, Any] = {"kind": "sgd", "momentum_start": 0.0, "momentum": 0.0, "epochs": 1}
    steps = 2 if setting == "momentum" else 1
    first, second = fitted(steps, **values), fitted(steps, **values, layers={"conv2": {setting: 0.3}})
    assert "conv2" in changed_layers(first, second)
    if steps == 1:
        assert changed_layers(first, second) == {"conv2"}


def test_a_frozen_layer_stays() -> None:
    torch.manual_seed(0)
    before = build_network("koch35")
    after = fitted(layers={"dense": {"learning_rate": 0.0}})
    assert "dense" not in changed_layers(before, after)


def test_biases_are_spared_the_penalty() -> None:
    groups = build_optimizer(build_network("koch35"), SgdSettings(l2=0.1)).param_groups
    for group in groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0.0)
    assert sum(len(group["params"]) for group in groups) == 12


def test_an_unknown_layer_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'conv"):
        fitted(layers={"conv5": {"l2": 1.0}})
