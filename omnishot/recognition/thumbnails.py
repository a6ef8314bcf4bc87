"""Small pictures that a gallery keeps, so that another model can enroll them again."""

import io

import numpy as np
from PIL import Image, ImageOps

from omnishot.vocabulary import PreparationName

SIDE = 256
"""The longer side of a thumbnail has at most so many pixels."""

_QUALITY = 90
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM")


def thumbnail(content: bytes, preparation: PreparationName) -> bytes:
    """Return a picture made small: a drawing as PNG, which loses nothing, a photo as JPEG.

    Args:
        content: The file's bytes, which were read as a picture before: nothing is checked again.
        preparation: Of the gallery's model.
    """
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        small = _in_8_bits(ImageOps.exif_transpose(image))
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    kept = io.BytesIO()
    if preparation == "drawing":
        small.save(kept, "PNG", optimize=True)
    else:
        ground = Image.new("RGBA", small.size, "white")
        Image.alpha_composite(ground, small.convert("RGBA")).convert("RGB").save(kept, "JPEG", quality=_QUALITY)
    return kept.getvalue()


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Return a picture in grey or colour, with its transparency, of 8 bits a channel."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(np.rint((values - low) * (255 / ((high - low) or 1))).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")
