"""run: prepare, train and evaluate in a row, with what is measured chosen by the data."""

from collections.abc import Callable
from dataclasses import dataclass

from omnishot.config import EvalSettings, PrepareSettings, usual_baselines
from omnishot.data.episodes import most_ways
from omnishot.data.sources import Source
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import PairsFacts, says_who_drew
from omnishot.stages.evaluate import evaluate
from omnishot.stages.photo_source import as_photos, source_of_photos
from omnishot.stages.prepare import prepare
from omnishot.stages.produce import StageResult
from omnishot.stages.train import USUAL_OPTIONS, RunOptions, train
from omnishot.stages.training_settings import Training, choose_training
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.vocabulary import BASELINES, DeviceName, SplitPart

_SWEEP_TRIALS = 1000
_MOST_WAYS = 20
_SWEPT: tuple[SplitPart, ...] = ("test", "train")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run made, in the order in which it was made."""

    pairs: StageResult
    model: StageResult
    evaluations: tuple[StageResult, ...]


def run(
    store: Store,
    training: Training | None = None,
    settings: PrepareSettings | None = None,
    *,
    source: str | Source = "auto",
    device: DeviceName = "auto",
    force: bool = False,
    options: RunOptions = USUAL_OPTIONS,
    on_result: Callable[[StageResult], None] = lambda result: None,
) -> RunResult:
    """Make a pair dataset, train on it, and measure what its split allows.

    Args:
        store: Where the artifacts go.
        training: What to train; by default the preset for the device.
        settings: Of the pair dataset, whose seed is also that of the trials. A split that they do not name follows the
            preset: `koch` for the koch presets, as in the paper; for the others `lake` without holdout, as their
            settings are chosen already.
        source: The images, or their name or path as for `open_source`.
        device: Where to train and measure.
        force: Make new versions of everything.
        options: How the training proceeds; its `on_progress` receives the progress of all stages.
        on_result: Receives what a stage made as soon as it is made.

    Raises:
        OmnishotError: What the stages raise.
    """
    if training is None:
        training = choose_training(
            device=device, is_photos=lambda: source_of_photos(source, store.tell), tell=store.tell
        )
    source = as_photos(source, training.settings)
    settings = settings or PrepareSettings()
    preferred = {"split": "koch"} if training.origin.startswith("koch") else {"split": "lake", "holdout": "none"}
    on_progress = options.on_progress
    pairs = prepare(store, settings, source=source, preferred=preferred, force=force, on_progress=on_progress)
    on_result(pairs)
    model = train(
        store, pairs.artifact, training.settings, name=training.name, device=device, force=force, options=options
    )
    on_result(model)
    evaluations = []
    for measurement in _measurements(store, pairs.artifact, seed=settings.seed):
        made = evaluate(
            store, [model.artifact], pairs.artifact, measurement, device=device, force=force, on_progress=on_progress
        )
        on_result(made)
        evaluations.append(made)
    return RunResult(pairs, model, tuple(evaluations))


def _measurements(store: Store, pairs: Artifact, *, seed: int) -> list[EvalSettings]:
    """Return what can be measured on a pair dataset; trials within alphabets are drawn from training images too."""
    found = PairsFacts.of(pairs.manifest).summary
    ways = _ways_of_parts(pairs)
    sweep = EvalSettings(
        protocol="within", ways=tuple(range(1, min(ways.values(), default=1) + 1)), trials=_SWEEP_TRIALS,
        baselines=usual_baselines("within") if PairsFacts.of(pairs.manifest).has_photos else BASELINES, seed=seed,
    )  # fmt: skip
    chosen = [EvalSettings(protocol="lake", ways=(20,), seed=seed)] if found.runs else []
    if "test" in ways:
        chosen.append(sweep)
    else:
        store.tell("One-shot accuracy is not measured on the test part: no class of it has 2 images that differ")
    if "train" in ways:
        chosen.append(sweep.model_copy(update={"on": "train", "baselines": ()}))
    if "validation" in found.pairs:
        chosen.append(EvalSettings(protocol="verification", seed=seed))
    else:
        store.tell("Verification is not measured: its threshold needs a split that holds something out, as koch does")
    return chosen


def _ways_of_parts(pairs: Artifact) -> dict[str, int]:
    """Return how many ways to measure on the test and the training part, of which one without trials is left out."""
    if says_who_drew(pairs.manifest):
        found = PairsFacts.of(pairs.manifest).summary
        return {part: min(_MOST_WAYS, found.largest_alphabet.get(part, _MOST_WAYS)) for part in _SWEPT}
    data = EvaluationData.read(pairs)
    most = {part: min(_MOST_WAYS, most_ways(data.index(part), "within", 1)) for part in _SWEPT}
    return {part: ways for part, ways in most.items() if ways}
