"""What the shell completes: references, presets, kinds and alphabets, found by looking at names and never at manifests.

A shell asks with every press of the tab key, so that nothing heavy is imported; and where something cannot be read,
nothing is offered instead of an error in the middle of a line. Typer picks those that begin with what is there already.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from omnishot.errors import OmnishotError, UsageError
from omnishot.machine import with_home
from omnishot.presets import preset_names
from omnishot.store.places import version_folders
from omnishot.store.reference import Reference, parse, parse_exact
from omnishot.store.text_file import read_text

Completion = Callable[[typer.Context, str], list[str]]


def references(*kinds: str) -> Completion:
    """Return what completes a reference to an artifact of some kinds."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        found = (name for known in _known(_folder(context), kinds) for name in _spellings(known, kinds, incomplete))
        return list(dict.fromkeys(found))

    return complete


def presets() -> list[str]:
    """Return the presets that can be trained."""
    return ["auto", *preset_names()]


def alphabets(context: typer.Context) -> list[str]:
    """Return the names of the alphabets in the newest images of the store."""
    from omnishot.formats.hdf5 import open_hdf5, read_names  # Deferred: h5py takes a tenth of a second.

    with contextlib.suppress(OmnishotError, OSError):
        if folder := _newest_images(_folder(context)):
            with open_hdf5(folder / "images.h5") as file:
                return [_quoted(name) for name in read_names(file, "images/alphabet_names")]
    return []


def _quoted(name: str) -> str:
    """Return a name as it is typed; other shells than bash quote what is completed by themselves."""
    if os.environ.get("_OMNISHOT_COMPLETE") != "complete_bash":
        return name
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", name)


def _folder(context: typer.Context) -> Path:
    return with_home(Path(context.params.get("store") or "artifacts"))


def _known(root: Path, kinds: tuple[str, ...]) -> Iterator[Reference]:
    """Yield what is in a store, by the names of its folders."""
    for path in version_folders(root, *kinds, damaged={}):
        with contextlib.suppress(UsageError):
            yield parse_exact(f"{path.parent.parent.name}/{path.parent.name}:{path.name}")


def _spellings(known: Reference, kinds: tuple[str, ...], incomplete: str) -> Iterator[str]:
    """Yield the ways to name an artifact; a version only once its colon is there, as bash ends a word at it."""
    version = f":v{known.version}" if ":" in incomplete else ""
    if incomplete or len(kinds) == 1:
        yield known.name + version
    if "/" in incomplete or len(kinds) > 1:
        yield f"{known.kind}/{known.name}{version}"


def _newest_images(root: Path) -> Path | None:
    """Return the folder of the images that were made last, or used last."""
    with contextlib.suppress(OmnishotError):
        query = parse(read_text(root / "images" / ".current"))
        if (noted := root / "images" / query.name / f"v{query.version}").is_dir():
            return noted
    made = [root / known.kind / known.name / f"v{known.version}" for known in _known(root, ("images",))]
    return max(made, key=lambda path: path.stat().st_mtime, default=None)
