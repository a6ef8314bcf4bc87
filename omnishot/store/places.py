"""Where artifacts lie below a store's root, by the names of folders alone."""

import re
from pathlib import Path

from omnishot.vocabulary import KINDS

VERSION = re.compile("v[1-9][0-9]{0,8}")
"""What folders of artifacts are called."""


def version_folders(root: Path, *kinds: str) -> list[Path]:
    """Return the folders of versions of some kinds, by default of all, below a store's root.

    Nothing else is looked into, and what others remove meanwhile is passed over.
    """
    names = [folder for kind in kinds or KINDS for folder in folders_in(root / kind) if folder.name[0] != "."]
    return [folder for name in names for folder in folders_in(name) if VERSION.fullmatch(folder.name)]


def folders_in(folder: Path) -> list[Path]:
    """Return what is in a folder, in order of name; nothing where it is none, or may not be read."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
