"""identify and compare: what an image is taken for, and by which threshold."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from omnishot.errors import OmnishotError, UsageError
from omnishot.recognition.examples import usable
from omnishot.recognition.gallery import rank
from omnishot.recognition.gallery_versions import OpenGallery
from omnishot.recognition.images import NamedImage, PreparedImage
from omnishot.recognition.recognizer import Recognizer
from omnishot.recognition.thresholds import rule_of
from omnishot.vocabulary import InkName

_IMAGES_PER_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a score has to be above, and where that is from.

    Attributes:
        value: The threshold, or None where there is none.
        rule: `calibrated`, `provisional`, `given` or `none`.
    """

    value: float | None
    rule: str

    def is_passed_by(self, score: float) -> bool:
        """Tell whether a score is above it; none is above no threshold."""
        return self.value is not None and score > self.value


@dataclass(frozen=True, slots=True)
class Answer:
    """What one image was taken for.

    Attributes:
        image: What the image is called.
        name: The class, or None where it is unknown or could not be read.
        nearest: The most similar classes and their scores, the best first.
        problem: Why it could not be read, or None.
    """

    image: str
    name: str | None
    nearest: tuple[tuple[str, float], ...] = ()
    problem: OmnishotError | None = None


def threshold_of_gallery(opened: OpenGallery, given: float | None) -> Threshold:
    """Return the threshold that was given, else that of the gallery.

    Raises:
        UsageError: What was given is no finite number.
    """
    if given is not None:
        return given_threshold(given)
    return Threshold(opened.gallery.settings.threshold, rule_of(opened.gallery))


def given_threshold(value: float) -> Threshold:
    """Return a threshold that a user gave.

    Raises:
        UsageError: It is no finite number, so that it decides nothing.
    """
    if not math.isfinite(value):
        raise UsageError(
            f"--threshold is {value}, but a threshold is a finite number",
            hint="Give one between the scores that are printed without it, as --threshold -0.5.",
        )
    return Threshold(value, "given")


def identify(
    opened: OpenGallery,
    images: Iterable[NamedImage],
    *,
    n_ranked: int = 2,
    threshold: Threshold | None = None,
    ink: InkName | None = None,
) -> Iterator[Answer]:
    """Yield what each image is taken for, in their order; those that cannot be read cost none of the others.

    Args:
        opened: The gallery.
        images: The images.
        n_ranked: How many of the most similar classes each answer names.
        threshold: Scores above it are known; by default that of the gallery.
        ink: What is ink; by default as in the gallery.
    """
    threshold = threshold or threshold_of_gallery(opened, None)
    classes = opened.gallery.classes
    left = iter(images)
    while some := list(itertools.islice(left, _IMAGES_PER_BLOCK)):
        read = [usable(image) for image in opened.recognizer.read(some, ink=opened.ink(ink))]
        sound = [image for image in read if isinstance(image, PreparedImage)]
        ranking = rank(opened.recognizer.embed(sound), opened.gallery, opened.compare, n_ranked=n_ranked)
        place = 0
        for image, found in zip(some, read, strict=True):
            if isinstance(found, OmnishotError):
                yield Answer(image.name, None, problem=found)
                continue
            scores = ranking.scores[place].tolist()
            nearest = tuple(zip((classes[i] for i in ranking.classes[place]), scores, strict=True))
            place += 1
            yield Answer(image.name, nearest[0][0] if threshold.is_passed_by(scores[0]) else None, nearest)


def score_of(recognizer: Recognizer, left: NamedImage, right: NamedImage, *, ink: InkName = "auto") -> float:
    """Return how similar two images are.

    Raises:
        OmnishotError: One of them cannot be read, or is blank.
    """
    read: list[PreparedImage] = []
    for image in map(usable, recognizer.read([left, right], ink=ink)):
        if isinstance(image, OmnishotError):
            raise image
        read.append(image)
    return float(recognizer.similarity(*read)[0])


def refuse_no_threshold(threshold: Threshold) -> None:
    """Check that there is a threshold to decide by.

    Raises:
        UsageError: There is none.
    """
    if threshold.value is None:
        raise UsageError(
            "There is no threshold to say by whether two images are of the same class",
            hint="Give one with --threshold, or a gallery that has one with --gallery.",
        )
