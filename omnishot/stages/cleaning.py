"""gc: old versions go, but nothing that a kept artifact descends from, and nothing that is being read."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from omnishot.artifacts.artifact import Artifact
from omnishot.artifacts.reference import KINDS
from omnishot.artifacts.store import Store
from omnishot.errors import InputError


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning removed and kept.

    Attributes:
        removed: Artifacts that went, or would go; children before their parents.
        kept: Artifacts that stay, the oldest first.
        interrupted: Folders with the state of interrupted runs; they went too where that was asked for.
        interrupted_bytes: Their size.
    """

    removed: tuple[Artifact, ...]
    kept: tuple[Artifact, ...]
    interrupted: tuple[Path, ...]
    interrupted_bytes: int


def clean(store: Store, keep: int, *, unfinished: bool = False, dry_run: bool = False) -> Cleaned:
    """Remove what is not needed: of every name all but the newest versions.

    The newest artifact of each kind stays, and everything that a kept artifact descends from. Artifacts whose manifests
    cannot be read are left alone, and a damaged version does not count as one that is kept.

    Args:
        store: What to clean.
        keep: Sound versions to keep of every name, 1 or more.
        unfinished: Also remove the states of interrupted runs.
        dry_run: Remove nothing, only tell.

    Raises:
        UnavailableError: The store cannot be written.
    """
    everything = store.artifacts()
    kept = _with_ancestors(everything, _wanted(store, everything, keep))
    # Children first: killed half-way, what is left still has its parents.
    removed = tuple(artifact for artifact in reversed(everything) if artifact.path not in kept)
    states = tuple(store.unfinished())
    size = sum(path.stat().st_size for folder in states for path in folder.rglob("*"))
    if not dry_run:
        for artifact in removed:
            store.remove(artifact)
        if unfinished:
            store.remove_unfinished()
    return Cleaned(removed, tuple(artifact for artifact in everything if artifact.path in kept), states, size)


def _with_ancestors(everything: list[Artifact], wanted: list[Artifact]) -> set[Path]:
    kept = {artifact.path for artifact in wanted}
    queue = list(wanted)
    while queue:
        for parent in queue.pop().manifest.parents:
            for ancestor in _made_as(everything, parent.recipe, parent.reference):
                if ancestor.path not in kept:
                    kept.add(ancestor.path)
                    queue.append(ancestor)
    return kept


def _wanted(store: Store, everything: list[Artifact], keep: int) -> list[Artifact]:
    names: dict[tuple[str, str], list[Artifact]] = {}
    for artifact in everything:
        names.setdefault((artifact.manifest.kind, artifact.manifest.name), []).append(artifact)
    wanted = [artifact for versions in names.values() for artifact in _last(versions, keep)]
    for kind in KINDS:
        with contextlib.suppress(InputError):
            wanted.append(store.newest(kind))
    being_read = store.being_read()
    return wanted + [artifact for artifact in everything if str(artifact.reference) in being_read]


def _last(versions: list[Artifact], keep: int) -> list[Artifact]:
    kept: list[Artifact] = []
    n_sound = 0
    for artifact in sorted(versions, key=lambda artifact: -artifact.manifest.version):
        kept.append(artifact)
        n_sound += artifact.is_sound()
        if n_sound == keep:
            break
    return kept


def _made_as(everything: list[Artifact], recipe: str, reference: str) -> list[Artifact]:
    same = [artifact for artifact in everything if artifact.manifest.recipe == recipe]
    return [artifact for artifact in same if str(artifact.reference) == reference] or same
