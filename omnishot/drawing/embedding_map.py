"""Where a network puts the images of one alphabet, in the plane in which they differ most."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from omnishot.drawing.picture import FAINT, SERIES, Colour, Picture, draw, photograph, tint
from omnishot.drawing.sheet import WIDTH, reduced, sheet, shrunk, words
from omnishot.errors import brief
from omnishot.evaluation.projection import Projection

_EDGE = 0.12
_SIDE = 0.24
_DOTS_PER_INCH = 150


def embedding_map(
    pixels: NDArray[np.uint8],
    characters: NDArray[np.integer],
    projection: Projection,
    *,
    agreeing: float,
    about: str,
    alphabet: str,
) -> Picture:
    """Draw images at the places of their vectors, tied to the middle of their character.

    Pixels are uint8: drawings, shape (n, h, h), ink 255 on 0, or photographs, (n, h, h, 1 or 3). `agreeing` is the
    share of images whose nearest vector, of all dimensions, is of the same character; `about` says which model and
    images these are.
    """
    width = WIDTH - 2 * _EDGE
    points, spread = projection.points - projection.points.min(axis=0), np.ptp(projection.points, axis=0)
    # As wide as the sheet, and as high as the same scale makes it, within what can be read.
    scale = (width - _SIDE) / (spread[0] or 1.0)
    height = float(np.clip(spread[1] * scale, 1.5, 5.5))
    scale = min(scale, height / (spread[1] or 1.0))
    places = points * [scale, -scale] + [_EDGE + _SIDE / 2, _EDGE + _SIDE / 2 + height]
    names, number = np.unique(characters, return_inverse=True)
    middles = np.stack([places[number == which].mean(axis=0) for which in range(len(names))])
    colours = _told_apart(middles)

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        for place, which in zip(places, number, strict=True):
            line = np.stack([place, middles[which]])
            axes.plot(*line.T, color=colours[which].drawn, alpha=0.35, linewidth=0.8, zorder=1)
        if pixels.ndim == 4:
            for image, (x, y) in zip(pixels, places, strict=True):
                half = _SIDE / 2
                photograph(axes, shrunk(image, 35), (x - half, x + half, y + half, y - half))
        else:
            drawn = np.stack([reduced(image, 35) for image in pixels])
            for colour in SERIES:
                chosen = np.array([colours[which] == colour for which in number])
                _glyphs(axes, drawn[chosen], places[chosen], colour, height)
        below = height + _SIDE + 2 * _EDGE
        first, second = 100 * projection.shares
        words(
            axes, _EDGE, below, f"→ 1st principal component, {first:.0f} % of the variance", colour=FAINT, align="left"
        )
        words(axes, WIDTH - _EDGE, below, f"↑ 2nd, {second:.0f} %", colour=FAINT, align="right")
        found = f"nearest other image, in all dimensions: the same class for {100 * agreeing:.0f} % of the images"
        words(axes, _EDGE, below + 0.15, found, colour=FAINT, align="left")

    said = (
        f"{len(pixels)} images of {len(names)} classes of {brief(alphabet)} at the places of their vectors, in the "
        f"plane of the first two principal components, which hold {projection.shares[0]:.0%} and "
        f"{projection.shares[1]:.0%} of the variance. In all dimensions the nearest other image is of the same "
        f"class for {agreeing:.0%} of the images."
    )
    title = f"Embeddings of {brief(alphabet)}: {about}"
    return draw("embedding", title, said, onto, width=WIDTH, height=height + _SIDE + 2 * _EDGE + 0.35)


def _glyphs(axes: Axes, drawn: NDArray[np.float64], places: NDArray[np.float64], colour: Colour, height: float) -> None:
    """Draw all images of one colour as one image, in which the darker of two that overlap is seen."""
    shape = round((height + _SIDE + 2 * _EDGE) * _DOTS_PER_INCH), round(WIDTH * _DOTS_PER_INCH)
    canvas = np.zeros(shape)
    for image, (x, y) in zip(drawn, places, strict=True):
        h, w = image.shape
        top, left = round(y * _DOTS_PER_INCH - h / 2), round(x * _DOTS_PER_INCH - w / 2)
        part = canvas[max(top, 0) : top + h, max(left, 0) : left + w]
        np.maximum(part, image[: part.shape[0], : part.shape[1]], out=part)
    extent = (0, shape[1] / _DOTS_PER_INCH, shape[0] / _DOTS_PER_INCH, 0)
    tint(axes, canvas, colour, extent, smooth=True)


def _told_apart(middles: NDArray[np.float64]) -> list[Colour]:
    """Give each place one of the few colours, so that the nearest other place of its colour is far away."""
    chosen: list[int] = []
    for place in range(len(middles)):
        away = np.hypot(*(middles[:place] - middles[place]).T)
        had = np.array(chosen, dtype=int)
        nearest = [away[had == colour].min(initial=np.inf) for colour in range(len(SERIES))]
        chosen.append(int(np.argmax(nearest)))
    return [SERIES[colour] for colour in chosen]
