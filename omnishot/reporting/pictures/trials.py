"""Evaluations become pictures of their trials: one trial at any number of ways, and those that tell most."""

import contextlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omnishot.drawing.picture import Picture
from omnishot.drawing.trials import ShownTrial, ranked_trials, trial_grid
from omnishot.errors import DamagedFileError, NotFoundError, UsageError, brief
from omnishot.evaluation.oneshot import margins
from omnishot.formats.evaluation import read_summary
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import EvaluationFacts
from omnishot.formats.scores import TrialScores, read_trial_scores
from omnishot.seeding import generator
from omnishot.store.artifact import Artifact
from omnishot.store.reference import parse
from omnishot.store.store import Store

Ranking = Literal["mistakes", "successes"]

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class MeasuredTrials:
    """The trials of one evaluation and what one method made of them.

    Attributes:
        method: Reference of a model, or name of a baseline.
        about: Method, protocol and images, in a few words.
        data: The images.
        trials: The trials, with the scores of this method.
    """

    method: str
    about: str
    data: EvaluationData
    trials: TrialScores

    @property
    def most_ways(self) -> int:
        """Classes of each trial."""
        return int(self.trials.support.shape[1])

    def margins(self, n_way: int) -> NDArray[np.float32]:
        """Return by how much the right class leads in each trial, shape (n_trials,)."""
        return margins(self.trials.scores[self.method], n_way)


def measured_trials(store: Store, evaluation: Artifact, method: str | None = None) -> MeasuredTrials:
    """Read the trials of an evaluation, as one of its methods scored them.

    The default is its first model, or its first baseline where there is no model.

    Raises:
        UsageError: It measured pairs, or not this method, or a single class to choose from.
        NotFoundError: Its images are no longer in the store.
        DamagedFileError: A file does not hold what it should.
    """
    summary = read_summary(evaluation.file("summary.json"))
    results = [result for result in summary.results if result.ways]
    if not results:
        raise UsageError(
            f"{evaluation.reference} measured pairs, which have no trials", hint="Name one of another protocol."
        )
    methods = list(dict.fromkeys(result.model for result in results))
    chosen = methods[0] if method is None else _named(method, methods, evaluation)
    result = next(result for result in results if result.model == chosen)
    if max(result.ways or 0 for result in results) < 2:
        raise UsageError(
            f"{evaluation.reference} has 1-way trials, in which there is nothing to choose",
            hint="Run `omnishot eval --ways 20` first.",
        )
    data = EvaluationData.read(_images_of(store, evaluation))
    trials = read_trial_scores(evaluation.file("scores.h5"), [chosen], n_images=len(data.labels))
    if chosen not in trials.scores or trials.support.shape[1] < 2:
        raise DamagedFileError(f"scores.h5 of {evaluation.reference} lacks scores of {brief(chosen)}")
    about = f"{chosen}, protocol {result.protocol}, {result.on} images of {summary.source}"
    return MeasuredTrials(chosen, about, data, trials)


def _named(method: str, methods: list[str], evaluation: Artifact) -> str:
    fitting = [known for known in methods if method in {known, known.removeprefix("models/"), known.partition(":")[0]}]
    fitting = fitting or [known for known in methods if known.removeprefix("models/").partition(":")[0] == method]
    if len(fitting) != 1:
        what = "several methods" if fitting else "no method"
        hint = f"It has {', '.join(methods)}."
        raise UsageError(f"--method: '{method}' names {what} of {evaluation.reference}", hint=hint)
    return fitting[0]


def _images_of(store: Store, evaluation: Artifact) -> Artifact:
    parent = evaluation.manifest.parent("pairs") or evaluation.manifest.parent("images")
    found = store.parent(parent) if parent else None
    if found is None:
        raise NotFoundError(
            f"The images of {evaluation.reference} ({parent.reference if parent else '?'}) are not in the store",
            hint="`omnishot prepare` makes them again.",
        )
    return found


def _ways(measured: MeasuredTrials, n_way: int | None) -> int:
    n_way = measured.most_ways if n_way is None else n_way
    if not 2 <= n_way <= measured.most_ways:
        raise UsageError(
            f"--ways {n_way}: these trials can be shown with 2 to {measured.most_ways}",
            hint="`omnishot eval --ways N` measures more.",
        )
    return n_way


def grid_of(measured: MeasuredTrials, *, n_way: int | None = None, number: int | None = None) -> Picture:
    """Draw one trial with all its classes, in an order drawn at random once.

    The default is the trial of median margin at the most ways, with all of them; trials are counted from 0.

    Raises:
        UsageError: There are not as many ways or trials.
    """
    n_way = _ways(measured, n_way)
    n_trials = len(measured.trials.query)
    if number is None:
        number = int(np.argsort(measured.margins(measured.most_ways), kind="stable")[n_trials // 2])
    if not 0 <= number < n_trials:
        raise UsageError(f"--trial {number}: there are trials 0 to {n_trials - 1:,}")
    (shown,) = _shown(measured, np.array([number]), n_way)
    order = generator(0, "places", number, n_way).permutation(n_way)
    return trial_grid(shown, order=order, about=measured.about)


def ranking_of(measured: MeasuredTrials, ranking: Ranking, *, n_way: int | None = None) -> Picture | None:
    """Draw the worst mistakes or the narrowest successes, by default at the most ways; None where there is none.

    Of mistakes the right class is the farthest behind, of successes the least ahead.

    Raises:
        UsageError: There are not as many ways.
    """
    n_way = _ways(measured, n_way)
    lead = measured.margins(n_way)
    fitting = np.flatnonzero(lead > 0) if ranking == "successes" else np.flatnonzero(~(lead > 0))
    chosen = fitting[np.argsort(lead[fitting], kind="stable")][:_SHOWN]
    if not len(chosen):
        return None
    kind = "worst mistakes" if ranking == "mistakes" else "narrowest successes"
    return ranked_trials(
        _shown(measured, chosen, n_way),
        kind=kind,
        about=f"{n_way}-way, {measured.about}",
        of=f"of {len(fitting):,} in {len(lead):,} trials",
    )


def _shown(measured: MeasuredTrials, numbers: NDArray[np.integer], n_way: int) -> list[ShownTrial]:
    trials, labels = measured.trials, measured.data.labels
    scores = trials.scores[measured.method]
    query, support = trials.query[numbers], trials.support[numbers, :n_way]
    pixels = measured.data.pixels(query, support[:, :, 0])
    return [
        ShownTrial(
            query=pixels[query[i]],
            support=pixels[support[i, :, 0]],
            scores=scores[number, :n_way],
            number=int(number),
            group=labels.alphabet_names[labels.alphabet[query[i]]],
            k_shot=support.shape[2],
        )
        for i, number in enumerate(numbers)
    ]


def find_evaluation(store: Store, reference: str | None) -> Artifact:
    """Return the evaluation that a user named, by itself or by its model; the newest one with trials without a name.

    Raises:
        NotFoundError: There is no such evaluation or model, or none with trials.
        UsageError: The text names another kind.
        DamagedFileError: It is there but cannot be read.
    """
    if reference is None:
        newest = store.newest("evals")
        return newest if has_trials(newest) else newest_trials(store, None)
    for kind in ("evals", "models") if parse(reference).kind is None else ():
        with contextlib.suppress(NotFoundError):
            found = store.find(reference, kind)
            break
    else:
        found = store.find(reference)  # It names its kind, or there is none: then this says so.
    if found.manifest.kind == "models":
        return newest_trials(store, found)
    if found.manifest.kind == "evals":
        return found
    raise UsageError(f"{found.reference} has no trials", hint="Name an evaluation or a model.")


def newest_trials(store: Store, model: Artifact | None) -> Artifact:
    """Return the newest evaluation with trials, of a model or of any; on test images if there is one.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: A newer one cannot be read.
    """
    newest_first = store.artifacts("evals")[::-1]
    for evaluation in sorted(newest_first, key=lambda item: EvaluationFacts.of(item.manifest).settings.on != "test"):
        measured = [parent for parent in evaluation.manifest.parents if model and model.is_meant_by(parent)]
        is_asked_for = model is None or any(parent.reference == str(model.reference) for parent in measured)
        if is_asked_for and has_trials(evaluation):
            return evaluation
    which = f"of {model.reference}" if model else f"in {store.root}"
    command = f"omnishot eval {model.reference}" if model else "omnishot eval"
    raise NotFoundError(f"There is no one-shot evaluation {which}", hint=f"Run `{command}` first.")


def has_trials(evaluation: Artifact) -> bool:
    """Tell whether an evaluation has trials in which there is something to choose.

    Raises:
        DamagedFileError: Its summary cannot be read.
    """
    return any((result.ways or 0) > 1 for result in read_summary(evaluation.file("summary.json")).results)
