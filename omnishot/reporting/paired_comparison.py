"""Two evaluations compared trial by trial on what both were asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnishot.data.episodes import count_questions
from omnishot.errors import DamagedFileError, UsageError
from omnishot.evaluation.intervals import (
    Dependence,
    dependence_of_pairs,
    dependence_of_trials,
    difference_interval,
    mcnemar_p,
)
from omnishot.evaluation.oneshot import correct_trials
from omnishot.formats.evaluation import EvaluationSummary, Result, read_summary
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.formats.scores import ANY_NUMBER, PairScores, TrialScores, read_pair_scores, read_trial_scores
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.vocabulary import BASELINES
from omnishot.wording import p_value, with_questions


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """How a model of the second evaluation did on the trials of a model of the first.

    Attributes:
        one: Reference of the model in the first evaluation.
        other: Reference of the model in the second.
        task: Such as `lake 20-way on test`.
        ways: Classes to choose from, or None for verification.
        trials: Trials, or pairs, that both were given.
        accuracies: Of the first and of the second, in [0, 1].
        difference: How much more accurate the second is, in [-1, 1].
        ci95: 95 % interval of the difference.
        mcnemar_p: P-value of McNemar's exact test.
        questions: Different questions among the trials.
        images: Different images that they ask about.
    """

    one: str
    other: str
    task: str
    ways: int | None
    trials: int
    accuracies: tuple[float, float]
    difference: float
    ci95: tuple[float, float]
    mcnemar_p: float
    questions: int
    images: int

    @property
    def verdict(self) -> str:
        """What the paired test says, as a sentence without its full stop."""
        (before, after), (low, high) = self.accuracies, self.ci95
        meaning = "" if before == after else ", which may be chance" if low <= 0 <= high else ", which is not chance"
        return (
            f"{self.task}: {self.one} {100 * before:.2f} % -> {self.other} {100 * after:.2f} %, "
            f"{100 * self.difference:+.2f} points on the same {with_questions(self.trials, self.questions)} "
            f"{'trials' if self.ways else 'pairs'} (95 % interval {100 * low:+.2f} to {100 * high:+.2f}{meaning}; "
            f"McNemar {p_value(self.mcnemar_p)})"
        )

    @property
    def advice(self) -> str:
        """What would make the interval narrower: more trials do only as long as they ask something else."""
        if self.questions < self.trials or 2 * self.images < self.trials:
            return f"only more classes or images make the interval narrower, as all are about {self.images:,} images"
        if self.ways is None:
            return "more pairs (`omnishot prepare --pairs N`) make the interval narrower"
        if self.task.startswith("lake "):
            return "`omnishot eval --protocol within --trials 10000` asks more than Lake's runs do"
        return "more trials make the interval narrower"


@dataclass(frozen=True, slots=True)
class _Side:
    """One evaluation: what it says of itself, and its networks' results by their place among the models and ways."""

    artifact: Artifact
    summary: EvaluationSummary
    results: dict[tuple[int, int | None], Result]

    @classmethod
    def read(cls, artifact: Artifact) -> "_Side":
        if artifact.manifest.kind != "evals":
            raise UsageError(
                f"--tolerance compares evaluations, trial by trial, but {artifact.reference} is none",
                hint="Name two artifacts that `omnishot ls evals` lists.",
            )
        summary = read_summary(artifact.file("summary.json"))
        rows = [result for result in summary.results if result.model not in BASELINES]
        if not rows:
            raise UsageError(f"{artifact.reference} holds baselines only, no network to compare")
        models = list(dict.fromkeys(result.model for result in rows))
        return cls(artifact, summary, {(models.index(result.model), result.ways): result for result in rows})

    @property
    def any_result(self) -> Result:
        """One of the results, which all have protocol, part, shots and trials in common."""
        return next(iter(self.results.values()))

    @property
    def most_ways(self) -> int:
        return max(ways or 0 for _, ways in self.results)

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(result.model for result in self.results.values()))

    def trials(self, class_of_image: NDArray[np.int32] | None) -> TrialScores:
        return read_trial_scores(self.artifact.file("scores.h5"), self.models, n_images=_count(class_of_image))

    def pairs(self, class_of_image: NDArray[np.int32] | None) -> PairScores:
        return read_pair_scores(self.artifact.file("scores.h5"), self.models, n_images=_count(class_of_image))

    def correct(self, result: Result, drawn: TrialScores | PairScores) -> NDArray[np.bool_]:
        """Return which trials or pairs a model got right, as often as the summary says."""
        if result.model not in drawn.scores:
            raise DamagedFileError(f"{self.artifact.reference} holds no scores of {result.model}")
        scores = drawn.scores[result.model]
        correct: NDArray[np.bool_]
        if isinstance(drawn, PairScores):
            correct = (scores > (result.threshold or 0)) == drawn.same
        else:
            correct = correct_trials(scores, result.ways or 0)
        if (int(correct.sum()), len(correct)) != (result.correct, result.trials):
            raise DamagedFileError(
                f"In {self.artifact.reference} the scores of {result.model} are right {correct.sum():,} times of "
                f"{len(correct):,}, but its summary says {result.correct:,} of {result.trials:,}",
                hint="Evaluate again: the same `omnishot eval` with --force.",
            )
        return correct


def paired(store: Store, one: Artifact, other: Artifact) -> list[PairedComparison]:
    """Compare the models of two evaluations, the first with the first and so on, on the trials they have in common.

    Raises:
        UsageError: They are no evaluations, or have no trials in common; the message says why.
        DamagedFileError: A file does not hold what it should.
    """
    first, second = _Side.read(one), _Side.read(other)
    reasons = _other_settings(first, second)
    if not reasons and _images_of(store, one) != _images_of(store, other):
        reasons = [f"the images are those of {first.summary.data} in one and {second.summary.data} in the other"]
    found: list[PairedComparison] = []
    if not reasons:
        compare = _verified if first.any_result.ways is None else _answered
        found = list(compare(first, second, _classes_of(store, one)))
    if not found:
        raise UsageError(
            f"{one.reference} and {other.reference} have no trials in common, so that they cannot be paired: "
            f"{'; '.join(reasons) or _other_draws(first, second)}",
            hint="Evaluate both models alike; `omnishot eval MODEL MODEL` measures them on the same trials.",
        )
    return found


def _other_settings(first: _Side, second: _Side) -> list[str]:
    """Return which settings make the trials of two evaluations others."""
    a, b = first.any_result, second.any_result
    said = [
        ("the protocol is", a.protocol, b.protocol),
        ("the part of the split is", a.on, b.on),
        ("the number of shots is", a.shots, b.shots),
        ("the number of trials is", a.trials, b.trials),
        ("the number of models is", len(first.models), len(second.models)),
    ]
    if a.protocol not in {"lake", "verification"}:  # Runs and pairs are what they are, whatever the seed.
        said.append(("the seed is", first.summary.seed, second.summary.seed))
    return [f"{what} {mine} in one and {theirs} in the other" for what, mine, theirs in said if mine != theirs]


def _other_draws(first: _Side, second: _Side) -> str:
    """Return why trials differ though the settings and the images are the same."""
    if first.most_ways != second.most_ways:
        return f"they were drawn for {first.most_ways} ways in one and for {second.most_ways} in the other"
    what = "are divided differently" if first.any_result.ways else "hold other pairs"
    return f"{first.summary.data} and {second.summary.data} {what}"


def _images_of(store: Store, evaluation: Artifact) -> str:
    """Return what tells the images behind an evaluation from others, or its pair dataset where that is gone."""
    data = evaluation.manifest.parent("pairs") or evaluation.manifest.parent("images")
    if data is None:
        raise DamagedFileError(f"The manifest of {evaluation.reference} does not say what it was measured on")
    found = store.parent(data) if data.reference.startswith("pairs/") else None
    return PairsFacts.of(found.manifest).parents[0].identity if found else data.identity


def _classes_of(store: Store, evaluation: Artifact) -> NDArray[np.int32] | None:
    """Return the class of every image behind an evaluation, or None where the images are no longer in the store."""
    parent = evaluation.manifest.parent("pairs") or evaluation.manifest.parent("images")
    data = store.parent(parent) if parent else None
    return EvaluationData.read(data).labels.character if data else None


def _count(class_of_image: NDArray[np.int32] | None) -> int:
    return ANY_NUMBER if class_of_image is None else len(class_of_image)


def _answered(first: _Side, second: _Side, class_of_image: NDArray[np.int32] | None) -> Iterator[PairedComparison]:
    """Yield the differences in one-shot trials, for every number of ways at which the trials are the same."""
    mine, theirs = first.trials(class_of_image), second.trials(class_of_image)
    for (place, ways), one in first.results.items():
        other = second.results.get((place, ways))
        if ways and other and _are_same(mine, theirs, ways):
            a, b = first.correct(one, mine), second.correct(other, theirs)
            n_questions = count_questions(mine.query, mine.support[:, :ways])
            dependence = dependence_of_trials(mine.query, mine.episode, n_questions, class_of_image)
            yield _compared(one, a, other, b, dependence)


def _are_same(mine: TrialScores, theirs: TrialScores, ways: int) -> bool:
    """Tell whether trials are the same as long as only so many classes are offered."""
    if min(mine.support.shape[1], theirs.support.shape[1]) < ways:
        return False
    return (
        np.array_equal(mine.query, theirs.query)
        and np.array_equal(mine.episode, theirs.episode)
        and np.array_equal(mine.support[:, :ways], theirs.support[:, :ways])
    )


def _verified(first: _Side, second: _Side, class_of_image: NDArray[np.int32] | None) -> Iterator[PairedComparison]:
    """Yield the differences in verification, where the pairs are the same."""
    mine, theirs = first.pairs(class_of_image), second.pairs(class_of_image)
    if not all(np.array_equal(getattr(mine, name), getattr(theirs, name)) for name in ("left", "right", "same")):
        return
    for key, one in first.results.items():
        if other := second.results.get(key):
            a, b = first.correct(one, mine), second.correct(other, theirs)
            yield _compared(one, a, other, b, dependence_of_pairs(mine.left, mine.right, class_of_image))


def _compared(
    one: Result, mine: NDArray[np.bool_], other: Result, theirs: NDArray[np.bool_], dependence: Dependence
) -> PairedComparison:
    task = f"{one.protocol} {one.ways}-way on {one.on}" if one.ways else f"{one.protocol} on {one.on}"
    return PairedComparison(
        one=one.model,
        other=other.model,
        task=task,
        ways=one.ways,
        trials=len(mine),
        accuracies=(one.accuracy, other.accuracy),
        difference=float(theirs.mean() - mine.mean()),
        ci95=difference_interval(theirs, mine, dependence),
        mcnemar_p=mcnemar_p(theirs, mine, dependence),
        questions=dependence.n_questions,
        images=len(np.unique(dependence.asked_about[0])),
    )
