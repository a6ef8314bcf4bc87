"""The settings of optimizers and of schedules of the learning rate."""

from typing import Annotated, Literal

from pydantic import Field

from omnishot.config.settings import Settings


class AdamLayer(Settings):
    """What one layer does differently from the optimizer's general values."""

    learning_rate: Annotated[float, Field(ge=0)] | None = None
    """Learning rate of this layer at the start."""
    l2: Annotated[float, Field(ge=0)] | None = None
    """L2 penalty (`adamw`: decoupled weight decay) on this layer's weights."""


class SgdLayer(AdamLayer):
    """What one layer does differently from the optimizer's general values."""

    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Momentum of this layer in the last epoch."""


class AdamSettings(Settings):
    """Adam (Kingma & Ba 2015), or AdamW (Loshchilov & Hutter 2019)."""

    kind: Literal["adam", "adamw"] = "adam"
    """`adam` adds the L2 penalty to the gradient, `adamw` shrinks the weights by it."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    """Learning rate at the start."""
    l2: Annotated[float, Field(ge=0)] = 0.0
    """L2 penalty on weights; biases and normalisation are spared."""
    layers: dict[str, AdamLayer] = Field(default_factory=dict)
    """Exceptions by layer: conv1, conv2, ..., dense, head."""


class SgdSettings(Settings):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    """Learning rate at the start."""
    momentum_start: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Momentum in the first epoch, from which it rises linearly."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Momentum in the last epoch."""
    l2: Annotated[float, Field(ge=0)] = 0.0
    """L2 penalty on weights; biases and normalisation are spared."""
    layers: dict[str, SgdLayer] = Field(default_factory=dict)
    """Exceptions by layer: conv1, conv2, ..., dense, head."""


class PlainSchedule(Settings):
    """A constant learning rate, or one that falls to zero along a cosine (Loshchilov & Hutter 2017)."""

    kind: Literal["constant", "cosine"] = "constant"
    """`cosine` ends at zero with the last epoch."""
    warmup_steps: Annotated[int, Field(ge=0, le=2**53)] = 0
    """Steps over which the rate rises linearly from zero."""


class ExponentialSchedule(Settings):
    """A learning rate that is multiplied by a factor after each epoch (Koch et al. 2015, section 3.2)."""

    kind: Literal["exponential"] = "exponential"
    decay: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Factor per epoch."""
    warmup_steps: Annotated[int, Field(ge=0, le=2**53)] = 0
    """Steps over which the rate rises linearly from zero."""


class CyclicSchedule(Settings):
    """A learning rate that rises and falls linearly, batch by batch, from a low one to the optimizer's own and back.

    Source: Smith 2017, section 3.
    """

    kind: Literal["triangular", "triangular2"] = "triangular"
    """`triangular2` halves the rise with every cycle."""
    lowest: Annotated[float, Field(ge=0, lt=1)] = 1 / 300
    """Lowest rate, as a share of the highest."""
    steps: Annotated[int, Field(ge=1, le=2**53)] = 500
    """Steps of a rise, and of a fall."""
    warmup_steps: Annotated[int, Field(ge=0, le=2**53)] = 0
    """Steps over which the rate rises linearly from zero."""


OptimizerSettings = SgdSettings | AdamSettings
ScheduleSettings = PlainSchedule | ExponentialSchedule | CyclicSchedule
