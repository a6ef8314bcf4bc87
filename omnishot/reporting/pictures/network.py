"""Models become pictures of what is inside them, and of where they put images."""

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.data.image_set import Labels
from omnishot.drawing.embedding_map import embedding_map
from omnishot.drawing.layers import activation_maps, first_filters
from omnishot.drawing.picture import Picture
from omnishot.errors import SamplingError, UsageError, brief
from omnishot.evaluation.activations import responses
from omnishot.evaluation.embedding import embed, refuse_overflow
from omnishot.evaluation.projection import neighbours_agree, principal_plane
from omnishot.formats.evaluation_data import EvaluationData, pairs_of_models
from omnishot.formats.manifest_fields import ModelFacts
from omnishot.formats.model import read_model
from omnishot.model.device import choose_compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.wording import did_you_mean

_MOST_DRAWERS = 6
_MOST_IMAGES = 300


def _network(model: Artifact) -> SiameseNetwork:
    return read_model(model.file("weights.safetensors"), model.file("config.yaml"))


def filters_of(models: list[Artifact]) -> Picture:
    """Draw the first-layer filters of one or two models.

    Raises:
        UsageError: There are more models.
        DamagedFileError: A file does not hold what it should.
    """
    if not 1 <= len(models) <= 2:
        raise UsageError(f"Filters of one or two models stand side by side, not of {len(models)}")
    for model in models:
        refuse_pretrained(model, "First-layer filters")
    weights = {}
    for model in models:
        filters = _network(model).twin.get_submodule("conv1").get_parameter("weight")
        weights[str(model.reference)] = filters.detach()[:, 0].numpy()
    return first_filters(weights)


def refuse_pretrained(model: Artifact, what: str) -> None:
    """Look whether there is something to see of what a model's network learnt here.

    Raises:
        UsageError: It came fitted, and all that was fitted here is a matrix.
    """
    if (twin := ModelFacts.of(model.manifest).settings.twin) == "lite0":
        raise UsageError(
            f"{what} show what training did, but the network of {model.reference} ({twin}) came as it is",
            hint="Draw the map of embeddings: `omnishot figure embedding --out FILE`.",
        )


def activations_of(store: Store, model: Artifact, number: int | None = None) -> Picture:
    """Draw what every convolution responds to in one image of the model's pair dataset.

    Images are counted from 0; the default is the first one of the test part, or of all where that is empty.

    Raises:
        NotFoundError: The dataset is no longer in the store.
        UsageError: There are not as many images.
        DamagedFileError: A file does not hold what it should.
    """
    refuse_pretrained(model, "Activation maps")
    data = EvaluationData.read(pairs_of_models(store, [model]))
    if number is None:
        number = _first_image(data)
    if not 0 <= number < len(data.labels):
        raise UsageError(f"--image {number}: there are images 0 to {len(data.labels) - 1:,}")
    pixels = data.pixels(np.array([number], dtype=np.int32))[number]
    compute = choose_compute("cpu", "fp32")
    return activation_maps(
        pixels,
        responses(_network(model), pixels, compute),
        about=str(model.reference),
        what=what_is(data.labels, number, has_drawers=data.has_drawers),
    )


def _first_image(data: EvaluationData) -> int:
    """Return the first image of the test part, or of all where that is empty."""
    return int(data.split.test[0]) if len(data.split.test) else 0


def what_is(labels: Labels, number: int, *, has_drawers: bool) -> str:
    """Return what an image shows, in words, and who drew it or which one of its class it is."""
    name = labels.character_names[labels.character[number]]
    return (
        f"{brief(name)} by drawer {labels.drawer[number] + 1}"
        if has_drawers
        else f"{brief(name)}, image {labels.drawer[number] + 1}"
    )


def embedding_of(store: Store, model: Artifact, alphabet: str | None = None) -> Picture:
    """Draw where the model puts the images of an alphabet of its pair dataset, by default the first of the test part.

    Raises:
        NotFoundError: The dataset is no longer in the store.
        UsageError: There is no such alphabet, or it has too few images.
        DamagedFileError: A file does not hold what it should.
    """
    data = EvaluationData.read(pairs_of_models(store, [model]))
    chosen, name, part = _images_of_alphabet(data, alphabet)
    if len(chosen) < 3:
        raise SamplingError(f"{brief(name)} has {len(chosen)} images, too few for a map")
    pixels, labels = data.pixels(chosen), data.labels.character[chosen]
    vectors = embed(_network(model), torch.from_numpy(pixels), chosen.astype(np.int64), choose_compute("cpu", "fp32"))
    values = vectors.numpy()
    refuse_overflow(values, f"values in the vectors of {model.reference}")
    return embedding_map(
        pixels[chosen],
        labels,
        principal_plane(values),
        agreeing=neighbours_agree(values, labels),
        about=f"{model.reference}, {part} images",
        alphabet=name,
    )


def _images_of_alphabet(data: EvaluationData, alphabet: str | None) -> tuple[NDArray[np.int32], str, str]:
    """Return images of one alphabet, by a few drawers where there are many, its name and its part of the split."""
    labels, names = data.labels, data.labels.alphabet_names
    if alphabet is None:
        number = int(labels.alphabet[_first_image(data)])
    else:
        places = {name.casefold(): place for place, name in enumerate(names)}
        if alphabet.casefold() not in places:
            hint = f"There are {', '.join(map(brief, names[:60]))}."
            raise UsageError(f"--alphabet: there is no '{brief(alphabet)}'{did_you_mean(alphabet, names)}", hint=hint)
        number = places[alphabet.casefold()]
    mine = np.flatnonzero(labels.alphabet == number).astype(np.int32)
    for part in ("test", "validation", "train"):
        if len(within := np.intersect1d(mine, getattr(data.split, part))):
            mine = within
            break
    else:
        part = "unused"
    drawers = np.unique(labels.drawer[mine])
    mine = mine[np.isin(labels.drawer[mine], drawers[:_MOST_DRAWERS])]
    return mine[:_MOST_IMAGES], names[number], part
