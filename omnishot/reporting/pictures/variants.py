"""Pair datasets become pictures of one training pair and its affine variants."""

import numpy as np
import torch
from numpy.typing import NDArray

from omnishot.data.render import affine_matrices, render
from omnishot.drawing.picture import Picture
from omnishot.drawing.variants import affine_variants
from omnishot.errors import SamplingError, UsageError
from omnishot.formats.evaluation_data import says_who_drew
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels
from omnishot.formats.pairs import read_pairs, read_variants
from omnishot.reporting.pictures.network import what_is
from omnishot.store.artifact import Artifact

_MOST_VARIANTS = 9


def variants_of(pairs: Artifact, number: int | None = None) -> Picture:
    """Draw a training pair and its affine variants, as far as the dataset has any.

    Pairs are counted from 0; the default is the first one of a single class.

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
    same = "one class" if drawn.same[number] else "two classes"
    has_drawers = says_who_drew(pairs.manifest)
    return affine_variants(
        left,
        right,
        names=(
            what_is(labels, int(both[0]), has_drawers=has_drawers),
            what_is(labels, int(both[1]), has_drawers=has_drawers),
        ),
        about=f"pair {number:,} of {pairs.reference}, {same}",
    )


def _rendered(pixels: NDArray[np.uint8], parameters: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return an image and its variants, as many as are shown, shape (1 + k, h, h)."""
    parameters = parameters[:_MOST_VARIANTS]
    if not len(parameters):
        return pixels[None]
    repeated = torch.from_numpy(pixels).expand(len(parameters), -1, -1)
    variants = render(repeated, affine_matrices(torch.from_numpy(parameters)), pixels.shape[0])[:, 0]
    return np.concatenate([pixels[None], variants.mul(255).round().to(torch.uint8).numpy()])
