"""A pair of images and the affine distortions that a network is trained on in its place."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from omnishot.drawing.picture import FAINT, INK, Picture, draw
from omnishot.drawing.sheet import WIDTH, sheet, tile, words
from omnishot.errors import brief

_EDGE = 0.1
_PER_ROW = 5


def affine_variants(
    left: NDArray[np.uint8], right: NDArray[np.uint8], *, names: tuple[str, str], about: str
) -> Picture:
    """Draw both sides of a pair, each as it was drawn and in every variant, of which there may be none.

    A side is an image and its variants, shape (1 + k, h, h), uint8, ink 255 on 0; `names` says what the two show.
    """
    n = len(left)
    columns = min(_PER_ROW, n)
    rows = -(-n // columns)
    side = (WIDTH - 2 * _EDGE) / _PER_ROW
    head, foot = 0.26, 0.17
    block = head + rows * (side - 0.06 + foot)
    width = max(2 * _EDGE + columns * side, 2.6)

    def onto(figure: Figure) -> None:
        axes = sheet(figure)
        for number, (images, name) in enumerate(zip((left, right), names, strict=True)):
            y = _EDGE + number * (block + 0.08)
            words(axes, _EDGE, y, ("left: ", "right: ")[number] + name, bold=True, size=8, align="left")
            for place, image in enumerate(images):
                x, top = _EDGE + place % columns * side, y + head + place // columns * (side - 0.06 + foot)
                tile(axes, image, x, top, side - 0.08, colour=FAINT if place else INK, thickness=0.6 if place else 1.4)
                label = f"variant {place}" if place else "as drawn"
                words(axes, x + (side - 0.08) / 2, top + side - 0.05, label, colour=FAINT if place else INK, size=7)

    title, said = f"Affine variants: {about}", f"Left {brief(names[0])}, right {brief(names[1])}, each as drawn"
    if n > 1:
        said += f" and in {n - 1} affine variants: turned, sheared, scaled and shifted at random, separately for the "
        said += "two sides."
    else:
        title, said = f"Training pair: {about}", f"{said}; the dataset has no affine variants."
    return draw("affine-variants", title, said, onto, width=width, height=2 * _EDGE + 2 * block + 0.08)
