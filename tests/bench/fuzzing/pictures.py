"""Valid pictures of every kind and mode that can be read, to be damaged."""

import io
import random

import numpy as np
from PIL import Image


def valid_picture(rng: random.Random, kind: str, side: int = 105) -> bytes:
    """Return the bytes of a picture: a black block on white.

    Args:
        rng: Chooses the mode and the place of the block.
        kind: Pillow's name of the format.
        side: Its width and height, pixels.
    """
    image = Image.new("L", (side, side), 255)
    image.paste(0, (20, 20, 30 + rng.randrange(side - 40), 60))
    modes = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK"),
             "TIFF": ("1", "L", "RGB", "CMYK", "F", "I", "I;16"), "GIF": ("P",), "BMP": ("L",), "WEBP": ("RGB",),
             "PPM": ("L", "I")}  # fmt: skip
    mode, content = rng.choice(modes[kind]), io.BytesIO()
    deep = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    (deep if mode == "I;16" else image.convert(mode)).save(content, kind)
    return content.getvalue()
