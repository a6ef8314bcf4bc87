"""An evaluation on disk: the scores of every query in `scores.h5`, the figures in `summary.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from omnishot.artifacts.images import created
from omnishot.errors import DamagedFileError


@dataclass(frozen=True, slots=True)
class Result:
    """One accuracy, with everything that has to be said beside it.

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
    """

    model: str
    protocol: str
    on: str
    ways: int | None
    shots: int | None
    trials: int
    correct: int
    accuracy: float
    ci95: tuple[float, float]
    alphabets: int
    threshold: float | None = None
    equal_error_rate: float | None = None


def write_evaluation(
    folder: Path, results: list[Result], details: Mapping[str, Any], scores: Mapping[str, Mapping[str, NDArray[Any]]]
) -> None:
    """Write an evaluation.

    Args:
        folder: Where to.
        results: The figures.
        details: What else `summary.json` holds, such as the data they were measured on.
        scores: Arrays by method and name.
    """
    summary = {**details, "results": [asdict(result) for result in results]}
    (folder / "summary.json").write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", "utf-8")
    with created(folder / "scores.h5") as file:
        for method, arrays in scores.items():
            for name, values in arrays.items():
                # A slash in a reference would open a group.
                file.create_dataset(f"{method.replace('/', '|')}/{name}", data=values)


def read_summary(path: Path) -> dict[str, Any]:
    """Read a summary: its details, and under `results` a list of `Result`.

    Raises:
        DamagedFileError: The file is not a summary.
    """
    try:
        summary = json.loads(path.read_text("utf-8"))
        results = [Result(**{**row, "ci95": tuple(row["ci95"])}) for row in summary["results"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(f"{path} is not an evaluation's summary: {error}") from None
    return {**summary, "results": results}
