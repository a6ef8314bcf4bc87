"""The sections of a page that show what a network does: its trials, its mistakes, and what is inside it."""

from collections.abc import Callable
from functools import partial

from omnishot.config import EvalSettings
from omnishot.drawing.picture import Picture
from omnishot.errors import InputError, UsageError
from omnishot.formats.evaluation_data import pairs_of_models
from omnishot.formats.manifest_fields import EvaluationFacts
from omnishot.progress import OnProgress, Progress
from omnishot.reporting.page.html import Section
from omnishot.reporting.page.missing import to_measure, ways_to_measure
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.pictures.network import activations_of, embedding_of, filters_of
from omnishot.reporting.pictures.trials import MeasuredTrials, Ranking, grid_of, has_trials, measured_trials, ranking_of
from omnishot.reporting.pictures.variants import variants_of
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store

_WAYS = (4, 9, 16, 20, 25)
"""Sizes of trial grids, as squares as it goes."""

_PROTOCOLS = ("lake", "within", "between")
_TRIALS, _RANKINGS, _INSIDE = "Trials", "Worst mistakes and narrowest successes", "What the network sees"
_EXPLAINED = {
    _TRIALS: "The trial of median margin: neither among the easy ones nor among the hard. A score is what the network "
    "says of two images, and only compares with other scores: the higher, the more alike. The margin is the score of "
    "the right character over that of the best wrong one.",
    _RANKINGS: "The mistakes with the largest margin, and the successes with the smallest.",
    _INSIDE: "What the first layer looks for, what every layer responds to in one image, where the images of one "
    "alphabet lie, and the variants of a training pair. In the map a line leads from each image to the middle of its "
    "character, and the colours only tell neighbours apart.",
}


def network_sections(subject: Subject, on_progress: OnProgress) -> list[Section]:
    """Return what there is to see of the network that was measured last.

    Args:
        subject: Of the page.
        on_progress: Receives progress.
    """
    drawn = dict(pictures_of(subject.store, subject.evaluations[::-1], on_progress))
    sections = [Section(title, text=(_EXPLAINED[title],), shown=drawn[title]) for title in drawn]
    if absent := [title for title in _EXPLAINED if title not in drawn and subject.models]:
        lacking = (
            f"{'; '.join(absent)}: cannot be drawn: they need one-shot trials, and the network and its pair dataset in "
            "the store"
        )
        settings = EvalSettings(ways=ways_to_measure(subject, "test"))
        missing = to_measure(subject, lacking, settings, aim="To make what is lacking")
        sections.append(Section("More pictures", shown=[missing]))
    return sections


def pictures_of(store: Store, evaluations: list[Artifact], on_progress: OnProgress) -> list[tuple[str, list[Picture]]]:
    """Draw what the page shows of the first model of some evaluations.

    Args:
        store: Where the evaluations, and what they were made from, are.
        evaluations: Any.
        on_progress: Receives progress.

    Returns:
        Titles of sections, and their pictures, each of another name. What cannot be drawn, as an artifact is gone or
        there is no such thing, is left out; a section without pictures too.
    """
    references = [parent.reference for item in evaluations for parent in item.manifest.parents]
    reference = next((reference for reference in references if reference.startswith("models/")), None)
    measured = _measured(store, evaluations, reference)
    sections = [
        (_TRIALS, _drawn(on_progress, "trials", *_grids(measured))),
        (_RANKINGS, _drawn(on_progress, "mistakes", *_rankings(measured))),
    ]
    try:
        model = store.find(reference, "models") if reference else None
    except InputError:
        model = None
    if model:
        inside = (
            lambda: filters_of([model]),
            lambda: activations_of(store, model),
            lambda: embedding_of(store, model),
            lambda: variants_of(pairs_of_models(store, [model])),
        )
        sections.append((_INSIDE, _drawn(on_progress, "what the network sees", *inside)))
    return [(title, pictures) for title, pictures in sections if pictures]


def _drawn(on_progress: OnProgress, what: str, *draw: Callable[[], Picture | None]) -> list[Picture]:
    on_progress(Progress(f"Drawing {what}", 0, 0))
    pictures = []
    for one in draw:
        try:
            picture = one()
        except (InputError, UsageError):
            continue
        if picture:
            pictures.append(picture)
    return pictures


def _measured(store: Store, evaluations: list[Artifact], model: str | None) -> list[MeasuredTrials]:
    """Return the trials of the model, those on test images and by the official protocol first."""
    found = []
    for evaluation in evaluations:
        try:
            if has_trials(evaluation):
                found.append((_preference(evaluation), measured_trials(store, evaluation, model)))
        except (InputError, UsageError):
            continue
    return [measured for _, measured in sorted(found, key=lambda pair: pair[0])]


def _preference(evaluation: Artifact) -> tuple[bool, int]:
    asked = EvaluationFacts.of(evaluation.manifest).settings
    return asked.on != "test", _PROTOCOLS.index(asked.protocol) if asked.protocol in _PROTOCOLS else len(_PROTOCOLS)


def _grids(measured: list[MeasuredTrials]) -> list[Callable[[], Picture | None]]:
    most = max((trials.most_ways for trials in measured), default=0)
    ways = [n_way for n_way in _WAYS if n_way <= most] or [most] * bool(measured)
    return [partial(grid_of, next(item for item in measured if item.most_ways >= n), n_way=n) for n in ways]


def _rankings(measured: list[MeasuredTrials]) -> list[Callable[[], Picture | None]]:
    rankings: tuple[Ranking, ...] = ("mistakes", "successes")
    return [partial(ranking_of, item, ranking) for item in measured[:1] for ranking in rankings]
