"""A look at an artifact in a few lines of text: pairs as images of half blocks, a training as curves in a line."""

from collections.abc import Callable, Sequence

import numpy as np

from omnishot.data.image_set import Labels
from omnishot.drawing.blocks import BLOCKS, Ink, fitted, half_blocks, sparkline
from omnishot.formats.evaluation_data import says_who_drew
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.history import read_history
from omnishot.formats.images import read_labels, read_pixels
from omnishot.formats.pairs import read_pairs
from omnishot.store.artifact import Artifact
from omnishot.vocabulary import PARTS

_OF_EACH_KIND = 2
_SMALLEST, _LARGEST = 14, 24
_BETWEEN_IMAGES, _BETWEEN_PAIRS = 2, 4
_SHORTEST_CURVE, _LONGEST_CURVE = 20, 60


def glimpse(artifact: Artifact, *, width: int, ink: Ink = BLOCKS) -> list[str]:
    """Return lines of `width` characters at most that show what is in an artifact; none for images and evaluations.

    Raises:
        DamagedFileError: A file does not hold what it should.
    """
    if artifact.manifest.kind == "pairs":
        return _pairs(artifact, width, ink)
    return _curves(artifact, width, ink) if artifact.manifest.kind == "models" else []


def _curves(artifact: Artifact, width: int, ink: Ink) -> list[str]:
    epochs = read_history(artifact.file("history.jsonl"))
    losses = [epoch.loss for epoch in epochs]
    accuracies = [epoch.validation_accuracy for epoch in epochs if epoch.validation_accuracy is not None]
    return [
        *_curve("loss", losses, "{:.4f}".format, width, ink),
        *_curve("validation", accuracies, "{:.1%}".format, width, ink),
    ]


def _curve(name: str, values: Sequence[float], shown: Callable[[float], str], width: int, ink: Ink) -> list[str]:
    if not values:
        return []
    before, after, more = f"{name:10} {shown(values[0]):>7} ", f" {shown(values[-1])}", f", {len(values)} epochs"
    room = width - len(before) - len(after)
    more = more if room - len(more) >= _SHORTEST_CURVE else ""
    return [before + sparkline(values, min(_LONGEST_CURVE, room - len(more)), ink) + after + more]


def _pairs(artifact: Artifact, width: int, ink: Ink) -> list[str]:
    """Return the first same and the first different pairs, side by side as far as they fit."""
    with open_hdf5(artifact.file("pairs.h5")) as file:
        labels = read_labels(file)
        pairs = next((found for part in PARTS if (found := read_pairs(file, part))), None)
        if pairs is None:
            return []
        chosen = np.concatenate([np.flatnonzero(pairs.same == same)[:_OF_EACH_KIND] for same in (True, False)])
        left, right = pairs.left[chosen], pairs.right[chosen]
        pixels = read_pixels(file, left, right)
    which = "drawer" if says_who_drew(artifact.manifest) else "image"
    n_beside, side = _layout(width, len(chosen))
    boxes = []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        gap = " " * _BETWEEN_IMAGES
        pictures = zip(half_blocks(pixels[a], side, ink), half_blocks(pixels[b], side, ink), strict=True)
        box = 2 * side + _BETWEEN_IMAGES
        words = [fitted(text, box, ink) for text in _words(labels, a, b, which)]
        boxes.append([*words, *[one + gap + other for one, other in pictures], " " * box])
    lines = []
    for start in range(0, len(boxes), n_beside):
        rows = zip(*boxes[start : start + n_beside], strict=True)
        lines += [(" " * _BETWEEN_PAIRS).join(row).rstrip() for row in rows]
    return lines[:-1]


def _layout(width: int, n_pairs: int) -> tuple[int, int]:
    """Return how many pairs stand beside each other, and the side of an image: even, as large as that allows."""
    n_beside = next((n for n in (4, 2) if n <= n_pairs and _side(width, n) >= _SMALLEST), 1)
    return n_beside, max(2, min(_LARGEST, _side(width, n_beside)))


def _side(width: int, n_beside: int) -> int:
    free = width - (n_beside - 1) * _BETWEEN_PAIRS - n_beside * _BETWEEN_IMAGES
    return free // (2 * n_beside) // 2 * 2


def _words(labels: Labels, left: int, right: int, which: str) -> tuple[str, str, str]:
    """Return three lines about a pair: what it is, and what each image shows; `which` tells those of a class."""
    names = [labels.character_names[labels.character[image]] for image in (left, right)]
    said = [f"{name}, {which} {labels.drawer[image]}" for name, image in zip(names, (left, right), strict=True)]
    return "same" if names[0] == names[1] else "different", said[0], said[1]
