"""The built-in source: invented alphabets, drawn on the spot, for machines without Omniglot."""

from omnishot.data.glyphs import draw_glyphs
from omnishot.data.image_set import ImageSet, Labels
from omnishot.progress import OnProgress, Progress

SETTINGS = {"seed": 0, "alphabets": 40, "characters": 25, "drawers": 20}
"""How many there are of each; the same for everyone, so that figures can be compared."""

DIGEST = "glyphs-1"
"""Changes whenever the generator draws other pixels for the same settings."""


def read(on_progress: OnProgress) -> ImageSet:
    """Draw all alphabets."""
    on_progress(Progress("Drawing glyphs", 0, 0, "images"))
    glyphs = draw_glyphs(
        seed=SETTINGS["seed"],
        n_alphabets=SETTINGS["alphabets"],
        n_characters=SETTINGS["characters"],
        n_drawers=SETTINGS["drawers"],
    )
    alphabets = [f"Invented_{i + 1:02d}" for i in glyphs.alphabet]
    numbers = glyphs.character % SETTINGS["characters"]
    characters = [f"{name}/character{i + 1:02d}" for name, i in zip(alphabets, numbers, strict=True)]
    return ImageSet(glyphs.pixels, Labels.from_names(alphabets, characters, glyphs.drawer))
