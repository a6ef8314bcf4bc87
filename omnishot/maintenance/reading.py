"""Everything that the files of an artifact hold, read as the stages and pages read it, to see whether it can be."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omnishot.errors import DamagedFileError
from omnishot.evaluation.oneshot import correct_trials
from omnishot.formats.evaluation import Result, read_summary
from omnishot.formats.gallery import read_gallery, read_thumbnails
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.history import read_history
from omnishot.formats.images import pixels_of, read_labels, read_pixels, read_runs
from omnishot.formats.manifest_fields import EvaluationFacts, GalleryFacts, ImagesFacts, ModelFacts, PairsFacts
from omnishot.formats.model import read_model
from omnishot.formats.pairs import read_pairs, read_split, read_variants
from omnishot.formats.scores import PairScores, TrialScores, read_pair_scores, read_trial_scores
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import Manifest
from omnishot.store.remake import words_of
from omnishot.vocabulary import PARTS

_BLOCK = 1024
_MOST_IMAGES = 1 << 31


def read_everything(manifest: Manifest, folder: Path) -> None:
    """Read the files of an artifact, whose digests were checked.

    Raises:
        OmnishotError: One of them does not hold what it should.
    """
    if manifest.kind == "galleries":
        _read_gallery(manifest, folder)
        return
    words_of(manifest)  # Its settings are such as this version knows.
    if manifest.kind in {"images", "pairs"}:
        _read_images(manifest, folder)
    elif manifest.kind == "models":
        _read_model(manifest, folder)
    else:
        _read_evaluation(manifest, folder)


def _read_gallery(manifest: Manifest, folder: Path) -> None:
    GalleryFacts.of(manifest)
    artifact = Artifact(folder, manifest)
    read_gallery(artifact)
    read_thumbnails(artifact)


def _read_images(manifest: Manifest, folder: Path) -> None:
    facts = ImagesFacts if manifest.kind == "images" else PairsFacts
    facts.of(manifest)
    with open_hdf5(folder / f"{manifest.kind}.h5") as file:
        read_labels(file)
        read_runs(file)
        for start in range(0, n_images := len(pixels_of(file)), _BLOCK):
            read_pixels(file, np.arange(start, min(start + _BLOCK, n_images)))
        if manifest.kind == "pairs":
            read_split(file)
            drawn = {part: read_pairs(file, part) for part in PARTS}
            if drawn["train"] is not None:
                read_variants(file)


def _read_model(manifest: Manifest, folder: Path) -> None:
    ModelFacts.of(manifest)
    read_model(folder / "weights.safetensors", folder / "config.yaml")
    read_history(folder / "history.jsonl")


def _read_evaluation(manifest: Manifest, folder: Path) -> None:
    EvaluationFacts.of(manifest)
    summary = read_summary(folder / "summary.json")
    scores = folder / "scores.h5"
    methods = {result.model for result in summary.results}
    found: PairScores | TrialScores
    if any(result.protocol == "verification" for result in summary.results):
        found = read_pair_scores(scores, methods)
    else:
        found = read_trial_scores(scores, methods, n_images=_MOST_IMAGES)
    if lacking := methods - set(found.scores):
        raise DamagedFileError(f"scores.h5 lacks the scores of {min(lacking)}")
    for number, result in enumerate(summary.results, start=1):
        outcomes = _outcomes(result, found)
        if outcomes is None:
            raise DamagedFileError(f"scores.h5 does not hold what result {number} of summary.json was counted from")
        if (n_right := int(outcomes.sum())) != result.correct or len(outcomes) != result.trials:
            raise DamagedFileError(
                f"Result {number} of summary.json says {result.correct:,} of {result.trials:,} right, but by scores.h5 "
                f"{result.model} has {n_right:,} of {len(outcomes):,}"
            )


def _outcomes(result: Result, found: PairScores | TrialScores) -> NDArray[np.bool_] | None:
    """Return which pairs or trials a method has right by its scores, or None where those are of another kind."""
    scores = found.scores[result.model]
    if isinstance(found, PairScores):
        if result.threshold is None or result.protocol != "verification":
            return None
        outcomes: NDArray[np.bool_] = (scores > result.threshold) == found.same
        return outcomes
    if result.ways is None or result.ways > scores.shape[1]:
        return None
    return correct_trials(scores, result.ways)
