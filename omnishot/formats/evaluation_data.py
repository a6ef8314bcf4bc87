"""What an evaluation measures on: images, split, pairs and runs, from a pair dataset or from a source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omnishot.data.class_index import ClassIndex
from omnishot.data.copies import first_equal
from omnishot.data.image_set import Labels, Runs
from omnishot.data.pairs import Pairs, draw_pairs
from omnishot.data.splits import Split, all_for_test, split_images, usual_split_of
from omnishot.errors import NotFoundError, SamplingError, UsageError
from omnishot.evaluation.baselines import THUMBNAIL, thumbnail
from omnishot.formats.box import BoxFacts
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import holds_photos, read_labels, read_pixels, read_runs
from omnishot.formats.manifest_fields import PairsFacts, says_who_drew, source_of
from omnishot.formats.pairs import read_pairs, read_split
from omnishot.seeding import generator
from omnishot.store.artifact import Artifact
from omnishot.store.box import is_boxed
from omnishot.store.store import Store
from omnishot.vocabulary import SplitName, SplitPart

_PAIRS = 10_000
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """Images to measure on; pixels and pairs are read when they are asked for.

    Attributes:
        path: A `pairs.h5` or `images.h5` that was checked.
        labels: What each image shows.
        split: Which images train, validate and test; `images.h5` is divided as `prepare` would by default, but for
            MNIST and for classes too few to divide, all of which are a test set.
        runs: Published runs, where the source has them.
        has_pairs: Whether the file holds pairs; else they are drawn.
        has_drawers: Whether the images say who drew them.
        has_photos: Whether they are photographs, and not drawings.
    """

    path: Path
    labels: Labels
    split: Split
    runs: Runs | None
    has_pairs: bool
    has_drawers: bool
    has_photos: bool = False
    _indices: dict[SplitPart, ClassIndex] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def read(cls, artifact: Artifact) -> "EvaluationData":
        """Read labels, split and runs of a pairs or images artifact."""
        has_pairs = artifact.manifest.kind == "pairs"
        path = artifact.file("pairs.h5" if has_pairs else "images.h5")
        with open_hdf5(path) as file:
            labels, runs, has_photos = read_labels(file), read_runs(file), holds_photos(file)
            if has_pairs:
                split = read_split(file)
            else:
                split = _split_of(labels, "koch" if runs else None, is_test_set=source_of(artifact.manifest) == "mnist")
        return cls(path, labels, split, runs, has_pairs, says_who_drew(artifact.manifest), has_photos)

    def index(self, part: SplitPart) -> ClassIndex:
        """Return the images of one part by class.

        Images of one's own that are equal to an earlier one of their class are left out: none is asked for and shown at
        once. They are compared once, however often the part is asked for.

        Raises:
            SamplingError: The part is empty.
        """
        if part not in self._indices:
            self._indices[part] = self._index_of(part)
        return self._indices[part]

    def _index_of(self, part: SplitPart) -> ClassIndex:
        chosen: NDArray[np.int32] = getattr(self.split, part)
        if not self.has_drawers:
            chosen = self._distinct(chosen)
        if not len(chosen):
            raise SamplingError(f"The {part} part of this split holds no images", hint="Use another --on.")
        return ClassIndex.of(self.labels, chosen)

    def _distinct(self, chosen: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return images without those that are equal, pixel for pixel, to an earlier one of the same class."""
        first = first_equal(self._each(chosen))
        of_class = self.labels.character[chosen]
        is_copy = (first != np.arange(len(chosen))) & (of_class[first] == of_class)
        distinct: NDArray[np.int32] = chosen[~is_copy]
        return distinct

    def _each(self, chosen: NDArray[np.int32]) -> Iterator[NDArray[np.uint8]]:
        """Yield the chosen images, few of which are in memory at once."""
        for start in range(0, len(chosen), _AT_ONCE):
            some = chosen[start : start + _AT_ONCE]
            yield from self.pixels(some)[some]

    def thumbnails(self, *chosen: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the shades of the chosen photographs, few pixels of each, at their places among all; see `thumbnail`.

        Those that were not chosen are blank, and cost no memory.
        """
        images = np.unique(np.concatenate([part.reshape(-1) for part in chosen])).astype(np.int32)
        small = np.zeros((len(self.labels), THUMBNAIL**2), dtype=np.float32)
        for image, pixels in zip(images, self._each(images), strict=True):
            small[image] = thumbnail(pixels)
        return small

    def pixels(self, *chosen: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return the chosen images at their places among all, shape (n, side, side); see `read_pixels`."""
        with open_hdf5(self.path) as file:
            return read_pixels(file, *chosen)

    def pairs(self, part: SplitPart) -> Pairs | None:
        """Return the pairs of one part, 10,000 drawn now where the file holds none, or None where the part is empty."""
        if self.has_pairs:
            with open_hdf5(self.path) as file:
                return read_pairs(file, part)
        if not len(getattr(self.split, part)):
            return None
        return draw_pairs(self.index(part), _PAIRS, negatives="any", rng=generator(0, "pairs", part))


def _split_of(labels: Labels, name: SplitName | None, *, is_test_set: bool) -> Split:
    """Return how images of a source are divided: by a split of that name, or as their folders and classes allow."""
    if is_test_set:
        return all_for_test(len(labels))
    usual = name or usual_split_of(labels, "alphabets")
    if usual != "alphabets":
        return split_images(labels, usual)
    try:
        return split_images(labels, "alphabets")
    except SamplingError:  # Only training needs more classes.
        return all_for_test(len(labels))


def pairs_of_models(store: Store, models: list[Artifact]) -> Artifact:
    """Return the pair dataset the models were trained on.

    Raises:
        NotFoundError: It is no longer in the store.
        UsageError: The models were trained on datasets that are divided differently.
    """
    found = [_pairs_of(store, model) for model in models]
    first = PairsFacts.of(found[0].manifest).division
    for model, pairs in zip(models, found, strict=True):
        if PairsFacts.of(pairs.manifest).division != first:
            raise UsageError(
                f"{models[0].reference} and {model.reference} were trained on differently divided data "
                f"({found[0].reference}, {pairs.reference}), so they have no trials in common",
                hint="Evaluate them one by one, or name the images with --source.",
            )
    return found[0]


def _pairs_of(store: Store, model: Artifact) -> Artifact:
    parent = model.manifest.parent("pairs")
    found = store.parent(parent) if parent else None
    if found is None:
        hint = "Name the images to measure on with --source."
        if is_boxed(model):
            made = BoxFacts.of(model.manifest).trained_on
            hint = f"Make it: `omnishot prepare --split {made.split} --holdout {made.holdout}`."
        raise NotFoundError(
            f"The pair dataset {parent.reference if parent else '?'} of {model.reference} is not in the store",
            hint=hint,
        )
    return found
