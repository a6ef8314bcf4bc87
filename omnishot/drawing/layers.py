"""What is inside a network: its first filters, and what every layer responds to."""

from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from omnishot.drawing.picture import FAINT, FIRST, INK, SECOND, Picture, draw, tint
from omnishot.drawing.sheet import WIDTH, frame, mosaic, reduced, sheet, tile, words
from omnishot.errors import brief
from omnishot.evaluation.activations import Response

_EDGE = 0.1
_PER_ROW = 8
_ROWS_OF_MAPS = 2
_MOST_PIXELS = 48
_LEGEND = ("more ink: a", "higher response;", "each map from its", "least to its most")


def first_filters(filters: dict[str, NDArray[np.float32]]) -> Picture:
    """Draw the first-layer filters of one or two models, each of shape (n_filters, height, width), side by side."""
    most = max(map(len, filters.values()))
    width = WIDTH / 2 if len(filters) > 1 else WIDTH * 0.8
    side = (width - 2 * _EDGE) / _PER_ROW
    rows = -(-most // _PER_ROW)
    head, foot = 0.42, 0.34

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        for number, (model, weights) in enumerate(filters.items()):
            x = number * width + _EDGE
            n, height, breadth = weights.shape
            words(axes, x, 0.06, model, bold=True, size=8, align="left")
            words(axes, x, 0.21, f"{n} filters of {height} x {breadth}", colour=FAINT, align="left")
            _signed_tiles(axes, weights, x, head, side)
        words(axes, _EDGE, head + rows * side + 0.1, "■ ink raises the response", colour=FIRST, align="left")
        words(axes, _EDGE + 1.55, head + rows * side + 0.1, "■ ink lowers it", colour=SECOND, align="left")

    return draw(
        "filters",
        f"First-layer filters of {' and '.join(map(brief, filters))}",
        _said_of_filters(filters),
        onto,
        width=width * len(filters),
        height=head + rows * side + foot,
    )


def _signed_tiles(axes: Axes, weights: NDArray[np.float32], x: float, y: float, side: float) -> None:
    """Draw filters as squares, each weight in one of two colours by its sign, as strong as the model has it."""
    scale = float(np.percentile(np.abs(weights), 99)) or 1.0
    step = max(1, round(30 / max(weights.shape[1:])))  # Pixels of a weight, so that gaps are as thin as they should be.
    large = np.kron(np.clip(weights / scale, -1, 1), np.ones((1, step, step)))
    n, height, width = large.shape
    gap = round(0.12 * width)
    inch = side / (width + gap)
    for sign, colour in ((1, FIRST), (-1, SECOND)):
        laid = mosaic(np.maximum(sign * large, 0), _PER_ROW, gap)
        tint(axes, laid, colour, (x, x + laid.shape[1] * inch, y + laid.shape[0] * inch, y))
    for number in range(n):
        row, column = divmod(number, _PER_ROW)
        left, top = x + column * (width + gap) * inch, y + row * (height + gap) * inch
        frame(axes, left, top, width * inch, height * inch, thickness=0.5)


def _said_of_filters(filters: dict[str, NDArray[np.float32]]) -> str:
    each = [
        f"{brief(model)} has {len(weights)} filters of {weights.shape[1]} by {weights.shape[2]} pixels, weights from "
        f"{weights.min():.2f} to {weights.max():.2f}"
        for model, weights in filters.items()
    ]
    return "; ".join(each) + ". Blue weights raise a filter's response where there is ink, orange ones lower it."


def activation_maps(pixels: NDArray[np.uint8], layers: list[Response], *, about: str, what: str) -> Picture:
    """Draw the strongest maps of every convolution, from the first to the last, for one image.

    The image has the shape (h, h), uint8, ink 255 on 0; `about` says of which model, `what` what it shows.
    """
    first = 0.95
    side = (WIDTH - 2 * _EDGE - first - 0.2) / _PER_ROW
    head, spare = 0.21, 0.16
    block = head + _ROWS_OF_MAPS * side + spare

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        tile(axes, pixels, _EDGE, _EDGE + head, first, colour=INK, thickness=1.2)
        words(axes, _EDGE, 0.1, "image", bold=True, size=8, align="left")
        lines = wrap(brief(what).replace("/", " / "), 16)[:5]
        for line, text in enumerate([*lines, "", *_LEGEND]):
            words(axes, _EDGE, _EDGE + head + first + 0.08 + 0.13 * line, text, colour=FAINT, size=7, align="left")
        for number, layer in enumerate(layers):
            _maps(axes, layer, _EDGE + first + 0.2, _EDGE + number * block, side)

    return draw(
        "activations",
        f"Activation maps of {brief(about)} for {brief(what)}",
        _said_of_activations(layers, what),
        onto,
        width=WIDTH,
        height=2 * _EDGE + len(layers) * block - spare,
    )


def _strongest(layer: Response) -> NDArray[np.intp]:
    """Return the channels whose response differs most from place to place; one that is even shows nothing."""
    contrast = layer.maps.std(axis=(1, 2))
    return np.argsort(-contrast, kind="stable")[: _PER_ROW * _ROWS_OF_MAPS]


def _maps(axes: Axes, layer: Response, x: float, y: float, side: float) -> None:
    n, height, width = layer.maps.shape
    chosen = _strongest(layer)
    words(axes, x, y, layer.layer, bold=True, size=8, align="left")
    text = f"{len(chosen)} of {n} maps of {height} x {width}, strongest contrast first"
    words(axes, x + 0.5, y, text, colour=FAINT, align="left")
    gap = side * 0.08
    for number, channel in enumerate(chosen):
        left, top = x + number % _PER_ROW * side, y + 0.21 + number // _PER_ROW * side
        extent = (left, left + side - gap, top + side - gap, top)
        tint(axes, _shades(layer.maps[channel]), INK, extent)
        frame(axes, left, top, side - gap, side - gap, thickness=0.5)


def _shades(response: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a map from its least to its greatest response as shades from 0 to 1."""
    above = response - response.min()
    return reduced(np.round(255 * above / (above.max() or 1)).astype(np.uint8), _MOST_PIXELS)


def _said_of_activations(layers: list[Response], what: str) -> str:
    each = [
        f"{layer.layer} {len(_strongest(layer))} of {len(layer.maps)} maps of {layer.maps.shape[1]} by "
        f"{layer.maps.shape[2]}, of which {int((layer.maps.max(axis=(1, 2)) > 0).sum())} respond at all"
        for layer in layers
    ]
    start = (
        f"The image of {brief(what)}, and those rectified responses of each convolution that differ most from place to"
    )
    return f"{start} place: {'; '.join(each)}."
