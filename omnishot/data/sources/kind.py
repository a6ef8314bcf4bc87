"""Whether the pictures of a source are drawings, of two shades, or photographs, of many."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from omnishot.data.sources.decoding import FORMATS, Content, load, opened, upright
from omnishot.data.sources.ink import Shades, shades_of
from omnishot.errors import DamagedFileError

_NEAR = 0.25
_TWO_SHADES = 0.8
_COLOURFUL = 16
_SIDE = 64


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a sample of pictures showed.

    Attributes:
        looked_at: How many could be read.
        many_shades: In how many of them shades lie between the two that a drawing has.
        colourful: How many of the others are in colour.
    """

    looked_at: int
    many_shades: int
    colourful: int

    @property
    def is_photos(self) -> bool:
        """Whether most are photographs."""
        return 2 * (self.many_shades + self.colourful) > self.looked_at

    @property
    def why(self) -> str:
        """What the decision is made on, in words."""
        of = f"of {self.looked_at:,} looked at"
        if not self.is_photos:
            return f"{self.looked_at - self.many_shades - self.colourful:,} {of} have two shades, ink and ground"
        return f"{self.many_shades:,} {of} have many shades" + (
            f", {self.colourful:,} more are in colour" if self.colourful else ""
        )


def look_at(pictures: Sequence[Callable[[], Content]]) -> Look:
    """Look at pictures, or at a sample of them; those that cannot be read have no say."""
    looked_at = many = colourful = 0
    for read in pictures:
        with contextlib.suppress(DamagedFileError), opened(read(), "", FORMATS) as image:
            load(image, "")
            looked_at += 1
            if share_of_two_shades(shades_of(upright(image.convert("RGB").convert("L"), image))) < _TWO_SHADES:
                many += 1
            elif _chroma(image) > _COLOURFUL:
                colourful += 1
    return Look(looked_at, many, colourful)


def share_of_two_shades(shades: Shades) -> float:
    """Return how many of a picture's pixels are nearly as dark as its darkest or as bright as its brightest, of all."""
    histogram, reach = np.array(shades.histogram), _NEAR * shades.contrast
    brightness = np.arange(len(histogram))
    near = (brightness <= shades.low + reach) | (brightness >= shades.high - reach)
    return float(histogram[near].sum() / histogram.sum())


def _chroma(image: Image.Image) -> float:
    """Return the mean difference between a pixel's strongest and weakest of red, green and blue."""
    small = np.asarray(image.convert("RGBA").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float32)
    visible = small[..., 3] / 255
    return float((np.ptp(small[..., :3], axis=2) * visible).mean())
