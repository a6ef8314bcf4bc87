"""The sections of a page that show what a network does: its trials, its mistakes, and what is inside it."""

from collections.abc import Callable, Sequence
from functools import partial

from omnishot.config import EvalSettings, usual_baselines
from omnishot.drawing.picture import Picture
from omnishot.errors import NotFoundError, OmnishotError, UsageError
from omnishot.formats.evaluation_data import pairs_of_models
from omnishot.formats.manifest_fields import EvaluationFacts, PairsFacts
from omnishot.progress import OnProgress, Progress
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import not_drawn, nothing, to_measure, to_vary, ways_to_measure
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.pictures.network import activations_of, embedding_of, filters_of, refuse_pretrained
from omnishot.reporting.pictures.trials import MeasuredTrials, Ranking, grid_of, has_trials, measured_trials, ranking_of
from omnishot.reporting.pictures.variants import variants_of
from omnishot.store.artifact import Artifact

Part = Picture | Command
"""A picture, or what is said in its place."""

Drawings = dict[str, Callable[[], Sequence[Part | None]]]
"""What draws pictures, by what they are called where they cannot be drawn; it returns None where there is none."""

_WAYS = (4, 9, 16, 20, 25)
"""Sizes of trial grids, as squares as it goes."""

_PROTOCOLS = ("lake", "within", "between")
_TRIALS, _RANKINGS, _INSIDE = "Trials", "Worst mistakes and narrowest successes", "What the network sees"
_EXPLAINED = {
    _TRIALS: "The trial of median margin: neither among the easy ones nor among the hard. A score is what the network "
    "says of two images, and only compares with other scores: the higher, the more alike. The margin is the score of "
    "the right class over that of the best wrong one.",
    _RANKINGS: "The mistakes with the largest margin, and the successes with the smallest.",
    _INSIDE: "What the first layer looks for, what every layer responds to in one image, where the images of "
    "some classes lie, and the variants of a training pair. In the map a line leads from each image to the middle of "
    "its class, and the colours only tell neighbours apart.",
}


def network_sections(subject: Subject, on_progress: OnProgress) -> list[Section]:
    """Return what there is to see of the network that was measured last."""
    drawn = dict(pictures_of(subject, on_progress))
    sections = []
    for title, shown in drawn.items():
        is_drawn = any(isinstance(part, Picture) for part in shown)
        sections.append(Section(title, text=(_EXPLAINED[title],) if is_drawn else (), shown=shown))
    if absent := [title for title in _EXPLAINED if title not in drawn and subject.models]:
        lacking = (
            f"{'; '.join(absent)}: cannot be drawn: they need one-shot trials, and the network and its pair dataset in "
            "the store"
        )
        settings = EvalSettings(ways=ways_to_measure(subject, "test"), baselines=usual_baselines("within"))
        missing = to_measure(subject, lacking, settings, aim="To make what is lacking")
        sections.append(Section("More pictures", shown=[missing]))
    return sections


def pictures_of(subject: Subject, on_progress: OnProgress) -> list[tuple[str, list[Part]]]:
    """Draw what the page shows of its first model: titles of sections, and their pictures, each of another name.

    Of what cannot be drawn it is said why; it is left out where an artifact is gone or there is no such thing, and so
    is a section without anything.
    """
    measured, unread = _measured(subject)
    sections = [
        (_TRIALS, unread + _drawn(on_progress, "trials", _grids(measured))),
        (_RANKINGS, _drawn(on_progress, "mistakes", _rankings(measured))),
        (_INSIDE, _drawn(on_progress, "what the network sees", _inside(subject))),
    ]
    return [(title, shown) for title, shown in sections if shown]


def _drawn(on_progress: OnProgress, what: str, drawings: Drawings) -> list[Part]:
    on_progress(Progress(f"Drawing {what}", 0, 0))
    shown: list[Part] = []
    for name, draw in drawings.items():
        try:
            shown += [part for part in draw() if part]
        except (NotFoundError, UsageError):
            continue
        except OmnishotError as error:
            shown.append(not_drawn(name, error))
    return shown


def _measured(subject: Subject) -> tuple[list[MeasuredTrials], list[Part]]:
    """Return the trials of the first model, and why some cannot be read.

    Those on test images come first, and of them those by the official protocol.
    """
    found: list[tuple[tuple[bool, int], MeasuredTrials]] = []
    unread: list[Part] = []
    for evaluation in reversed(subject.evaluations):
        try:
            if has_trials(evaluation):
                trials = measured_trials(subject.store, evaluation, subject.first_model)
                found.append((_preference(evaluation), trials))
        except (NotFoundError, UsageError):
            continue
        except OmnishotError as error:
            unread.append(not_drawn(f"Trials of {evaluation.reference}", error))
    return [measured for _, measured in sorted(found, key=lambda pair: pair[0])], unread


def _preference(evaluation: Artifact) -> tuple[bool, int]:
    asked = EvaluationFacts.of(evaluation.manifest).settings
    return asked.on != "test", _PROTOCOLS.index(asked.protocol) if asked.protocol in _PROTOCOLS else len(_PROTOCOLS)


def _grids(measured: list[MeasuredTrials]) -> Drawings:
    most = max((trials.most_ways for trials in measured), default=0)
    ways = [n_way for n_way in _WAYS if n_way <= most] or [most] * bool(measured)

    def grid(n_way: int) -> list[Part | None]:
        return [grid_of(next(item for item in measured if item.most_ways >= n_way), n_way=n_way)]

    return {f"A {n_way}-way trial": partial(grid, n_way) for n_way in ways}


def _rankings(measured: list[MeasuredTrials]) -> Drawings:
    rankings: tuple[Ranking, ...] = ("mistakes", "successes")

    def ranked(ranking: Ranking) -> list[Part | None]:
        return [ranking_of(measured[0], ranking)]

    return {f"The {ranking}": partial(ranked, ranking) for ranking in rankings if measured}


def _inside(subject: Subject) -> Drawings:
    reference, store = subject.first_model, subject.store
    if reference is None:
        return {}

    def model() -> Artifact:
        return store.find(reference, "models")

    def variants() -> list[Part | None]:
        pairs = pairs_of_models(store, [model()])
        picture = variants_of(pairs)
        return [picture] if PairsFacts.of(pairs.manifest).settings.affine else [picture, to_vary(subject, pairs)]

    embeddings: Drawings = {"The map of embeddings": lambda: [embedding_of(store, model())]}
    try:
        refuse_pretrained(model(), "First-layer filters, activation maps and affine variants")
    except UsageError as error:
        return {**embeddings, "The rest": partial(list, [nothing(f"{error}")])}
    except OmnishotError:
        pass  # What cannot be read is said where it is drawn.
    return {
        "First-layer filters": lambda: [filters_of([model()])],
        "Activation maps": lambda: [activations_of(store, model())],
        **embeddings,
        "A training pair": variants,
    }
