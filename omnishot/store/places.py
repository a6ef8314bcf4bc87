"""Where artifacts lie below a store's root, by the names of folders alone."""

import re
from pathlib import Path

from omnishot.errors import DamagedFileError
from omnishot.vocabulary import KINDS

VERSION = re.compile("v[1-9][0-9]{0,8}")
"""What folders of artifacts are called."""

UNLISTED = "*"
"""Stands for the names, or versions, in a folder that cannot be listed: `evals/*/*`, `evals/golden-lake/*`."""


def version_folders(root: Path, *kinds: str, damaged: dict[Path, DamagedFileError] | None = None) -> list[Path]:
    """Return the folders of versions of some kinds, by default of all, below a store's root.

    Nothing else is looked into, and what others remove meanwhile is passed over.

    Args:
        root: The store's folder.
        kinds: The kinds.
        damaged: Collects what cannot be listed, by a path that ends with `UNLISTED` for what may lie there, where the
            caller can do without it.

    Raises:
        DamagedFileError: A folder cannot be listed, and nothing collects that.
    """
    unlisted: dict[Path, DamagedFileError] = {}
    found: list[Path] = []
    for place in (root / kind for kind in kinds or KINDS):
        try:
            names = [folder for folder in folders_in(place) if folder.name[0] != "."]
        except DamagedFileError as error:
            unlisted[place / UNLISTED / UNLISTED] = error
            continue
        for name in names:
            try:
                found += versions_in(name)
            except DamagedFileError as error:
                unlisted[name / UNLISTED] = error
    if damaged is not None:
        damaged.update(unlisted)
    elif unlisted:
        raise next(iter(unlisted.values()))
    return found


def versions_in(name: Path) -> list[Path]:
    """Return the folders of versions in that of a name; raises what `folders_in` does."""
    return [folder for folder in folders_in(name) if VERSION.fullmatch(folder.name)]


def folders_in(folder: Path) -> list[Path]:
    """Return what is in a folder, in order of name; nothing where there is none.

    Raises:
        DamagedFileError: It cannot be listed, or lies behind a link that leads nowhere.
    """
    try:
        return sorted(folder.iterdir())
    except NotADirectoryError:
        return []
    except OSError as error:
        if is_gone(folder):
            return []
        hint = "Make it readable, and see that its disk or server answers."
        raise DamagedFileError(f"{folder} cannot be listed: {error.strerror}", hint=hint) from None


def is_gone(path: Path) -> bool:
    """Tell whether nothing is at a path.

    What may not be looked at, or lies behind a link that leads nowhere, is there for all one knows: its disk may be
    mounted again.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return not any(place.is_symlink() and not place.exists() for place in path.parents)
    except OSError:
        pass
    return False
