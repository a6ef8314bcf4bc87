"""The settings of every stage: names, meanings, ranges and defaults.

A stage takes its values from the recorded settings and from nowhere else, so a settings file reproduces a run.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from omnishot.config.optimization import OptimizerSettings, PlainSchedule, ScheduleSettings, SgdSettings
from omnishot.config.settings import Settings
from omnishot.vocabulary import (
    BASELINES,
    Baseline,
    HeadName,
    Holdout,
    Initialization,
    Negatives,
    Precision,
    Protocol,
    SplitName,
    SplitPart,
    TwinName,
    ValidationProtocol,
)

MOST_EPOCHS = 100_000
"""More than these are not recorded."""

_Seed = Annotated[int, Field(ge=0, le=2**53)]
"""Small enough for every reader of JSON, and for those of the store."""

_Number = Annotated[int, Field(ge=1, le=2**53)]
_Filters = Annotated[int, Field(ge=1, le=256)]
_FilterSize = Annotated[int, Field(ge=1, le=20)]


class PrepareSettings(Settings):
    """What `omnishot prepare` makes of a set of images."""

    split: SplitName = "koch"
    """How images are divided into train, validation and test; `alphabets` is for sources other than Omniglot."""
    holdout: Holdout = "five"
    """`lake` only: hold five background alphabets out for validation, or train on all thirty."""
    pairs: Annotated[int, Field(ge=2, le=20_000_000)] = 90_000
    """Training pairs before affine variants, half of them same, half different."""
    validation_pairs: Annotated[int, Field(ge=2, le=20_000_000)] = 10_000
    """Validation pairs, from which the verification threshold is chosen."""
    test_pairs: Annotated[int, Field(ge=2, le=20_000_000)] = 10_000
    """Test pairs for the verification protocol."""
    affine: Annotated[int, Field(ge=0, le=1000)] = 8
    """Affine variants of each training pair, besides the pair itself."""
    negatives: Negatives = "any"
    """Where the second image of a different pair comes from: any alphabet, or the same one."""
    materialize: bool = False
    """Also store the rendered pixels of every training pair and variant."""
    seed: _Seed = 0
    """Seed of the pairs and variants."""


class PairsObjective(Settings):
    """Binary cross-entropy on the pair dataset (Koch et al. 2015, section 3.2)."""

    kind: Literal["pairs"] = "pairs"
    batch_size: _Number = 128
    """Pairs per step."""
    steps_per_epoch: _Number | None = None
    """Steps between two validations; null is once through all pairs and variants."""


class ClassesObjective(Settings):
    """Every image of a batch is paired with every other; cross-entropy picks the one of the same class.

    Source: Sohn 2016 (multi-class n-pair loss), with the negated distance as similarity.
    """

    kind: Literal["classes"] = "classes"
    classes_per_batch: Annotated[int, Field(ge=2, le=2**53)] = 60
    """Classes in a batch, or as many as there are."""
    drawers_per_class: Annotated[int, Field(ge=2, le=2**53)] = 2
    """Images of each class in a batch, all by different drawers."""
    within_alphabet: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the batches that are filled alphabet by alphabet, which makes their classes hard to tell apart."""
    rotations: Literal[1, 2, 4] = 4
    """Quarter turns (or the half turn) of a character that count as classes of their own."""
    turning: Literal["characters", "alphabets"] = "characters"
    """In batches filled alphabet by alphabet: `characters` turn each on its own, or `alphabets` as a whole, so that
    characters have to be told from all their neighbours there instead of from their own turns."""
    mirroring: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the characters that are shown as in a mirror, which makes new classes of them; of whole alphabets, where
    these turn as a whole."""
    class_affine: Annotated[float, Field(ge=0, le=3)] = 0.0
    """Strength of an affine distortion that all images of a class in a batch share, which makes a new class of it, as a
    multiple of the paper's ranges; without shifts."""
    affine: Annotated[float, Field(ge=0, le=3)] = 1.0
    """Strength of the affine variants drawn on the fly, as a multiple of the paper's ranges."""
    elastic: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Standard deviation of the smooth elastic displacement, in half image sides."""
    batches_per_epoch: _Number = 100
    """Steps between two validations."""


class WhiteningObjective(Settings):
    """A closed form on the vectors of a network that stays as it is: classes become as compact as one matrix can.

    Source: Hatch & Stolcke 2006 (within-class covariance normalisation); Ledoit & Wolf 2004 for shrinkage.
    """

    kind: Literal["whitening"] = "whitening"
    image_size: Annotated[int, Field(ge=32, le=512)] = 224
    """Side of the images the twin sees, pixels, whatever that of the stored ones; fewer take less time."""
    shrinkage: Annotated[float, Field(ge=0, le=1)] = 0.7
    """How far the covariance within classes is drawn towards a multiple of the identity."""
    head: HeadName = "auto"
    """What compares two vectors: their `cosine`, a fitted weight for each component's |u - v| (`l1`), or `auto`: the
    cosine, unless the other is clearly better on the validation classes."""


ObjectiveSettings = PairsObjective | ClassesObjective | WhiteningObjective


class Architecture(Settings):
    """Sizes of the layers of `koch` and `koch35`, within the space that the paper searched; null is the network's own.

    Source: Koch et al. 2015, section 3.2.
    """

    filters: tuple[_Filters, _Filters, _Filters, _Filters] | None = None
    """Filters of each convolution."""
    filter_sizes: tuple[_FilterSize, _FilterSize, _FilterSize, _FilterSize] | None = None
    """Side of each convolution's filters, pixels."""
    dense_units: Annotated[int, Field(ge=2, le=4096)] | None = None
    """Units of the dense layer."""


class DataSettings(Settings):
    """How images get to the device; whichever way, the batches are the same."""

    memory_gb: Annotated[float, Field(ge=0)] | None = None
    """Images that need more memory on the device than this are read from the disk as they are needed; null is half of
    what is free."""
    readers: Annotated[int, Field(ge=1, le=256)] = 2
    """Processes that read them, a few batches ahead."""
    start_method: Literal["spawn", "forkserver", "fork"] = "spawn"
    """How these processes start."""


class LogSettings(Settings):
    """What is written of a run besides its history; it decides nothing."""

    tensorboard: bool = False
    """Also write an event file for TensorBoard into the model (`train` and `run`; needs the extra `tensorboard`)."""


_OF_STEPS = (
    "architecture", "compile", "data", "initialization", "log", "max_minutes", "optimizer", "patience", "schedule",
    "test_variants", "weight_averaging",
)  # fmt: skip
"""What acts on a network only that is trained step by step, or on distorted images."""


class TrainSettings(Settings):
    """A training run."""

    twin: TwinName = "koch"
    """The network both images pass."""
    architecture: Architecture = Architecture()
    """Other sizes of its layers."""
    initialization: Initialization = "auto"
    """Initial weights: as Koch et al. 2015 draw them, as torch does, or `auto`: the paper's for its own networks."""
    objective: Annotated[ObjectiveSettings, Field(discriminator="kind")] = PairsObjective()
    """What is minimised, and on which batches."""
    optimizer: Annotated[OptimizerSettings, Field(discriminator="kind")] = SgdSettings()
    """How gradients become steps."""
    schedule: Annotated[ScheduleSettings, Field(discriminator="kind")] = PlainSchedule()
    """How the learning rate changes."""
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = 200
    """Epochs at most."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Minutes of training at most; a slow run has fewer epochs, and its cosine schedule ends with them."""
    patience: Annotated[int, Field(ge=0, le=2**53)] = 20
    """Stop after this many epochs without a better validation accuracy; 0 never stops early."""
    validation_protocol: ValidationProtocol = "within"
    """What is measured after each epoch: trials within an alphabet, trials between alphabets, or validation pairs."""
    validation_trials: Annotated[int, Field(ge=0, le=2**53)] = 320
    """One-shot trials (or pairs) after each epoch, from which the best weights are chosen; 0 keeps the last."""
    validation_ways: Annotated[int, Field(ge=2, le=2**53)] = 20
    """Classes in a validation trial."""
    test_variants: Annotated[int, Field(ge=0, le=100)] = 0
    """Affine variants of every image whose vectors are averaged with its own wherever the trained network is used
    (test-time augmentation); validation during training does without."""
    weight_averaging: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per step of the exponential moving average of the weights that is validated and kept; 0 averages none."""
    precision: Precision = "auto"
    """Arithmetic of the network; `auto` is bf16 where the device computes it natively."""
    compile: Literal["none", "default", "reduce-overhead"] = "none"
    """`default` has torch compile the twin, which takes a minute; `reduce-overhead` records CUDA graphs too."""
    data: DataSettings = DataSettings()
    """How images get to the device."""
    log: LogSettings = LogSettings()
    """What is written of a run besides its history."""
    seed: _Seed = 0
    """Seed of the initial weights, the batches and the distortions."""

    @model_validator(mode="after")
    def _refuse_what_does_not_act(self) -> Self:
        """Check that a network that stays as it is comes with what it needs, and with nothing that trains it."""
        is_whitened = self.objective.kind == "whitening"
        if (self.twin == "lite0") != is_whitened:
            raise ValueError("the twin lite0 and the objective whitening go together, as lite0 is not trained itself")
        usual = {name: type(self).model_fields[name].default for name in _OF_STEPS} | {"epochs": 1}
        idle = [name for name, value in usual.items() if getattr(self, name) != value]
        if is_whitened and idle:
            why = "which takes no steps and distorts nothing"
            raise ValueError(f"{', '.join(idle)} does not act with the objective whitening, {why}")
        return self


def usual_split(source: str) -> SplitName:
    """Return how images of a source are divided where nothing else is asked for."""
    return "koch" if source == "omniglot" else "alphabets"


def usual_baselines(protocol: Protocol) -> tuple[Baseline, ...]:
    """Return the baselines that are measured where nothing else is asked for; Hausdorff is slow beyond Lake's runs."""
    if protocol == "verification":
        return ()
    return tuple(name for name in BASELINES if protocol == "lake" or name != "hausdorff")


class EvalSettings(Settings):
    """What `omnishot eval` measures."""

    protocol: Protocol = "within"
    """`lake`: the official runs. `within`: one alphabet, two drawers. `between`: any classes. `verification`: pairs."""
    on: SplitPart = "test"
    """The part of the split whose images are used; Lake's runs are always test images."""
    ways: tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...] = (20,)
    """Numbers of classes to choose from; none for verification."""
    shots: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Support images per class."""
    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 400
    """Queries, each with a support set of its own; Lake's runs always have 400."""
    baselines: tuple[Baseline, ...] = BASELINES
    """Methods without training, run on the same trials."""
    seed: _Seed = 0
    """Seed of the trials."""
