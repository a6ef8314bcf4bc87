"""The trained models that ship with omnishot: a folder of artifacts as in any store, but nobody writes to it."""

from importlib import resources
from pathlib import Path


def box_folder() -> Path:
    """Return where they are, `models/omnishot-NAME/vN` below it."""
    return Path(str(resources.files("omnishot"))) / "weights"
