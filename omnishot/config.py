"""The settings of every stage: names, meanings, ranges and defaults.

A stage takes its values from the recorded settings and from nowhere else, so a settings file reproduces a run.
"""

import copy
import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from omnishot.errors import SettingsError, brief
from omnishot.strict_yaml import read_yaml

S = TypeVar("S", bound="Settings")


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names, wrong types and values out of range."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class PrepareSettings(Settings):
    """What `omnishot prepare` makes of a set of images."""

    split: Literal["koch", "lake", "drawers", "alphabets"] = "koch"
    """How images are divided into train, validation and test; `alphabets` is for sources other than Omniglot."""
    holdout: Literal["five", "none"] = "five"
    """`lake` only: hold five background alphabets out for validation, or train on all thirty."""
    pairs: Annotated[int, Field(ge=2, le=20_000_000)] = 90_000
    """Training pairs before affine variants, half of them same, half different."""
    validation_pairs: Annotated[int, Field(ge=2)] = 10_000
    """Validation pairs, from which the verification threshold is chosen."""
    test_pairs: Annotated[int, Field(ge=2)] = 10_000
    """Test pairs for the verification protocol."""
    affine: Annotated[int, Field(ge=0, le=1000)] = 8
    """Affine variants of each training pair, besides the pair itself."""
    negatives: Literal["any", "alphabet"] = "any"
    """Where the second image of a different pair comes from: any alphabet, or the same one."""
    materialize: bool = False
    """Also store the rendered pixels of every training pair and variant."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the pairs and variants."""


class PairsObjective(Settings):
    """Binary cross-entropy on the pair dataset (Koch et al. 2015, section 3.2)."""

    kind: Literal["pairs"] = "pairs"
    batch_size: Annotated[int, Field(ge=1)] = 128
    """Pairs per step."""


class ClassesObjective(Settings):
    """Every image of a batch is paired with every other; cross-entropy picks the one of the same class.

    Source: Sohn 2016 (multi-class n-pair loss), with the negated distance as similarity.
    """

    kind: Literal["classes"] = "classes"
    classes_per_batch: Annotated[int, Field(ge=2)] = 60
    """Classes in a batch, or as many as there are."""
    drawers_per_class: Annotated[int, Field(ge=2)] = 2
    """Images of each class in a batch, all by different drawers."""
    within_alphabet: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the batches that are filled alphabet by alphabet, which makes their classes hard to tell apart."""
    rotations: Literal[1, 2, 4] = 4
    """Quarter turns (or the half turn) of a character that count as classes of their own."""
    affine: Annotated[float, Field(ge=0, le=3)] = 1.0
    """Strength of the affine variants drawn on the fly, as a multiple of the paper's ranges."""
    elastic: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Standard deviation of the smooth elastic displacement, in half image sides."""
    batches_per_epoch: Annotated[int, Field(ge=1)] = 100
    """Steps between two validations."""


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
    layers: dict[str, AdamLayer] = {}
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
    layers: dict[str, SgdLayer] = {}
    """Exceptions by layer: conv1, conv2, ..., dense, head."""


class PlainSchedule(Settings):
    """A constant learning rate, or one that falls to zero along a cosine (Loshchilov & Hutter 2017)."""

    kind: Literal["constant", "cosine"] = "constant"
    """`cosine` ends at zero with the last epoch."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps over which the rate rises linearly from zero."""


class ExponentialSchedule(Settings):
    """A learning rate that is multiplied by a factor after each epoch (Koch et al. 2015, section 3.2)."""

    kind: Literal["exponential"] = "exponential"
    decay: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Factor per epoch."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    """Steps over which the rate rises linearly from zero."""


ObjectiveSettings = PairsObjective | ClassesObjective
OptimizerSettings = SgdSettings | AdamSettings
ScheduleSettings = PlainSchedule | ExponentialSchedule


class TrainSettings(Settings):
    """A training run."""

    twin: Literal["koch", "koch35", "conv4"] = "koch"
    """The network both images pass."""
    objective: Annotated[ObjectiveSettings, Field(discriminator="kind")] = PairsObjective()
    """What is minimised, and on which batches."""
    optimizer: Annotated[OptimizerSettings, Field(discriminator="kind")] = SgdSettings()
    """How gradients become steps."""
    schedule: Annotated[ScheduleSettings, Field(discriminator="kind")] = PlainSchedule()
    """How the learning rate changes."""
    epochs: Annotated[int, Field(ge=1)] = 200
    """Epochs at most."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Minutes of training at most; a slow run has fewer epochs, and its cosine schedule ends with them."""
    patience: Annotated[int, Field(ge=0)] = 20
    """Stop after this many epochs without a better validation accuracy; 0 never stops early."""
    validation_trials: Annotated[int, Field(ge=0)] = 320
    """Within-alphabet one-shot trials after each epoch, from which the best weights are chosen; 0 keeps the last."""
    validation_ways: Annotated[int, Field(ge=2)] = 20
    """Classes in a validation trial."""
    weight_averaging: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per step of the exponential moving average of the weights that is validated and kept; 0 averages none."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Arithmetic of the network; `auto` is bf16 where the device computes it natively."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the initial weights, the batches and the distortions."""


Baseline = Literal["nearest-neighbour", "hausdorff", "random"]
BASELINES: tuple[Baseline, ...] = ("nearest-neighbour", "hausdorff", "random")
Protocol = Literal["lake", "within", "between", "verification"]
SplitPart = Literal["train", "validation", "test"]


class EvalSettings(Settings):
    """What `omnishot eval` measures."""

    protocol: Protocol = "within"
    """`lake`: the official runs. `within`: one alphabet, two drawers. `between`: any classes. `verification`: pairs."""
    on: SplitPart = "test"
    """The part of the split whose images are used; Lake's runs are always test images."""
    ways: tuple[Annotated[int, Field(ge=1)], ...] = (20,)
    """Numbers of classes to choose from; none for verification."""
    shots: Annotated[int, Field(ge=1)] = 1
    """Support images per class."""
    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 400
    """Queries, each with a support set of its own; Lake's runs always have 400."""
    baselines: tuple[Baseline, ...] = BASELINES
    """Methods without training, run on the same trials."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the trials and of the bootstrap."""


_HINTS = {
    "TrainSettings": "`omnishot presets NAME` prints every setting.",
    "PrepareSettings": "`omnishot prepare --help` lists the options.",
    "EvalSettings": "`omnishot eval --help` lists the options.",
}


def check(settings: type[S], values: Mapping[str, Any], *, origin: str) -> S:
    """Return validated settings.

    Args:
        settings: The class to fill.
        values: Names and values, nested as in YAML.
        origin: What to call the values in messages.

    Raises:
        SettingsError: Names or values are wrong; the message lists all of them at once.
    """
    try:
        return settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = "; ".join(_explain(settings, problem) for problem in error.errors())
        raise SettingsError(f"{origin}: {problems}", hint=_HINTS.get(settings.__name__, "")) from None


def _explain(settings: type[Settings], problem: Any) -> str:
    place = [str(part) for part in problem["loc"]]
    if not place:
        return "it holds no settings, of which each is `name: value`"
    if place[0] in _SECTIONS and len(place) > 1:
        del place[1]  # The kind of the section, which is not part of a setting's name.
    name = brief(".".join(place))
    if problem["type"] == "extra_forbidden":
        known = _all_names(settings)
        if name in known:
            return f"setting '{name}' does not act with this kind of {place[0]}"
        same = [other for other in sorted(known) if other.rpartition(".")[2] == place[-1]]
        return f"unknown setting '{name}'" + (f". Did you mean '{same[0]}'?" if same else did_you_mean(name, known))
    if problem["type"] == "union_tag_not_found":
        return f"{name} does not say its kind"
    return f"{name} = {brief(repr(problem['input']))}: {brief(problem['msg'][0].lower() + problem['msg'][1:])}"


_SECTIONS: dict[str, tuple[type[Settings], ...]] = {
    "objective": (PairsObjective, ClassesObjective),
    "optimizer": (SgdSettings, AdamSettings, SgdLayer),
    "schedule": (PlainSchedule, ExponentialSchedule),
}


def _all_names(settings: type[BaseModel]) -> set[str]:
    names = set(settings.model_fields)
    if settings is TrainSettings:
        for section, models in _SECTIONS.items():
            names |= {f"{section}.{name}" for model in models for name in model.model_fields}
    return names


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `". Did you mean '...'?"` with the nearest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f". Did you mean '{close[0]}'?" if close else ""


def with_changes(values: Mapping[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """Return nested settings with `key=value` changes applied; dots lead into sections.

    Args:
        values: Settings as read from YAML.
        changes: For example `"max_minutes=3"` or `"optimizer.learning_rate=1e-3"`; the value is YAML.

    Raises:
        SettingsError: A change has no `=` or leads into something that is not a section.
    """
    result = copy.deepcopy(dict(values))
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key:
            raise SettingsError(f"'{change}' is not key=value", hint="For example: --set max_minutes=3")
        *sections, name = key.split(".")
        if len(sections) > 3:
            raise SettingsError(f"'{brief(change)}' leads {len(sections)} sections deep, but 3 are the most")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise SettingsError(f"'{section}' in '{change}' is a value, not a section")
        place[name] = read_yaml(text, origin=f"the value in '{change}'")
    return result


def as_yaml(settings: Settings) -> str:
    """Return settings as YAML that reads back to the same settings."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
