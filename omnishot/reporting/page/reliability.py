"""The section of a page on where a network errs: by alphabet, by character, by threshold."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from omnishot.config import EvalSettings, usual_baselines
from omnishot.data.image_set import Labels
from omnishot.drawing.picture import Picture
from omnishot.drawing.reliability import (
    MOST_CHARACTERS,
    alphabets_chart,
    confusion_chart,
    roc_chart,
    similarity_chart,
)
from omnishot.errors import DamagedFileError, OmnishotError
from omnishot.evaluation.breakdown import accuracy_by_group, chosen_column, roc
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.scores import TrialScores, read_pair_scores, read_trial_scores
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import nothing, to_measure, to_repeat, to_restore, to_verify
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import Measured
from omnishot.store.artifact import Artifact
from omnishot.vocabulary import BUILT_IN_SOURCES

_MOST_MODELS = 4
_ALPHABETS = "alphabets-"


def reliability_section(subject: Subject) -> Section:
    """Return accuracy by alphabet, confusions, and how well same pairs are told from different ones."""
    shown = [part for model in subject.models[:_MOST_MODELS] for part in _shown_of(subject, model)]
    if not subject.models:
        shown = [nothing("No network was measured, so that there are no errors to show")]
    pictures = [part for part in shown if isinstance(part, Picture)]
    text = _explained(subject, pictures) if pictures else ()
    return Section("Reliability", text=text, shown=shown)


def _explained(subject: Subject, pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Return what a reader of the pictures has to know."""
    intervals = ""
    if any(picture.name.startswith(_ALPHABETS) for picture in pictures):
        intervals = (
            "Accuracy by alphabet has Wilson's 95 % intervals over queries, as an alphabet has too few runs to "
            "resample."
        )
    models = subject.models[:_MOST_MODELS]
    if any(item.result.protocol == "lake" for model in models for item in _chosen(subject, model)):
        intervals += " Of protocol lake they are somewhat too narrow, as the queries of a run share their support set."
    left_out = (
        f"Classes that were never mistaken are left out of a confusion, and beyond {MOST_CHARACTERS} those that "
        "were least often."
    )
    if len(subject.models) == len(models):
        return (f"{intervals} {left_out}".lstrip(),)
    return (
        f"{intervals} {left_out}".lstrip(),
        f"Shown for {', '.join(models)}; name other evaluations to see the others.",
    )


def _shown_of(subject: Subject, model: str) -> Iterator[Picture | Command]:
    """Yield the pictures of a model, and what they lack."""
    chosen = _chosen(subject, model)
    for item in chosen:
        yield from _try(subject, item)
    if not any(item.result.ways is None for item in chosen):
        lacking = f"{model} was not measured at verification, so that there are no similarities to show"
        yield to_verify(subject, lacking, model=model)
    if not any(item.result.ways for item in chosen):
        lacking = f"{model} was not measured in one-shot trials on test images, so that no classes can be told apart"
        yield to_measure(subject, lacking, EvalSettings(ways=(20,), baselines=usual_baselines("within")), model=model)


def _chosen(subject: Subject, model: str) -> list[Measured]:
    """Return for each task that has alphabets or thresholds the result on test images that says most.

    A task is a protocol with some shots on the images of one source. Most trials say most, then the latest evaluation,
    and of that the most ways.
    """
    found: dict[tuple[str, str, int | None], Measured] = {}
    for item in subject.measured:
        result = item.result
        if result.model == model and result.on == "test" and result.protocol != "between":
            task = item.source, result.protocol, result.shots
            if task not in found or _says_more(item, found[task]):
                found[task] = item
    order = ("lake", "within", "verification")
    return [item for protocol in order for item in found.values() if item.result.protocol == protocol]


def _says_more(item: Measured, before: Measured) -> bool:
    """Compare a result with an earlier one of the same task."""
    if item.result.trials != before.result.trials:
        return item.result.trials > before.result.trials
    return item.evaluation != before.evaluation or (item.result.ways or 0) > (before.result.ways or 0)


def _try(subject: Subject, item: Measured) -> Sequence[Picture | Command]:
    """Return the pictures of one result, or what they lack."""
    evaluation = subject.evaluation(item)
    try:
        if item.result.ways is None:
            return _verification(item, evaluation)
        if data := subject.data_of(evaluation):
            return _one_shot(item, evaluation, data)
        return [to_restore(subject, item.data, f", so that nobody knows what the queries of {item.evaluation} show")]
    except OmnishotError as error:
        return [to_repeat(subject, evaluation, f"Where {item.result.model} errs cannot be shown", error=error)]


def _one_shot(item: Measured, evaluation: Artifact, data: Artifact) -> tuple[Picture, ...]:
    result, labels = item.result, EvaluationData.read(data).labels
    trials = read_trial_scores(evaluation.file("scores.h5"), [result.model], n_images=len(labels))
    if result.model not in trials.scores or result.ways is None:
        raise DamagedFileError(f"{evaluation.reference} holds no scores of {result.model}")
    chosen = chosen_column(trials.scores[result.model][:, : result.ways])
    alphabet = labels.alphabet[trials.query]
    found = accuracy_by_group(chosen == 0, alphabet)
    place = _place(evaluation, result.model)
    shots = "" if result.shots == 1 else f" {result.shots}-shot"
    model = result.model.removeprefix("models/")
    said = f"{model}, {result.ways}-way{shots}, protocol {result.protocol}, images of {item.source}"
    has_alphabets = item.source in BUILT_IN_SOURCES or len(labels.alphabet_names) > 1
    pictures = []
    if has_alphabets:
        title = f"Accuracy by alphabet: {said}"
        pictures.append(alphabets_chart(f"{_ALPHABETS}{place}", title, found, labels.alphabet_names))
    worst = found[0]
    if worst.correct < worst.trials:
        where = f" within {labels.alphabet_names[worst.group].replace('_', ' ')}" if has_alphabets else ""
        counts = _confusions(trials, chosen, labels, alphabet == worst.group)
        pictures.append(confusion_chart(f"confusion-{place}", f"Mistakes{where}: {said}", counts))
    return tuple(pictures)


def _place(evaluation: Artifact, model: str) -> str:
    """Return what ends the names of a model's pictures, each of which may come once on a page."""
    return f"{evaluation.manifest.name}-{evaluation.manifest.version}-{model.replace('/', '-').replace(':', '-')}"


def _confusions(
    trials: TrialScores, chosen: NDArray[np.int64], labels: Labels, among: NDArray[np.bool_]
) -> dict[tuple[str, str], int]:
    """Return how often each character of some trials was taken for which."""
    taken = labels.character[trials.support[np.arange(len(chosen)), chosen, 0]]
    truth = labels.character[trials.query]
    counts = Counter(zip(truth[among].tolist(), taken[among].tolist(), strict=True))
    names = short_names(labels, {character for pair in counts for character in pair})
    return {(names[a], names[b]): n for (a, b), n in counts.items()}


def short_names(labels: Labels, characters: set[int]) -> dict[int, str]:
    """Return names of characters without their alphabet, or whole ones where two of those would be alike."""
    whole = {character: labels.character_names[character] for character in characters}
    short = {character: name.rpartition("/")[2].removeprefix("character") for character, name in whole.items()}
    return short if len(set(short.values())) == len(short) else whole


def _verification(item: Measured, evaluation: Artifact) -> tuple[Picture, ...]:
    result = item.result
    pairs = read_pair_scores(evaluation.file("scores.h5"), [result.model])
    if result.model not in pairs.scores or not 0 < pairs.same.sum() < len(pairs.same):
        raise DamagedFileError(f"{evaluation.reference} holds no scores of {result.model}, or pairs of one sort only")
    scores, same = pairs.scores[result.model], pairs.same
    threshold = result.threshold or 0.0
    accepted = scores > threshold
    chosen = float(accepted[~same].mean()), float(accepted[same].mean())
    place = _place(evaluation, result.model)
    said = f"{result.model.removeprefix('models/')}, {result.trials:,} pairs of {item.source}"
    return (
        similarity_chart(f"similarity-{place}", f"Similarity of pairs: {said}", scores, same, threshold),
        roc_chart(
            f"roc-{place}",
            f"Receiver operating characteristic: {said}",
            roc(scores, same),
            chosen,
            accuracy=result.accuracy,
            equal_error_rate=result.equal_error_rate or 0.0,
        ),
    )
