"""eval: models and baselines become an `evals` artifact with accuracies and every query's scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.config import EvalSettings
from omnishot.data.episodes import (
    Trials,
    count_questions,
    draw_between,
    draw_within,
    draw_within_by_class,
    trials_of_runs,
)
from omnishot.data.pixels import Pixels
from omnishot.data.sources import Source
from omnishot.errors import SamplingError
from omnishot.evaluation.baselines import score_baseline
from omnishot.evaluation.embedding import refuse_overflow
from omnishot.evaluation.intervals import (
    Dependence,
    accuracy_interval,
    dependence_of_pairs,
    dependence_of_trials,
    difference_interval,
    mcnemar_p,
)
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.evaluation.verification import Verification, best_threshold, score_pairs, verify
from omnishot.formats.evaluation import Comparison, EvaluationSummary, Result, write_evaluation
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import source_of
from omnishot.formats.model import read_model
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.formats.trained_on import trained_on
from omnishot.model.device import Compute, choose_compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.naming import evaluation_name
from omnishot.progress import OnProgress, Progress, silent
from omnishot.seeding import generator
from omnishot.stages.evaluation_settings import (
    choose_data,
    choose_models,
    choose_settings,
    refuse_strange_images,
    refuse_what_cannot_be_measured,
    what_was_chosen,
)
from omnishot.stages.prepare import summary_of
from omnishot.stages.produce import StageResult, produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName

_RECIPE = 4

_Scores = dict[str, dict[str, NDArray[Any]]]
_Outcomes = dict[tuple[str, int | None], NDArray[np.bool_]]
"""Which trials a method has right at a number of ways, or at verification; shape (n_trials,)."""
_Dependences = dict[int | None, Dependence]


def evaluate(
    store: Store,
    models: Sequence[Artifact] | None = None,
    data: Artifact | None = None,
    settings: EvalSettings | None = None,
    *,
    source: str | Source | None = None,
    name: str | None = None,
    device: DeviceName = "auto",
    force: bool = False,
    on_progress: OnProgress = silent,
) -> StageResult:
    """Measure models and baselines on the same trials.

    Args:
        store: Where the evaluation goes.
        models: The models, by default the newest; an empty list measures the baselines alone.
        data: A pair dataset, or images that are divided as `prepare` would by default. By default the images of
            `source`, else the pair dataset that the models were trained with.
        settings: What to measure; `complete` chooses the protocol, ways and baselines that they do not name.
        source: Images to measure on, or their name or path as for `open_source`.
        name: Name of the evaluation; by default it says the first model, the protocol, and the images where others.
        device: Where to run the networks.
        force: Measure again even if it was done before.
        on_progress: Receives progress.

    Raises:
        OmnishotError: The data does not allow the trials.
    """
    models = choose_models(store, models, has_images=data is not None or source is not None)
    data = data or choose_data(store, models, source, on_progress=on_progress)
    chosen = data
    read = cache(lambda: EvaluationData.read(chosen))
    asked = settings or EvalSettings()
    settings = choose_settings(asked, data.manifest, read)
    for note in what_was_chosen(asked, settings, data.manifest, read):
        store.tell(note)
    refuse_what_cannot_be_measured(settings, models)
    images_name = data.manifest.name if data.manifest.kind == "images" else None
    usual_name = evaluation_name(models[0].manifest.name if models else None, settings, source=images_name)
    name = check_name(usual_name if name is None else name)
    compute = choose_compute(device, "fp32")  # The same results on every machine, as nearly as possible.
    parents = [artifact.as_parent() for artifact in (*models, data)]
    recipe = Recipe("evals", _RECIPE, settings.model_dump(mode="json"), parents)

    def build(staging: Staging) -> None:
        on_progress(Progress("Reading images", 0, 0))
        task = _Task(models, read(), settings, compute, on_progress)
        refuse_strange_images(task.data, models, settings)
        _measure(task, store, chosen, staging)
        staging.summary |= summary_of(source)

    return produce(store, recipe, name, build, force=force)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is measured, and where."""

    models: list[Artifact]
    data: EvaluationData
    settings: EvalSettings
    compute: Compute
    on_progress: OnProgress

    def networks(self) -> Iterator[tuple[str, SiameseNetwork]]:
        """Yield the models by their references, on the device."""
        for model in self.models:
            self.on_progress(Progress(f"Measuring {model.reference}", 0, 0))
            network = read_model(model.file("weights.safetensors"), model.file("config.yaml"))
            yield str(model.reference), network.to(self.compute.device)

    def pixels(self, *chosen: NDArray[np.int32]) -> Pixels:
        """Return images to embed: drawings in memory, photographs in their file."""
        return StoredPixels(self.data.path) if self.data.has_photos else torch.from_numpy(self.data.pixels(*chosen))

    def results(self, outcomes: _Outcomes, dependence: _Dependences, shown: NDArray[np.int32]) -> Iterator[Result]:
        """Yield the accuracies.

        Args:
            outcomes: Which trials each method has right.
            dependence: What the trials have in common, by the number of ways.
            shown: An image of each trial, whose alphabets are counted, shape (n_trials,).
        """
        for (method, n_way), correct in outcomes.items():
            yield Result(
                model=method,
                protocol=self.settings.protocol,
                on=self.settings.on,
                ways=n_way,
                shots=self.settings.shots if n_way else None,
                trials=len(correct),
                correct=int(correct.sum()),
                accuracy=float(correct.mean()),
                ci95=accuracy_interval(correct, dependence[n_way]),
                alphabets=len(np.unique(self.data.labels.alphabet[shown])),
                questions=dependence[n_way].n_questions,
            )

    def comparisons(self, outcomes: _Outcomes, dependence: _Dependences) -> Iterator[Comparison]:
        """Yield how every later model compares with the first on the same trials; arguments as for `results`."""
        names = [str(model.reference) for model in self.models]
        for (method, n_way), mine in outcomes.items():
            if method in names[1:]:
                first = outcomes[names[0], n_way]
                yield Comparison(
                    model=method,
                    against=names[0],
                    ways=n_way,
                    difference=float(mine.mean() - first.mean()),
                    ci95=difference_interval(mine, first, dependence[n_way]),
                    mcnemar_p=mcnemar_p(mine, first, dependence[n_way]),
                )


def _measure(task: _Task, store: Store, data: Artifact, staging: Staging) -> None:
    """Measure, and write what came of it."""
    measure = _verification if task.settings.protocol == "verification" else _oneshot
    with task.compute.tuned():
        results, comparisons, scores = measure(task)
    summary = EvaluationSummary(
        data=str(data.reference),
        source=source_of(data.manifest),
        models={str(model.reference): trained_on(store, model) for model in task.models},
        seed=task.settings.seed,
        device=str(task.compute.describe()["device"]),
        comparisons=tuple(comparisons),
        results=tuple(results),
    )
    write_evaluation(staging.path, summary, scores)
    staging.environment |= task.compute.describe()
    staging.summary |= _headline(task.settings, results)


def _oneshot(task: _Task) -> tuple[list[Result], list[Comparison], _Scores]:
    trials = _draw(task.data, task.settings)
    scores = dict(_scored(task, trials))
    outcomes: _Outcomes = {
        (method, n_way): correct_trials(found, n_way)
        for method, found in scores.items()
        for n_way in task.settings.ways
    }
    arrays: _Scores = {"trials": {"query": trials.query, "support": trials.support, "episode": trials.episode}}
    arrays |= {method: {"scores": found} for method, found in scores.items()}
    dependence: _Dependences = {
        n_way: dependence_of_trials(
            trials.query,
            trials.episode,
            count_questions(trials.query, trials.support[:, :n_way]),
            task.data.labels.character,
        )
        for n_way in task.settings.ways
    }
    results = list(task.results(outcomes, dependence, trials.query))
    return results, list(task.comparisons(outcomes, dependence)), arrays


def _draw(data: EvaluationData, settings: EvalSettings) -> Trials:
    n_way, rng = max(settings.ways), generator(settings.seed, "trials", settings.protocol, settings.on)
    if settings.protocol == "lake":
        if data.runs is None:
            raise SamplingError(
                "These images have no published runs, so the protocol 'lake' cannot be measured on them",
                hint="Use --protocol within, or --source omniglot.",
            )
        return trials_of_runs(data.runs, n_way, rng=rng)
    draw = draw_between
    if settings.protocol == "within":
        draw = draw_within if data.has_drawers else draw_within_by_class
    return draw(data.index(settings.on), settings.trials, n_way, settings.shots, rng=rng)


def _scored(task: _Task, trials: Trials) -> Iterator[tuple[str, NDArray[np.float32]]]:
    pixels = task.pixels(trials.query, trials.support)
    for model, network in task.networks():
        yield model, score_trials(network, pixels, trials, task.compute)
    if not task.settings.baselines:
        return
    seen = task.data.thumbnails(trials.query, trials.support) if task.data.has_photos else np.asarray(pixels)
    for baseline in task.settings.baselines:
        rng = generator(task.settings.seed, "baseline", baseline)
        yield baseline, score_baseline(baseline, seen, trials, rng=rng, on_progress=task.on_progress)


def _verification(task: _Task) -> tuple[list[Result], list[Comparison], _Scores]:
    validation, pairs = task.data.pairs("validation"), task.data.pairs(task.settings.on)
    if validation is None or pairs is None:
        raise SamplingError(
            "Verification needs validation pairs to choose its threshold from, and others to measure it on, but the "
            f"{'validation' if validation is None else task.settings.on} part of this split has none",
            hint="Use --protocol within, or prepare with a split that holds something out.",
        )
    pixels = task.pixels(validation.left, validation.right, pairs.left, pairs.right)
    outcomes: dict[str, Verification] = {}
    arrays: _Scores = {"pairs": {"left": pairs.left, "right": pairs.right, "same": pairs.same}}
    for model, network in task.networks():
        chosen_on = score_pairs(network, pixels, validation, task.compute)
        refuse_overflow(chosen_on, f"scores of {model}")
        threshold = best_threshold(chosen_on, validation.same)
        scores = score_pairs(network, pixels, pairs, task.compute)
        refuse_overflow(scores, f"scores of {model}")
        arrays[model] = {"scores": scores}
        outcomes[model] = verify(scores, pairs.same, threshold)
    correct: _Outcomes = {(model, None): outcome.correct for model, outcome in outcomes.items()}
    dependence: _Dependences = {None: dependence_of_pairs(pairs.left, pairs.right, task.data.labels.character)}
    results = [
        replace(result, threshold=outcome.threshold, equal_error_rate=outcome.equal_error_rate)
        for result, outcome in zip(task.results(correct, dependence, pairs.left), outcomes.values(), strict=True)
    ]
    return results, list(task.comparisons(correct, dependence)), arrays


def _headline(settings: EvalSettings, results: list[Result]) -> dict[str, Any]:
    """Return what a listing says of an evaluation: what was measured, and the accuracies at the most ways."""
    widest = max((result.ways or 0) for result in results)
    accuracies = {result.model: round(result.accuracy, 6) for result in results if (result.ways or 0) == widest}
    return {"protocol": settings.protocol, "on": settings.on, "accuracy": accuracies}
