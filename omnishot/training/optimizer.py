"""torch's optimizers with a learning rate, momentum and L2 penalty per layer.

Source: Koch et al. 2015, section 3.2 (layer-wise rates, momentum and regularisation).
"""

import torch
from torch import nn

from omnishot.config import TrainSettings
from omnishot.config.optimization import OptimizerSettings, SgdLayer, SgdSettings
from omnishot.errors import SettingsError
from omnishot.model.siamese import SiameseNetwork
from omnishot.training.schedules import momentum_at, rate_factor
from omnishot.wording import did_you_mean


def build_optimizer(network: SiameseNetwork, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """Return an optimizer with two parameter groups per layer: weights with the penalty, the rest without.

    Raises:
        SettingsError: The settings name a layer that the network does not have.
    """
    layers = layers_of(network)
    for name in settings.layers:
        if name not in layers:
            hint = f"Layers: {', '.join(layers)}."
            raise SettingsError(f"optimizer.layers: unknown layer '{name}'{did_you_mean(name, layers)}", hint=hint)
    groups = []
    for name, layer in layers.items():
        own = settings.layers.get(name)
        rate = settings.learning_rate if own is None or own.learning_rate is None else own.learning_rate
        l2 = settings.l2 if own is None or own.l2 is None else own.l2
        group: dict[str, object] = {"lr": rate, "initial_lr": rate}
        if isinstance(settings, SgdSettings):
            group["momentum"] = settings.momentum_start
            own_momentum = own.momentum if isinstance(own, SgdLayer) else None
            group["final_momentum"] = settings.momentum if own_momentum is None else own_momentum
        penalised = [parameter for parameter in layer.parameters() if parameter.ndim > 1]
        spared = [parameter for parameter in layer.parameters() if parameter.ndim <= 1]
        # torch's L2 adds weight_decay * w to the gradient, which is the gradient of half that times w².
        groups += [{**group, "params": penalised, "weight_decay": l2}] if penalised else []
        groups += [{**group, "params": spared, "weight_decay": 0.0}] if spared else []
    optimizers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer: torch.optim.Optimizer = optimizers[settings.kind](groups, lr=settings.learning_rate, fused=True)
    return optimizer


def layers_of(network: SiameseNetwork) -> dict[str, nn.Module]:
    """Return the layers with parameters by the names that settings use: conv1, ..., dense, head."""
    return {**dict(network.twin.named_children()), "head": network.head}


def set_rates(optimizer: torch.optim.Optimizer, settings: TrainSettings, *, step: int, epoch: int, done: float) -> None:
    """Set every group's learning rate and momentum for the next step.

    Args:
        optimizer: From `build_optimizer`.
        settings: Of the run.
        step: Steps taken before this one.
        epoch: Epochs finished before this one.
        done: Share of the run that is over, in [0, 1].
    """
    factor = rate_factor(settings.schedule, step=step, epoch=epoch, done=done)
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor
        if isinstance(settings.optimizer, SgdSettings):
            final = group["final_momentum"]
            group["momentum"] = momentum_at(settings.optimizer, final, epoch=epoch, epochs=settings.epochs)
