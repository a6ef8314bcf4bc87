"""Images of one's own named from one example each: models against pixels, on sets that packages ship or that are drawn.

    pip install '.[photos]' scikit-image scikit-learn && python tests/bench/own_photos.py

Every image but the examples is a query. `all` offers every class of the set, `5-way` the right one and four others, of
which each choice counts alike. Intervals resample the classes; the examples are drawn anew, 20 times.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
from image_sets import SETS, ImageSet
from numpy.typing import NDArray
from PIL import Image

import omnishot
from omnishot.data.sources.photos import PhotoFormat, read_photo
from omnishot.errors import UnavailableError
from omnishot.evaluation.baselines import thumbnail
from omnishot.model.whitening import fit_whitening
from omnishot.recognition.recognizer import Recognizer

Outcomes = NDArray[np.float64]
"""Share of right answers by draw and class, at all ways and at 5, shape (2, n_draws, n_classes)."""

_PIXELS = "pixels 32x32, unit norm"
_WHITENED = "photos, whitened on the other classes"
_RESAMPLES = 2000


def pixels_of(images: list[Image.Image]) -> NDArray[np.float32]:
    """Return 32 x 32 shades of each image, as vectors of length 1."""
    kept = PhotoFormat(32, colour=False)
    return np.stack([thumbnail(read_photo(image, place="it", kept=kept).pixels) for image in images])


def outcomes(scores: NDArray[np.floating], labels: NDArray[np.int64], n_draws: int) -> Outcomes:
    """Return how often the right class has the best score; a tie is wrong.

    Args:
        scores: Of every image with every other, shape (n, n).
        labels: Class of each image, counted from 0, shape (n,).
        n_draws: How often the examples are drawn.
    """
    rng, n_classes = np.random.default_rng(0), int(labels.max()) + 1
    n_others = min(4, n_classes - 1)
    found = np.empty((2, n_draws, n_classes))
    for draw in range(n_draws):
        examples = np.array([rng.choice(np.flatnonzero(labels == name)) for name in range(n_classes)])
        queries = np.setdiff1d(np.arange(len(labels)), examples)
        asked, rows = labels[queries], np.arange(len(queries))
        offered = scores[queries][:, examples]
        right = offered[rows, asked][:, None]
        is_beaten = offered < right
        is_beaten[rows, asked] = False
        n_beaten = is_beaten.sum(axis=1)
        few = np.ones(len(queries))
        for number in range(n_others):  # The share of all choices of four others in which each is beaten.
            few *= np.maximum(n_beaten - number, 0) / (n_classes - 1 - number)
        for kind, correct in enumerate((n_beaten == n_classes - 1, few)):
            found[kind, draw] = np.bincount(asked, correct, n_classes) / np.bincount(asked, minlength=n_classes)
    return found


def in_words(found: Outcomes) -> list[str]:
    """Return both accuracies with 95 % intervals that resample classes."""
    rng, cells = np.random.default_rng(0), []
    for each in found.mean(axis=1):
        means = rng.choice(each, (_RESAMPLES, len(each))).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        cells.append(f"{100 * each.mean():.1f} ({100 * low:.1f}-{100 * high:.1f})")
    return cells


def rows_of(name: str, images: ImageSet, models: dict[str, Recognizer], n_draws: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one set: set, classes offered, method, accuracies, milliseconds an image."""
    flat = [image for each in images.values() for image in each]
    labels = np.repeat(np.arange(len(images)), [len(each) for each in images.values()])
    pixels = pixels_of(flat)
    scores, vectors, seconds = {_PIXELS: pixels @ pixels.T}, {}, {}
    for model, recognizer in models.items():
        began = time.perf_counter()
        vectors[model] = recognizer.embed(flat)
        seconds[model] = time.perf_counter() - began
        scores[model] = recognizer.compare_embeddings(vectors[model], vectors[model])
    for method in scores:
        cost = f"{1000 * seconds[method] / len(flat):.0f}" if method in seconds else ""
        yield name, str(len(images)), method, *in_words(outcomes(scores[method], labels, n_draws)), cost
    if "photos" in models:
        yield from _whitened_rows(name, scores, vectors["photos"], labels, n_draws)


def _whitened_rows(
    name: str,
    scores: dict[str, NDArray[np.float32]],
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_draws: int,
) -> Iterator[tuple[str, ...]]:
    """Yield what a whitening gives that was fitted on half of the classes, on the other half, and both ways round."""
    half = np.random.default_rng(1).permutation(int(labels.max()) + 1) % 2
    found: dict[str, list[Outcomes]] = {method: [] for method in (*scores, _WHITENED)}
    for part in (0, 1):
        tested = half[labels] == part
        renamed = np.unique(labels[tested], return_inverse=True)[1]
        fitted = fit_whitening(vectors[~tested], labels[~tested])
        whitened = fitted.apply(vectors[tested])
        whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)
        for method, all_scores in scores.items():
            found[method].append(outcomes(all_scores[np.ix_(tested, tested)], renamed, n_draws))
        found[_WHITENED].append(outcomes(whitened @ whitened.T, renamed, n_draws))
    for method, both in found.items():
        yield name, f"half: {len(half) // 2}", method, *in_words(np.concatenate(both, axis=2)), ""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", default=["quick", "photos"], help="names that omnishot.load takes")
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    models = {}
    for name in arguments.models:
        try:
            models[name] = omnishot.load(name)
        except UnavailableError as error:
            print(f"Left out {name}: {error}")
    print("| images | ways | method | all ways | 5-way | ms an image |")
    print("|---|---|---|---|---|---|")
    for name in arguments.sets:
        for row in rows_of(name, SETS[name](np.random.default_rng(0)), models, arguments.draws):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
