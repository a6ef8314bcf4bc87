"""What readers take from the settings and summaries of manifests, checked; the rest of those MAY hold anything."""

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from omnishot.errors import DamagedFileError
from omnishot.store.manifest import Manifest
from omnishot.store.validation import Count, Line, first_problem
from omnishot.vocabulary import SOURCES_WITH_DRAWERS


class Facts(BaseModel):
    """Part of a manifest that a reader relies on."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Return the facts of a manifest.

        Raises:
            DamagedFileError: It lacks one of them, or holds what cannot be one.
        """
        try:
            return cls.model_validate(manifest.model_dump(include=set(cls.model_fields)))
        except ValidationError as error:
            raise DamagedFileError(
                f"The manifest of {manifest.reference} is damaged: {first_problem(error)}",
                hint=f"`omnishot show {manifest.reference}` prints it; remove the artifact and make it again.",
            ) from None


class _Findings(Facts):
    notes: list[Line] = []
    in_two_classes: Count = 0


class _ImagesSummary(Facts):
    runs: Count
    images: Count = 0
    characters: Count = 0
    findings: _Findings = _Findings()


class _PairsSettings(Facts):
    split: Line
    holdout: Line
    pairs: Count
    affine: Count


class _PairsSummary(Facts):
    source: Line
    runs: Count
    pairs: dict[Line, Count]
    largest_alphabet: dict[Line, Count]
    train_alphabets: Count
    train_drawers: Count
    validation_alphabets: Count
    validation_drawers: Count
    images: dict[Line, Count] = {}
    classes: dict[Line, Count] = {}
    image_shape: list[Count] = []
    in_two_parts: Count = 0


class _Parent(Facts):
    recipe: str
    content: str | None = None

    @property
    def identity(self) -> str:
        return self.content or self.recipe


class _Objective(Facts):
    kind: Line


class _ModelSettings(Facts):
    seed: Count
    twin: Line
    objective: _Objective
    epochs: Count
    max_minutes: FiniteFloat | None = None


class _ModelSummary(Facts):
    cut_short: bool = False
    epochs: Count | None = None


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


_IfKnown = WrapValidator(_or_none)
"""Of what a manifest MAY hold: anything that is not of the type counts as not said."""

_Text = Annotated[Line | None, _IfKnown]
_Whole = Annotated[Count | None, _IfKnown]
_Number = Annotated[float | None, _IfKnown]


class _Kind(Facts):
    kind: _Text = None


_Choice = Annotated[_Kind, WrapValidator(lambda value, read: read(value if isinstance(value, dict) else {}))]


class _TrainingSettings(Facts):
    objective: _Choice = _Kind()
    optimizer: _Choice = _Kind()
    schedule: _Choice = _Kind()
    epochs: _Whole = None
    seed: _Whole = None
    validation_protocol: _Text = None
    validation_trials: _Whole = None
    validation_ways: _Whole = None


class _TrainingSummary(Facts):
    epochs: _Whole = None
    cut_short: Annotated[bool | None, _IfKnown] = None
    best_epoch: _Whole = None
    validation_accuracy: _Number = None
    parameters: _Number = None
    training_seconds: _Number = None
    pairs_per_second: _Number = None
    images_per_second: _Number = None
    flops_per_second: _Number = None
    matmul_flops_per_second: _Number = None
    peak_memory: _Number = None
    processes: _Number = None
    source: _Text = None


class _EvaluationSettings(Facts):
    protocol: _Text = None
    on: _Text = None


class _GallerySummary(Facts):
    classes: Count
    examples: Count
    model: Line
    preparation: Line
    threshold: float | None
    calibrated: bool

    @property
    def threshold_in_words(self) -> str:
        """The threshold and where it is from."""
        if self.threshold is None:
            return "none"
        return f"{self.threshold:.3f} ({'calibrated' if self.calibrated else 'provisional'})"


class ImagesFacts(Facts):
    """What is known of an images artifact.

    Attributes:
        source: Name and digest of the source.
        summary: The number of published runs, of images and of classes, and what reading one's own images showed.
    """

    source: dict[str, str]
    summary: _ImagesSummary


class PairsFacts(Facts):
    """What is known of a pair dataset.

    Attributes:
        settings: Split, pairs and variants it was made with.
        summary: The source of its images, and what came of the split; parts without pairs are not in `pairs`.
        parents: The images it was drawn from.
    """

    settings: _PairsSettings
    summary: _PairsSummary
    parents: Annotated[list[_Parent], Field(min_length=1)]

    @property
    def has_photos(self) -> bool:
        """Whether the images are photographs, and not drawings."""
        return len(self.summary.image_shape) == 3

    @property
    def division(self) -> tuple[str, str, str]:
        """What two pair datasets have in common where their trials are the same."""
        return self.settings.split, self.settings.holdout, self.parents[0].identity


class ModelFacts(Facts):
    """What is known of a model.

    Attributes:
        settings: Seed, twin, objective and the epochs asked for.
        summary: Whether a time limit cut the schedule, and the epochs that were run.
    """

    settings: _ModelSettings
    summary: _ModelSummary


class TrainingFacts(Facts):
    """What a model's manifest may say of its training, for people to read; what it does not say is None.

    Attributes:
        settings: What was asked for.
        summary: What came of it, and how fast.
    """

    settings: _TrainingSettings
    summary: _TrainingSummary


class EvaluationFacts(Facts):
    """What an evaluation's manifest may say of what it measured; what it does not say is None.

    Attributes:
        settings: Protocol, and part of the split.
    """

    settings: _EvaluationSettings


class GalleryFacts(Facts):
    """What is known of a gallery.

    Attributes:
        summary: How much it holds, by which model, and its threshold.
    """

    summary: _GallerySummary


def source_of(manifest: Manifest) -> str:
    """Return the name of the source behind a pair dataset or an images artifact.

    Raises:
        DamagedFileError: The manifest does not say it.
    """
    if manifest.kind == "images":
        return ImagesFacts.of(manifest).source["name"]
    return PairsFacts.of(manifest).summary.source


def has_runs(manifest: Manifest) -> bool:
    """Tell whether a pair dataset or an images artifact holds published runs.

    Raises:
        DamagedFileError: The manifest does not say it.
    """
    facts = ImagesFacts.of(manifest) if manifest.kind == "images" else PairsFacts.of(manifest)
    return facts.summary.runs > 0


def says_who_drew(manifest: Manifest) -> bool:
    """Tell whether the images of a pair dataset or an images artifact say who drew them."""
    return has_runs(manifest) or source_of(manifest) in SOURCES_WITH_DRAWERS
