"""An evaluation on disk: the scores of every query in `scores.h5`, the results in `summary.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from omnishot.errors import DamagedFileError
from omnishot.formats.hdf5 import create_hdf5
from omnishot.store.atomic_write import write_new
from omnishot.store.reference import parse_exact
from omnishot.store.text_file import read_text
from omnishot.store.validation import Count, Line, accepted_by, first_problem
from omnishot.vocabulary import BASELINES, SOURCES_WITH_DRAWERS, Protocol, SplitPart
from omnishot.wording import counted


def _check_method(text: str) -> None:
    if text not in BASELINES:
        parse_exact(text)


_Reference = Annotated[str, accepted_by(parse_exact)]
_Method = Annotated[str, accepted_by(_check_method)]
"""A network's reference, or the name of a baseline."""

_Share = Annotated[float, Field(ge=0, le=1)]
_Difference = Annotated[float, Field(ge=-1, le=1)]
_Ways = Annotated[int, Field(ge=1, le=10**6)]

_ROUNDING = 1e-9
"""By how much an accuracy may be off what it was counted from."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Result:
    """One accuracy, with everything needed to interpret it.

    Attributes:
        model: Reference of a model, or name of a baseline.
        protocol: lake, within, between or verification.
        on: Part of the split.
        ways: Classes to choose from; None for verification.
        shots: Support images per class; None for verification.
        trials: Queries, or pairs.
        correct: How many of them are right.
        accuracy: Their share, in [0, 1].
        ci95: 95 % interval of the accuracy.
        alphabets: Alphabets the trials come from.
        threshold: Verification: logit above which pairs are called the same.
        equal_error_rate: Verification: where both kinds of error are equally frequent.
        questions: Different questions among the trials; None in evaluations that did not count them.
    """

    model: _Method
    protocol: Protocol
    on: SplitPart
    ways: _Ways | None
    shots: Annotated[int, Field(ge=1, le=10**6)] | None
    trials: Annotated[int, Field(ge=1, le=10**9)]
    correct: Count
    accuracy: _Share
    ci95: tuple[_Share, _Share]
    alphabets: Count
    threshold: FiniteFloat | None = None
    equal_error_rate: _Share | None = None
    questions: Annotated[int, Field(ge=1, le=10**9)] | None = None


class TrainedOn(_Frozen):
    """What a model was trained on and how, which is reported with its results.

    All from `source` on describes its pair dataset, and is set together or, where that was gone, not at all.
    """

    pairs: _Reference | None
    seed: Count
    twin: Line
    objective: Line
    source: Line = ""
    train_alphabets: Count = 0
    train_drawers: Count = 0
    validation_alphabets: Count = 0
    validation_drawers: Count = 0
    split: Line = ""
    holdout: Line = ""
    affine: Count = 0
    train_pairs: Count = 0

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        lacking = set(type(self).model_fields) - self.model_fields_set
        if self.describes_pairs and lacking:
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        return self

    @property
    def describes_pairs(self) -> bool:
        """Whether the pair dataset was there to be described."""
        return "source" in self.model_fields_set

    @property
    def in_words(self) -> str:
        """What the model was trained on, in a few words."""
        if not self.describes_pairs:
            return self.pairs or "?"
        if self.source not in SOURCES_WITH_DRAWERS:
            grouped = f": {counted(self.train_alphabets, 'alphabet')}" if self.train_alphabets > 1 else ""
            return f"{self.source}{grouped} (split {self.split})".replace(" (split alphabets)", "")
        kind = "background " if self.source == "omniglot" else ""
        said = f"{self.source}: {self.train_alphabets} {kind}alphabets x {self.train_drawers} drawers"
        if self.validation_alphabets:
            said += f", {self.validation_alphabets} x {self.validation_drawers} to validate"
        return f"{said} (split {self.split})"

    def as_written(self) -> dict[str, object]:
        """Return what is written of it; what is not known is left out."""
        return self.model_dump(exclude_unset=True)


class Comparison(_Frozen):
    """How much more accurate a model is than another one on the same trials.

    Attributes:
        model: Reference of the model.
        against: Reference of the other one.
        ways: Classes to choose from; None for verification.
        difference: Between the accuracies, in [-1, 1].
        ci95: Paired 95 % interval of it.
        mcnemar_p: P-value of McNemar's exact test; None in evaluations that did not run it.
    """

    model: _Reference
    against: _Reference
    ways: _Ways | None
    difference: _Difference
    ci95: tuple[_Difference, _Difference]
    mcnemar_p: _Share | None = None


class EvaluationSummary(_Frozen):
    """Everything that `summary.json` holds.

    Attributes:
        data: Reference of what was measured on.
        source: Source of its images.
        models: What each model was trained on.
        seed: Seed of the trials.
        device: Where the networks ran.
        comparisons: Every later model beside the first.
        results: Every accuracy.
    """

    data: Line
    source: Line
    models: dict[_Reference, TrainedOn]
    seed: Count
    device: Line
    comparisons: tuple[Comparison, ...]
    results: tuple[Result, ...]


def write_evaluation(
    folder: Path, summary: EvaluationSummary, scores: Mapping[str, Mapping[str, NDArray[Any]]]
) -> None:
    """Write an evaluation: its summary, and its arrays by method and name."""
    written = summary.model_dump(exclude_unset=True)
    for result in written["results"]:
        if result["questions"] is None:  # As before questions were counted.
            del result["questions"]
    text = json.dumps(written, indent=1, allow_nan=False)
    write_new(folder / "summary.json", f"{text}\n".encode())
    with create_hdf5(folder / "scores.h5") as file:
        for method, arrays in scores.items():
            for name, values in arrays.items():
                # A slash in a reference would open a group.
                file.create_dataset(f"{method.replace('/', '|')}/{name}", data=values)


def read_summary(path: Path) -> EvaluationSummary:
    """Read a summary.

    Raises:
        DamagedFileError: The file is not a summary.
    """
    try:
        summary = EvaluationSummary.model_validate_json(read_text(path), strict=True)
        for number, result in enumerate(summary.results, start=1):
            _refuse_contradictions(result, number)
    except ValidationError as error:
        raise DamagedFileError(f"{path} is not an evaluation's summary: {first_problem(error)}") from None
    except ValueError as error:
        raise DamagedFileError(f"{path} is not an evaluation's summary: {error}") from None
    return summary


def _refuse_contradictions(result: Result, number: int) -> None:
    if (result.protocol == "verification") != (result.ways is None) or (result.ways is None) != (result.shots is None):
        raise ValueError(f"result {number} does not fit protocol {result.protocol!r} with its ways and shots")
    if result.correct > result.trials or result.ci95[0] > result.ci95[1]:
        raise ValueError(f"result {number} has {result.correct} of {result.trials} right, from {result.ci95}")
    if abs(result.accuracy - result.correct / result.trials) > _ROUNDING:
        raise ValueError(f"result {number} has accuracy {result.accuracy}, not {result.correct} / {result.trials}")
    low, high = result.ci95
    if not low - _ROUNDING <= result.accuracy <= high + _ROUNDING:
        raise ValueError(f"result {number} has accuracy {result.accuracy} outside its interval {result.ci95}")
