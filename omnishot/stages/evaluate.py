"""eval: models and baselines become an `evals` artifact with accuracies and every query's scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.config import EvalSettings
from omnishot.data.episodes import Trials, draw_between, draw_within, trials_of_runs
from omnishot.errors import SamplingError
from omnishot.evaluation.baselines import score_baseline
from omnishot.evaluation.intervals import accuracy_interval, difference_interval
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.evaluation.verification import best_threshold, score_pairs, verify
from omnishot.formats.evaluation import Comparison, EvaluationSummary, Result, TrainedOn, write_evaluation
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import ModelFacts, PairsFacts, source_of
from omnishot.formats.model import read_model
from omnishot.model.device import Compute, choose_compute
from omnishot.naming import evaluation_name
from omnishot.progress import OnProgress, Progress, silent
from omnishot.seeding import generator
from omnishot.stages.evaluation_settings import (
    choose_data,
    choose_models,
    complete,
    refuse_what_cannot_be_measured,
)
from omnishot.stages.produce import StageResult, produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName

_RECIPE = 1

_Scores = dict[str, dict[str, NDArray[Any]]]
_Outcomes = dict[tuple[str, int | None], NDArray[np.bool_]]
"""Which trials a method has right at a number of ways, or at verification; shape (n_trials,)."""


def evaluate(
    store: Store,
    models: Sequence[Artifact] | None = None,
    data: Artifact | None = None,
    settings: EvalSettings | None = None,
    *,
    source_name: str | None = None,
    data_folder: Path | None = None,
    offline: bool | None = None,
    name: str | None = None,
    device: DeviceName = "auto",
    force: bool = False,
    on_progress: OnProgress = silent,
) -> StageResult:
    """Measure models and baselines on the same trials.

    Args:
        store: Where the evaluation goes.
        models: The models, by default the newest; an empty list measures the baselines alone.
        data: A pair dataset, or images that are divided as `prepare` would by default. By default what `source_name`
            names, else the pair dataset that the models were trained with.
        settings: What to measure; `complete` chooses the protocol, ways and baselines that they do not name.
        source_name: Where images come from, as for `open_source`.
        data_folder: Where data sets lie, as for `open_source`.
        offline: Forbids downloads, as for `open_source`.
        name: Name of the evaluation; by default it says the first model, the protocol, and the images where others.
        device: Where to run the networks.
        force: Measure again even if it was done before.
        on_progress: Receives progress.

    Raises:
        OmnishotError: The data does not allow the trials.
    """
    models = choose_models(store, models, has_images=bool(data or source_name))
    data = data or choose_data(
        store, models, source_name=source_name, data_folder=data_folder, offline=offline, on_progress=on_progress
    )
    settings = complete(settings or EvalSettings(), data.manifest)
    refuse_what_cannot_be_measured(settings, models)
    images_name = data.manifest.name if data.manifest.kind == "images" else None
    usual_name = evaluation_name(models[0].manifest.name if models else None, settings, source=images_name)
    name = check_name(usual_name if name is None else name)
    compute = choose_compute(device, "fp32")  # The same figures on every machine, as near as it goes.
    parents = [artifact.as_parent() for artifact in (*models, data)]
    recipe = Recipe("evals", _RECIPE, settings.model_dump(mode="json"), parents)

    def build(staging: Staging) -> None:
        on_progress(Progress("Reading images", 0, 0))
        images = EvaluationData.read(data)
        measure = _verification if settings.protocol == "verification" else _oneshot
        with compute.tuned():
            results, comparisons, scores = measure(models, images, settings, compute, on_progress)
        summary = EvaluationSummary(
            data=str(data.reference),
            source=source_of(data.manifest),
            models={str(model.reference): trained_on(store, model) for model in models},
            seed=settings.seed,
            device=str(compute.describe()["device"]),
            comparisons=tuple(comparisons),
            results=tuple(results),
        )
        write_evaluation(staging.path, summary, scores)
        staging.environment |= compute.describe()
        staging.summary |= {"protocol": settings.protocol, "on": settings.on, "accuracy": _headline(results)}

    return produce(store, recipe, name, build, force=force)


def _oneshot(
    models: list[Artifact], data: EvaluationData, settings: EvalSettings, compute: Compute, on_progress: OnProgress
) -> tuple[list[Result], list[Comparison], _Scores]:
    trials = _draw(data, settings)
    arrays: _Scores = {"trials": {"query": trials.query, "support": trials.support, "episode": trials.episode}}
    for method, scores in _scored(models, data, trials, settings, compute, on_progress):
        arrays[method] = {"scores": scores}
    n_alphabets = len(np.unique(data.labels.alphabet[trials.query]))
    results = []
    outcomes: _Outcomes = {}
    for method in list(arrays)[1:]:
        for n_way in settings.ways:
            correct = outcomes[method, n_way] = correct_trials(arrays[method]["scores"], n_way)
            rng = generator(settings.seed, "bootstrap", n_way)
            results.append(
                Result(
                    model=method,
                    protocol=settings.protocol,
                    on=settings.on,
                    ways=n_way,
                    shots=settings.shots,
                    trials=len(trials),
                    correct=int(correct.sum()),
                    accuracy=float(correct.mean()),
                    ci95=accuracy_interval(correct, trials.episode, rng),
                    alphabets=n_alphabets,
                )
            )
    return results, _compared(models, outcomes, trials.episode, settings.seed), arrays


def _draw(data: EvaluationData, settings: EvalSettings) -> Trials:
    n_way, rng = max(settings.ways), generator(settings.seed, "trials", settings.protocol, settings.on)
    if settings.protocol == "lake":
        if data.runs is None:
            raise SamplingError(
                "These images have no published runs, so the protocol 'lake' cannot be measured on them",
                hint="Use --protocol within, or --source omniglot.",
            )
        return trials_of_runs(data.runs, n_way, rng=rng)
    draw = draw_within if settings.protocol == "within" else draw_between
    return draw(data.index(settings.on), settings.trials, n_way, settings.shots, rng=rng)


def _scored(
    models: list[Artifact],
    data: EvaluationData,
    trials: Trials,
    settings: EvalSettings,
    compute: Compute,
    on_progress: OnProgress,
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    chosen = data.pixels(trials.query, trials.support)
    pixels = torch.from_numpy(chosen)
    for model in models:
        on_progress(Progress(f"Measuring {model.reference}", 0, 0))
        network = read_model(model.file("weights.safetensors"), model.file("config.yaml")).to(compute.device)
        yield str(model.reference), score_trials(network, pixels, trials, compute)
    for baseline in settings.baselines:
        rng = generator(settings.seed, "baseline", baseline)
        yield baseline, score_baseline(baseline, chosen, trials, rng=rng, on_progress=on_progress)


def _compared(models: list[Artifact], outcomes: _Outcomes, episode: NDArray[np.int32], seed: int) -> list[Comparison]:
    """Compare every later model with the first on the same trials.

    Args:
        models: The models; the first one is what the others are compared with.
        outcomes: Which trials each method has right, shape (n_trials,).
        episode: Trials of one number are resampled together, shape (n_trials,).
        seed: Seed of the bootstrap.
    """
    rows = []
    for model in models[1:]:
        name, against = str(model.reference), str(models[0].reference)
        for n_way in (ways for method, ways in outcomes if method == name):
            mine, first = outcomes[name, n_way], outcomes[against, n_way]
            ci95 = difference_interval(mine, first, episode, generator(seed, "paired", n_way or "verification"))
            difference = float(mine.mean() - first.mean())
            rows.append(Comparison(model=name, against=against, ways=n_way, difference=difference, ci95=ci95))
    return rows


def _verification(
    models: list[Artifact], data: EvaluationData, settings: EvalSettings, compute: Compute, on_progress: OnProgress
) -> tuple[list[Result], list[Comparison], _Scores]:
    validation, pairs = data.pairs("validation"), data.pairs(settings.on)
    if validation is None or pairs is None:
        raise SamplingError(
            "Verification needs validation pairs to choose its threshold from, but this split holds nothing out",
            hint="Prepare without --holdout none.",
        )
    pixels = torch.from_numpy(data.pixels(validation.left, validation.right, pairs.left, pairs.right))
    results: list[Result] = []
    outcomes: _Outcomes = {}
    pair = np.arange(len(pairs), dtype=np.int32)
    arrays: _Scores = {"pairs": {"left": pairs.left, "right": pairs.right, "same": pairs.same}}
    for model in models:
        on_progress(Progress(f"Verifying with {model.reference}", 0, 0))
        network = read_model(model.file("weights.safetensors"), model.file("config.yaml")).to(compute.device)
        threshold = best_threshold(score_pairs(network, pixels, validation, compute), validation.same)
        scores = score_pairs(network, pixels, pairs, compute)
        outcome = verify(scores, pairs.same, threshold)
        arrays[str(model.reference)] = {"scores": scores}
        outcomes[str(model.reference), None] = outcome.correct
        rng = generator(settings.seed, "bootstrap", "verification")
        results.append(
            Result(
                model=str(model.reference),
                protocol="verification",
                on=settings.on,
                ways=None,
                shots=None,
                trials=len(pairs),
                correct=int(outcome.correct.sum()),
                accuracy=float(outcome.correct.mean()),
                ci95=accuracy_interval(outcome.correct, pair, rng),
                alphabets=len(np.unique(data.labels.alphabet[pairs.left])),
                threshold=threshold,
                equal_error_rate=outcome.equal_error_rate,
            )
        )
    return results, _compared(models, outcomes, pair, settings.seed), arrays


def _headline(results: list[Result]) -> dict[str, float]:
    widest = max((result.ways or 0) for result in results)
    return {result.model: round(result.accuracy, 6) for result in results if (result.ways or 0) == widest}


def trained_on(store: Store, model: Artifact) -> TrainedOn:
    """Return what has to be said beside a model's results: the data it was trained on, and its own settings."""
    parent = model.manifest.parent("pairs")
    found = store.parent(parent) if parent else None
    own = ModelFacts.of(model.manifest).settings
    pairs = parent.reference if parent else None
    if found is None:
        return TrainedOn(pairs=pairs, seed=own.seed, twin=own.twin, objective=own.objective.kind)
    facts = PairsFacts.of(found.manifest)
    return TrainedOn(
        pairs=pairs,
        seed=own.seed,
        twin=own.twin,
        objective=own.objective.kind,
        source=facts.summary.source,
        train_alphabets=facts.summary.train_alphabets,
        train_drawers=facts.summary.train_drawers,
        validation_alphabets=facts.summary.validation_alphabets,
        validation_drawers=facts.summary.validation_drawers,
        split=facts.settings.split,
        holdout=facts.settings.holdout,
        affine=facts.settings.affine,
        train_pairs=facts.settings.pairs,
    )
