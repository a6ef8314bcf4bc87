"""The Siamese network: one twin for both images, and a weighted distance between its vectors.

Source: Koch et al. 2015, section 3.1; Bromley et al. 1993 for the idea.
"""

from typing import Literal

from torch import Tensor, nn

from omnishot.config import Architecture, TrainSettings
from omnishot.errors import SettingsError
from omnishot.model.conv4 import Conv4Twin
from omnishot.model.koch import PUBLISHED, KochTwin, initialize_as_koch
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.residual import ResidualTwin
from omnishot.vocabulary import Initialization, TwinName

Twin = KochTwin | Conv4Twin | ResidualTwin | PhotoTwin
"""From images to vectors, with a `side` and a `dimension`; `build_network` knows each `TwinName` of `vocabulary.py`."""

_PHOTO_SIDE = 224

SQUARED_DISTANCE_SCALE = 8.0
"""The squared-distance head starts as this many times the mean squared difference, negated."""


class SiameseNetwork(nn.Module):
    """Scores how likely two images show one class; symmetric, as both pass one `twin`.

    Attributes:
        twin: Turns an image into a vector.
        head: Weighs the vectors' componentwise distances into one logit.
        distance: `l1`, Koch's |u - v|, or `squared`, (u - v)².
        test_variants: Affine variants of an image whose vectors are averaged with its own; see `evaluation.embedding`.
    """

    def __init__(self, twin: Twin, distance: Literal["l1", "squared"]) -> None:
        """Put a freshly initialised head over a twin."""
        super().__init__()
        self.twin = twin
        self.distance = distance
        self.test_variants = 0
        self.head = nn.Linear(twin.dimension, 1)
        if distance == "l1":
            initialize_as_koch(self.head)
        else:
            nn.init.constant_(self.head.weight, -SQUARED_DISTANCE_SCALE / twin.dimension)
            nn.init.zeros_(self.head.bias)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the logit of "same class" for each pair, shape (n_pairs,); a side is (n_pairs, 1, side, side)."""
        return self.compare(self.twin(left), self.twin(right))

    def compare(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the logits of pairs of vectors; shapes (..., d) broadcast, and the last dimension goes."""
        difference = left - right
        distances = difference.abs() if self.distance == "l1" else difference.square()
        logits: Tensor = self.head(distances).squeeze(-1)
        return logits

    def compare_all(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the logit of every left vector, shape (n, d), with every right one, (m, d); shape (n, m).

        It is what `compare` gives, but for rounding, with less memory where the distance allows.
        """
        if self.distance == "l1":
            return self.compare(left[:, None], right[None])
        weight = self.head.weight[0]
        squares = (left.square() @ weight)[:, None] + (right.square() @ weight)[None]
        return squares - 2 * (left * weight) @ right.T + self.head.bias


def network_for(settings: TrainSettings) -> SiameseNetwork:
    """Return the network that settings describe, freshly initialised; that for photographs comes without knowledge.

    Raises:
        SettingsError: As `build_network` does.
    """
    if settings.objective.kind == "whitening":
        twin = PhotoTwin(settings.objective.image_size)
        return SiameseNetwork(twin, "l1") if settings.objective.head == "l1" else cosine_network(twin)
    return build_network(settings.twin, settings.initialization, settings.architecture)


def cosine_network(twin: PhotoTwin) -> SiameseNetwork:
    """Return a network whose logit is the cosine of two vectors of length 1: 1 - |u - v|² / 2."""
    network = SiameseNetwork(twin, "squared").eval()
    nn.init.constant_(network.head.weight, -0.5)
    nn.init.ones_(network.head.bias)
    return network


def build_network(
    twin: TwinName, initialization: Initialization = "auto", architecture: Architecture | None = None
) -> SiameseNetwork:
    """Return a freshly initialised network.

    Args:
        twin: `koch` and `koch35` come with the paper's weighted L1 distance, `conv4` and `residual` with the squared
            one, and `lite0`, without the knowledge that it comes with, with the cosine.
        initialization: How all weights are drawn: as the `paper` has it, as `torch` does; `auto` is the paper's for its
            own networks, and torch's for the others but for a head that measures the mean distance.
        architecture: Other sizes of the layers of `koch` and `koch35`.

    Raises:
        SettingsError: The twin has no such layers, or its filters are too large for the images.
    """
    if twin == "lite0":
        return cosine_network(PhotoTwin(_PHOTO_SIDE))
    if twin == "conv4" or twin == "residual":
        if architecture and architecture.model_dump(exclude_none=True):
            raise SettingsError(f"architecture is for the twins koch and koch35, not for {twin}", hint="Leave it out.")
        network = SiameseNetwork(Conv4Twin() if twin == "conv4" else ResidualTwin(), "squared")
    else:
        network = SiameseNetwork(KochTwin(PUBLISHED[twin].changed_to(architecture or Architecture())), "l1")
    if initialization == "paper":
        network.apply(initialize_as_koch)
    elif initialization == "torch":
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.reset_parameters()
    return network
