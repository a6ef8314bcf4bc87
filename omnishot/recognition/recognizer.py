"""What names images: a twin, the preparation of its images, and a similarity."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from omnishot.errors import OmnishotError, UsageError
from omnishot.evaluation.embedding import embed
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.progress import OnProgress, silent
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.images import Image, Images, PreparedImage, as_list, first_of
from omnishot.recognition.photo_preparation import PhotoPreparation
from omnishot.vocabulary import InkName

_VALUES_PER_CHUNK = 1 << 24

Preparation = DrawingPreparation | PhotoPreparation


@dataclass(frozen=True, slots=True)
class Match:
    """What an image was taken for.

    Attributes:
        name: The class whose examples are most similar.
        score: Mean similarity to them, as `Recognizer.similarity` has it.
        alternatives: The next best classes and their scores, best first.
    """

    name: str
    score: float
    alternatives: tuple[tuple[str, float], ...] = ()


class Recognizer:
    """Turns images into vectors, and compares these; classes need no training, only an example.

    Attributes:
        name: What it is called in messages.
        preparation: How images are read: as `drawing`s, ink on a ground, or as `photo`s, colours as they are.
        digest: Identifies the weights, the preparation and the similarity: vectors are comparable if it is the same.
    """

    def __init__(self, name: str, network: SiameseNetwork, preparation: Preparation, compute: Compute) -> None:
        """Take a network, which is moved to the device and stays there."""
        self.name = name
        self.preparation: Literal["drawing", "photo"] = (
            "photo" if isinstance(preparation, PhotoPreparation) else "drawing"
        )
        self.digest = digest_of(network, preparation)
        self._preparation, self._compute = preparation, compute
        self._network = network.to(compute.device).eval()

    def __repr__(self) -> str:
        """Return name, preparation and digest."""
        return f"<Recognizer {self.name}, {self.preparation}, {self.dimensions} dimensions, {self.digest[:12]}>"

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return self._network.twin.dimension

    @property
    def similarity_in_words(self) -> str:
        """How two vectors are compared."""
        distance = "absolute" if self._network.distance == "l1" else "squared"
        return f"a weighted sum of the {distance} differences of two vectors, and a constant; higher is more alike"

    @property
    def preparation_in_words(self) -> str:
        """What is done to images first."""
        return self._preparation.in_words

    def read(
        self, images: Images, *, ink: InkName = "auto", on_progress: OnProgress = silent
    ) -> list[PreparedImage | OmnishotError]:
        """Read many images; those that cannot be read cost none of the others.

        Args:
            images: One or many, in any mix: paths, a file's bytes, PIL images, arrays.
            ink: What is ink in all of them; `auto` decides once for the whole call.
            on_progress: Receives progress.

        Returns:
            For each image, in their order, what `embed` takes, or why it cannot be read.

        Raises:
            UsageError: Something is no image at all.
        """
        return self._preparation.read(as_list(images), ink=ink, on_progress=on_progress)

    @torch.no_grad()
    def embed(self, images: Images, *, ink: InkName = "auto", on_progress: OnProgress = silent) -> NDArray[np.float32]:
        """Return a vector for each image, shape (n, dimensions); the arguments are those of `read`.

        Raises:
            OmnishotError: The first image that cannot be read, named.
        """
        read = self.read(images, ink=ink, on_progress=on_progress)
        if error := first_of(read):
            raise error
        prepared = [image.pixels for image in read if isinstance(image, PreparedImage)]
        if not prepared:
            return np.empty((0, self.dimensions), dtype=np.float32)
        pixels = torch.from_numpy(np.stack(prepared))
        with self._compute.tuned():
            return embed(self._network, pixels, np.arange(len(pixels)), self._compute).cpu().numpy()

    @torch.no_grad()
    def compare_embeddings(self, queries: ArrayLike, support: ArrayLike) -> NDArray[np.float32]:
        """Return how similar every query vector, shape (n, d), is to every support vector, (m, d); shape (n, m).

        Higher is more alike; it is the network's logit of "same class", and memory stays bounded but for the result.

        Raises:
            UsageError: The vectors have another length.
        """
        left, right = self._vectors(queries), self._vectors(support)
        similarity = np.empty((len(left), len(right)), dtype=np.float32)
        per_value = self.dimensions if self._network.distance == "l1" else 1
        columns = max(1, min(len(right), _VALUES_PER_CHUNK // per_value))
        rows = max(1, _VALUES_PER_CHUNK // (per_value * columns))
        with self._compute.tuned():
            for column in range(0, len(right), columns):
                some = right[column : column + columns].to(self._compute.device)
                for row in range(0, len(left), rows):
                    found = self._network.compare_all(left[row : row + rows].to(self._compute.device), some)
                    similarity[row : row + rows, column : column + columns] = found.cpu().numpy()
        return similarity

    def _vectors(self, values: ArrayLike) -> torch.Tensor:
        vectors = np.ascontiguousarray(values, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise UsageError(
                f"Vectors have the shape {vectors.shape}, but those of {self.name} have (n, {self.dimensions})",
                hint="Embed the images with the recognizer that compares them.",
            )
        return torch.from_numpy(vectors)

    @torch.no_grad()
    def similarity(self, left: Images, right: Images, *, ink: InkName = "auto") -> NDArray[np.float32]:
        """Return how similar each left image is to the right one in its place, shape (n,); higher is more alike.

        All images are read as one call: see `read`.

        Raises:
            UsageError: There are more on one side than on the other.
            OmnishotError: The first image that cannot be read, named.
        """
        lefts, rights = as_list(left), as_list(right)
        if len(lefts) != len(rights):
            raise UsageError(
                f"{len(lefts)} images cannot be compared with {len(rights)}, one by one",
                hint="Give as many on both sides, or compare all with all: `compare_embeddings`.",
            )
        vectors = self._vectors(self.embed([*lefts, *rights], ink=ink)).to(self._compute.device)
        found: NDArray[np.float32] = (
            self._network.compare(*vectors.chunk(2)).cpu().numpy() if lefts else np.empty(0, np.float32)
        )
        return found

    def identify(
        self, support: Mapping[str, Images], queries: Images, top: int = 1, *, ink: InkName = "auto"
    ) -> list[Match]:
        """Say of each query which class it shows.

        Args:
            support: Examples of each class by its name, one or several.
            queries: The images to name.
            top: How many classes each match names, the best one included.
            ink: As for `read`; support and queries are read as one call.

        Raises:
            UsageError: The classes are given without names, there is none, or one has no example.
            OmnishotError: The first image that cannot be read, named.
        """
        if not isinstance(support, Mapping):
            raise UsageError(
                f"Examples are given by the names of their classes, not as a {type(support).__name__}",
                hint="Give a dictionary: {'alpha': 'alpha.png', 'beta': ['b1.png', 'b2.png']}.",
            )
        examples = {name: as_list(images) for name, images in support.items()}
        if not examples or not all(examples.values()):
            empty = next((name for name, images in examples.items() if not images), None)
            raise UsageError(
                "There are no classes to choose from" if empty is None else f"Class '{empty}' has no example"
            )
        if top < 1:
            raise UsageError(f"top is {top}, but a match names 1 class at least")
        asked = as_list(queries)
        given: list[Image] = [*(image for images in examples.values() for image in images), *asked]
        vectors = self.embed(given, ink=ink)
        n_support = len(vectors) - len(asked)
        scores = self.compare_embeddings(vectors[n_support:], vectors[:n_support])
        starts = np.cumsum([0, *map(len, examples.values())])
        names = list(examples)
        by_class = np.stack([scores[:, a:b].mean(axis=1) for a, b in pairwise(starts)], axis=1)
        matches = []
        for row in by_class:
            best = np.argsort(-row, kind="stable")[:top]
            first, *others = [(names[i], float(row[i])) for i in best]
            matches.append(Match(*first, tuple(others)))
        return matches


def digest_of(network: SiameseNetwork, preparation: Preparation) -> str:
    """Return what identifies the vectors of a network and how they are compared, a SHA-256."""
    facts = {"preparation": preparation.settings, "similarity": f"{network.distance} head", "side": network.twin.side}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        if tensor.is_floating_point():
            digest.update(f"\n{name} {list(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()
