"""What is ink in the pictures of a source: one decision for all of them, told from what differs from the ground.

A picture's *ground* is the median brightness of its border. The decision is made on a sample, before anything is read,
so that it can be recorded as a setting; where it reads every picture as its own border would have it, there is nothing
to record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from omnishot.vocabulary import InkName

WHITE = 65_535
"""What is white in a picture of 16 bits, unless a source uses fewer of them."""

_ONE_SIDED = 0.9
_BLANK_GROUNDS = 32, 223
_FAINTEST = 16
_CLEARLY = 4
_MUCH, _MOST = 0.1, 0.8
_SIDE = 105


@dataclass(frozen=True, slots=True)
class Shades:
    """The brightness of one picture, 0 to 255, before it is decided what of it is ink.

    Attributes:
        ground: Median of the border.
        histogram: How many pixels have each brightness, once the noise of a large picture is averaged out.
        peak: Largest value of a picture of 16 bits, or 0.
        is_on_black: Whether transparent parts were made black, because all that is visible is nearly white.
    """

    ground: float
    histogram: Sequence[int]
    peak: int = 0
    is_on_black: bool = False

    @property
    def low(self) -> int:
        """The darkest."""
        return next(brightness for brightness, n in enumerate(self.histogram) if n)

    @property
    def high(self) -> int:
        """The brightest."""
        return 255 - next(rest for rest, n in enumerate(reversed(self.histogram)) if n)

    @property
    def contrast(self) -> int:
        """How far the darkest and the brightest are apart."""
        return self.high - self.low

    @property
    def darkness(self) -> float:
        """How much of what differs clearly from the ground is darker than it, as a share in [0, 1]."""
        step = np.arange(256) - self.ground
        weight = np.where(np.abs(step) * _CLEARLY > self.contrast, np.abs(step), 0) * np.array(self.histogram)
        return float(weight[step < 0].sum() / weight.sum()) if weight.any() else 0.5

    @property
    def is_light_by_border(self) -> bool:
        """Whether the border alone has the ground for a bright one, and so the ink for dark."""
        return self.ground > 127


@dataclass(frozen=True, slots=True)
class Reading:
    """How brightness becomes ink in all pictures of a source.

    Attributes:
        ink: Whether it is the dark or the light that is ink.
        is_asked: Whether somebody said so, which holds without exception.
        levels: Brightness that becomes 0 and that becomes 255, between which shades are spread.
        white: What is white in pictures of 16 bits.
        settings: What of this differs from what each picture's border and file type say.
    """

    ink: InkName
    is_asked: bool = False
    levels: tuple[int, int] = (0, 255)
    white: int = WHITE
    settings: Mapping[str, object] = field(default_factory=dict)

    def is_dark(self, shades: Shades) -> bool:
        """Tell whether the dark of a picture is its ink.

        It is as in all pictures of the source, but for those that are blank, and those that are unmistakably drawn the
        other way round: on black where others are on white, or on white where others are on black.
        """
        low, high = self.levels
        if shades.contrast * _FAINTEST <= high - low:
            return self.table[round(shades.ground)] > 127
        if not self.is_asked and _is_contrary(shades, self.ink):
            return self.ink != "dark"
        return self.ink == "dark"

    @property
    def table(self) -> list[int]:
        """What becomes of each brightness when shades are spread between the two levels."""
        low, high = self.levels
        return [min(255, max(0, round((brightness - low) * 255 / (high - low)))) for brightness in range(256)]


def shades_of(grey: Image.Image, *, peak: int = 0, is_on_black: bool = False) -> Shades:
    """Measure a picture.

    Args:
        grey: Its brightness, mode L.
        peak: As in `Shades`.
        is_on_black: As in `Shades`.
    """
    width, height = grey.size
    edges = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
    ground = float(np.median(np.concatenate([np.asarray(grey.crop(box)).reshape(-1) for box in edges])))
    reduced = grey.reduce(factor) if (factor := min(grey.size) // _SIDE) > 1 else grey
    return Shades(ground, reduced.histogram(), peak, is_on_black)


def white_of(pictures: Sequence[Shades]) -> int:
    """Return what is white in a source's pictures of 16 bits: all bits that any of them uses."""
    peak = max((picture.peak for picture in pictures), default=0)
    return bits_of(peak) if peak else WHITE


def bits_of(value: int) -> int:
    """Return the largest number that takes no more bits than a value does."""
    return (1 << value.bit_length()) - 1


def decide(pictures: Sequence[Shades], asked: InkName = "auto", *, white: int = WHITE) -> Reading:
    """Decide how to read a source.

    Args:
        pictures: Measures of its pictures, or of a sample of them.
        asked: What the user says is ink, or `auto`.
        white: What was white in pictures of 16 bits.
    """
    span = max((one.high for one in pictures), default=0) - min((one.low for one in pictures), default=0)
    drawn = [one for one in pictures if one.contrast * _FAINTEST > span]
    tells = [one.darkness + (0.001 if one.is_light_by_border else -0.001) for one in drawn or pictures]
    ink: InkName = asked if asked != "auto" else "dark" if np.mean(tells or [1]) > 0.5 else "light"
    usual = [one for one in drawn if asked != "auto" or not _is_contrary(one, ink)]
    misread = [one for one in usual if one.is_light_by_border != (ink == "dark")]
    levels = (0, 255)
    if usual and (len(misread) > _MUCH * len(usual) or 0 < span < 2 * _FAINTEST):
        levels = _levels(usual, ink)
    settings: dict[str, object] = {}
    if misread or asked != "auto":
        settings["ink"] = ink
    if asked != "auto":
        settings["asked"] = True
    if levels != (0, 255):
        settings["levels"] = list(levels)
    if white != WHITE:
        settings["white"] = white
    if asked == "auto" and any(one.is_on_black for one in pictures):
        settings["transparent"] = "black"
    return Reading(ink, asked != "auto", levels, white, settings)


def _is_contrary(shades: Shades, ink: InkName) -> bool:
    """Tell whether a picture is unmistakably drawn the other way round."""
    black, white = _BLANK_GROUNDS
    if ink == "dark":
        return shades.ground <= black and shades.darkness <= 1 - _ONE_SIDED
    return shades.ground >= white and shades.darkness >= _ONE_SIDED


def _levels(pictures: Sequence[Shades], ink: InkName) -> tuple[int, int]:
    """Return levels between which a source's ground becomes blank; pictures with shades on both sides keep them all."""
    sided = [one.darkness if ink == "dark" else 1 - one.darkness for one in pictures]
    if np.mean(np.array(sided) >= _ONE_SIDED) < _MOST:
        return 0, 255
    ground = round(float(np.median([one.ground for one in pictures])))
    extremes = [one.low if ink == "dark" else one.high for one in pictures]
    strongest = round(float(np.median(extremes)))
    low, high = (strongest, ground) if ink == "dark" else (ground, strongest)
    return (low, high) if low < high else (0, 255)
