"""All pictures of what a network does, for the page; those of pair datasets, for themselves."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.data.render import affine_matrices, render
from omnishot.drawing.picture import Picture
from omnishot.drawing.variants import affine_variants
from omnishot.errors import InputError, SamplingError, UsageError
from omnishot.formats.evaluation_data import pairs_of_models
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels
from omnishot.formats.pairs import read_pairs, read_variants
from omnishot.progress import OnProgress, Progress
from omnishot.reporting.pictures.network import activations_of, embedding_of, filters_of, what_is
from omnishot.reporting.pictures.trials import MeasuredTrials, Ranking, grid_of, has_trials, measured_trials, ranking_of
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store

WAYS = (4, 9, 16, 20, 25)
"""Sizes of trial grids, as squares as it goes."""

TRIALS, RANKINGS, INSIDE = "Trials", "Worst mistakes and narrowest successes", "What the network sees"
"""Titles of the parts in which pictures stand."""

_MOST_VARIANTS = 9
_PROTOCOLS = ("lake", "within", "between")


def variants_of(pairs: Artifact, number: int | None = None) -> Picture:
    """Draw one training pair and its affine variants.

    Args:
        pairs: A pair dataset.
        number: Which pair, counted from 0; the first one of a single character without it.

    Raises:
        UsageError: There are not as many pairs.
        DamagedFileError: A file does not hold what it should.
    """
    with open_hdf5(pairs.file("pairs.h5")) as file:
        drawn = read_pairs(file, "train")
        if drawn is None:
            raise SamplingError(f"{pairs.reference} holds no training pairs")
        number = int(drawn.same.argmax()) if number is None else number
        if not 0 <= number < len(drawn):
            raise UsageError(f"--pair {number}: there are training pairs 0 to {len(drawn) - 1:,}")
        both = np.array([drawn.left[number], drawn.right[number]], dtype=np.int32)
        pixels, labels = read_pixels(file, both)[both], read_labels(file)
        left, right = (_rendered(pixels[i], side[number]) for i, side in enumerate(read_variants(file)))
    same = "one character" if drawn.same[number] else "two characters"
    return affine_variants(
        left,
        right,
        names=(what_is(labels, int(both[0])), what_is(labels, int(both[1]))),
        about=f"pair {number:,} of {pairs.reference}, {same}",
    )


def _rendered(pixels: NDArray[np.uint8], parameters: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return an image and its variants, as many as are shown, shape (1 + k, h, h)."""
    parameters = parameters[:_MOST_VARIANTS]
    repeated = torch.from_numpy(pixels).expand(len(parameters), -1, -1)
    variants = render(repeated, affine_matrices(torch.from_numpy(parameters)), pixels.shape[0])[:, 0]
    return np.concatenate([pixels[None], variants.mul(255).round().to(torch.uint8).numpy()])


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
        (TRIALS, _drawn(on_progress, "trials", *_grids(measured))),
        (RANKINGS, _drawn(on_progress, "mistakes", *_rankings(measured))),
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
        sections.append((INSIDE, _drawn(on_progress, "what the network sees", *inside)))
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
    settings = evaluation.manifest.settings
    protocol = settings.get("protocol")
    return settings.get("on") != "test", _PROTOCOLS.index(protocol) if protocol in _PROTOCOLS else len(_PROTOCOLS)


def _grids(measured: list[MeasuredTrials]) -> list[Callable[[], Picture | None]]:
    most = max((trials.most_ways for trials in measured), default=0)
    ways = [n_way for n_way in WAYS if n_way <= most] or [most] * bool(measured)
    return [partial(grid_of, next(item for item in measured if item.most_ways >= n), n_way=n) for n in ways]


def _rankings(measured: list[MeasuredTrials]) -> list[Callable[[], Picture | None]]:
    rankings: tuple[Ranking, ...] = ("mistakes", "successes")
    return [partial(ranking_of, item, ranking) for item in measured[:1] for ranking in rankings]
