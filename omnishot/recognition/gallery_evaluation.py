"""eval --gallery: how often a gallery is right about images whose classes are known, strangers among them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omnishot.errors import OmnishotError, SamplingError
from omnishot.evaluation.verification import verify
from omnishot.formats.gallery import Gallery, Rate, read_thumbnails
from omnishot.progress import OnProgress, Progress, silent
from omnishot.recognition.calibration import rate
from omnishot.recognition.example_images import LabelledImages
from omnishot.recognition.examples import Examples, sound_examples
from omnishot.recognition.gallery import Embeddings, Ranking, Scores, rank
from omnishot.recognition.gallery_versions import OpenGallery
from omnishot.recognition.identification import Threshold
from omnishot.recognition.images import NamedImage
from omnishot.vocabulary import InkName

_SIDE = 32


@dataclass(frozen=True, slots=True)
class Confusion:
    """A class that was taken for another.

    Attributes:
        shown: What the images show.
        named: What is most similar to them.
        images: How many images.
    """

    shown: str
    named: str
    images: int


@dataclass(frozen=True, slots=True)
class GalleryResults:
    """How often a gallery was right.

    Attributes:
        threshold: What decided.
        rank_1: Known images whose own class is the most similar, whatever the threshold.
        turned_away: Known images that are called unknown.
        misnamed: Known images that are given another's name.
        strangers_accepted: Images of no class of the gallery that are given a name; None where there are none.
        equal_error_rate: Where the threshold would accept as many strangers as it turned away known ones; where there
            are no strangers, a known image is one to the other classes. None where there are neither.
        pixels_rank_1: `rank_1` of the nearest neighbour on pixels; None where the gallery keeps no thumbnails.
        confusions: Which classes were most similar to images of others, the most frequent first.
        notes: What was passed over or left out, one sentence each.
    """

    threshold: Threshold
    rank_1: Rate
    turned_away: Rate
    misnamed: Rate
    strangers_accepted: Rate | None
    equal_error_rate: float | None
    pixels_rank_1: Rate | None
    confusions: tuple[Confusion, ...]
    notes: tuple[str, ...]


def evaluate_gallery(
    opened: OpenGallery,
    queries: LabelledImages,
    threshold: Threshold,
    *,
    ink: InkName | None = None,
    skip_bad: bool = False,
    on_progress: OnProgress = silent,
) -> GalleryResults:
    """Identify images whose classes are known; those of a class that is not in the gallery are strangers.

    Args:
        opened: The gallery.
        queries: The images; those that are enrolled themselves are left out.
        threshold: What decides.
        ink: What is ink; by default as in the gallery.
        skip_bad: Leave out what cannot be read, instead of refusing all.
        on_progress: Receives progress.

    Raises:
        SamplingError: None of them is of a class in the gallery.
        DamagedFileError: Images cannot be read, all of them named.
    """
    gallery = opened.gallery
    read, notes = sound_examples(
        opened.recognizer, queries, ink=opened.ink(ink), skip_bad=skip_bad, keeps_thumbnails=True,
        on_progress=on_progress,
    )  # fmt: skip
    asked, enrolled = _without_enrolled_images(read, gallery)
    place = {name: i for i, name in enumerate(gallery.classes)}
    own_class = np.array([place.get(asked.classes[i], -1) for i in asked.of_class], np.int32)
    is_known = own_class >= 0
    if not is_known.any():
        raise SamplingError(
            f"None of the {len(asked.classes):,} classes in these images is in {opened.artifact.reference}",
            hint=f"`omnishot gallery show {opened.artifact.manifest.name}` lists its classes; name the folders so.",
        )
    on_progress(Progress("Comparing", 0, 0))
    ranking = rank(asked.embeddings, gallery, opened.compare, n_ranked=2)
    best, score = ranking.classes[:, 0], ranking.scores[:, 0]
    is_accepted = np.array([threshold.is_passed_by(float(value)) for value in score], np.bool_)
    is_right = best == own_class
    of_known, of_strangers = asked.of_class[is_known], asked.of_class[~is_known]
    wrong = Counter(
        (gallery.classes[shown], gallery.classes[named])
        for shown, named in zip(
            own_class[is_known & ~is_right].tolist(), best[is_known & ~is_right].tolist(), strict=True
        )
    )
    return GalleryResults(
        threshold=threshold,
        rank_1=rate(is_right[is_known], of_known),
        turned_away=rate(~is_accepted[is_known], of_known),
        misnamed=rate((is_accepted & ~is_right)[is_known], of_known),
        strangers_accepted=rate(is_accepted[~is_known], of_strangers) if len(of_strangers) else None,
        equal_error_rate=_equal_error_rate(opened, asked.embeddings, own_class, ranking),
        pixels_rank_1=_pixels_rank_1(opened, asked, own_class, ink),
        confusions=tuple(Confusion(*names, number) for names, number in wrong.most_common()),
        notes=(*notes, *enrolled),
    )


def _without_enrolled_images(examples: Examples, gallery: Gallery) -> tuple[Examples, list[str]]:
    known = {digest.tobytes() for digest in gallery.digests}
    is_enrolled = np.array([digest.tobytes() in known for digest in examples.digests], np.bool_)
    if is_enrolled.all():
        raise SamplingError("All of these images are enrolled themselves", hint="Take later ones.")
    if not is_enrolled.any():
        return examples, []
    said = f"{is_enrolled.sum():,} of {len(examples):,} images are enrolled themselves, and left out"
    return examples.only(~is_enrolled), [said]


def _equal_error_rate(
    opened: OpenGallery, queries: Embeddings, own_class: NDArray[np.int32], ranking: Ranking
) -> float | None:
    is_known = own_class >= 0
    strangers = ranking.scores[~is_known, 0]
    if not len(strangers) and ranking.scores.shape[1] > 1:
        second = (ranking.classes[:, 0] == own_class).astype(np.intp)
        strangers = np.take_along_axis(ranking.scores, second[:, None], axis=1)[:, 0]
    if not len(strangers):
        return None
    own = _own_scores(opened, queries[is_known], own_class[is_known])
    same = np.repeat([True, False], [len(own), len(strangers)])
    return verify(np.concatenate([own, strangers]), same, 0.0).equal_error_rate


def _own_scores(opened: OpenGallery, queries: Embeddings, own_class: NDArray[np.int32]) -> Scores:
    """Return the similarity of each query to its own class."""
    own = np.empty(len(queries), np.float32)
    for number in np.unique(own_class):
        examples = opened.gallery.embeddings[opened.gallery.of_class == number]
        own[own_class == number] = opened.compare(queries[own_class == number], examples).max(axis=1)
    return own


def _pixels_rank_1(
    opened: OpenGallery, asked: Examples, own_class: NDArray[np.int32], ink: InkName | None
) -> Rate | None:
    """Return how often the nearest neighbour on 32x32 pixels is right, as every network should be more often."""
    thumbnails = read_thumbnails(opened.artifact)
    if thumbnails is None:
        return None
    enrolled = _pixel_vectors(opened, thumbnails, ink)
    queries = _pixel_vectors(opened, asked.thumbnails, ink)
    nearest = rank(queries, replace(opened.gallery, embeddings=enrolled), lambda a, b: a @ b.T, n_ranked=1)
    is_known = own_class >= 0
    return rate((nearest.classes[:, 0] == own_class)[is_known], asked.of_class[is_known])


def _pixel_vectors(opened: OpenGallery, thumbnails: Iterable[bytes], ink: InkName | None) -> Embeddings:
    """Return the pixels of images as the model gets them, made grey and small, as vectors of length 1."""
    images = [NamedImage("A thumbnail", small) for small in thumbnails]
    vectors = np.zeros((len(images), _SIDE * _SIDE), np.float32)
    for i, image in enumerate(opened.recognizer.read(images, ink=opened.ink(ink))):
        if isinstance(image, OmnishotError):
            raise image
        grey = Image.fromarray(image.pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        pixels = np.asarray(grey, np.float32).reshape(-1)
        vectors[i] = pixels / max(1.0, float(np.linalg.norm(pixels)))
    return vectors
