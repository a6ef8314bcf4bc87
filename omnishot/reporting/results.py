"""What is reported: the evaluations that were named, and every result in them with what has to be said beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from omnishot.formats.evaluation import Comparison, Result, TrainedOn, read_summary
from omnishot.reporting.pixels import losses_to_pixels, widest_losses
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import Parent
from omnishot.store.store import Store
from omnishot.vocabulary import BASELINES
from omnishot.wording import with_questions


@dataclass(frozen=True, slots=True)
class Measured:
    """One result with what its evaluation says of it.

    Attributes:
        result: The accuracy.
        evaluation: Reference of the evaluation.
        data: Reference of the data it was measured on.
        source: Source of that data's images.
        seed: Seed of the trials.
        device: Where the network ran.
        trained_on: What the model had seen; None for baselines.
        paired: The comparison with the first model of the evaluation, where this is a later one.
        loss: That it is worse than comparing pixels, in a sentence, or an empty text.
    """

    result: Result
    evaluation: str
    data: str
    source: str
    seed: int
    device: str
    trained_on: TrainedOn | None = None
    paired: Comparison | None = None
    loss: str = ""


def trials_of(result: Result) -> str:
    """Return the number of trials, and of different questions among them where trials repeat."""
    return with_questions(result.trials, result.questions)


def is_baseline(method: str) -> bool:
    """Tell baselines from models."""
    return method in BASELINES


def choose_evaluations(store: Store, references: list[str]) -> list[Artifact]:
    """Return the evaluations that the user named, or all evaluations of the models in the newest one.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: One that may be among them cannot be read.
    """
    if references:
        return [store.find(text, "evals") for text in references]
    newest = store.newest("evals")
    models = _models(newest)
    return [
        artifact
        for artifact in store.artifacts("evals")
        if artifact == newest or any(_are_one(mine, other) for mine in _models(artifact) for other in models)
    ]


def _models(evaluation: Artifact) -> list[Parent]:
    return [parent for parent in evaluation.manifest.parents if parent.reference.startswith("models/")]


def _are_one(one: Parent, other: Parent) -> bool:
    """Tell whether two evaluations measured the same model, and not one that was trained later under its name."""
    is_known = one.content is not None and other.content is not None
    return (one.reference, one.recipe) == (other.reference, other.recipe) and (
        one.content == other.content or not is_known
    )


def measured_in(evaluations: list[Artifact]) -> list[Measured]:
    """Return every result of the evaluations; where two measured the same thing on the same data, the later one."""
    found: dict[tuple[object, ...], Measured] = {}
    for evaluation in evaluations:
        summary = read_summary(evaluation.file("summary.json"))
        losses = losses_to_pixels(evaluation, summary)
        paired = {(comparison.model, comparison.ways): comparison for comparison in summary.comparisons}
        for result in summary.results:
            item = Measured(
                result=result,
                evaluation=str(evaluation.reference),
                data=summary.data,
                source=summary.source,
                seed=summary.seed,
                device=summary.device,
                trained_on=summary.models.get(result.model),
                paired=paired.get((result.model, result.ways)),
                loss=losses.get((result.model, result.ways), ""),
            )
            what = (result.model, result.protocol, result.on, result.ways, result.shots, result.trials)
            key = (summary.data, summary.seed, *what)
            found.pop(key, None)
            found[key] = item
    return list(found.values())


def losses_in(items: Sequence[Measured]) -> tuple[str, ...]:
    """Return what is worse than comparing pixels, a sentence for each network."""
    return widest_losses([(item.result.model, item.result.ways, item.loss) for item in items])


def describe_training(trained_on: TrainedOn | None) -> str:
    """Return in a few words what a model was trained on."""
    return "nothing" if trained_on is None else trained_on.in_words
