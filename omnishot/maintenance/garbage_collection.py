"""gc: old versions go, but nothing that a kept artifact descends from or that a run needs."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import InputError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.artifact import Artifact, stand_ins
from omnishot.store.store import Store
from omnishot.vocabulary import KINDS


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


def clean(
    store: Store, keep: int, *, unfinished: bool = False, dry_run: bool = False, on_progress: OnProgress = silent
) -> Cleaned:
    """Remove what is not needed: of every name all but the newest versions.

    The newest artifact of each kind stays, what a running or interrupted run is made from, and everything that a kept
    artifact descends from. Artifacts whose manifests cannot be read are left alone. A damaged version does not count as
    one that is kept, and goes where a sound artifact of its recipe is there and nothing needs it.

    `keep` is the number of sound versions to keep of every name, 1 or more. `unfinished` also removes the states of
    interrupted runs; `dry_run` removes nothing, and only tells.

    Raises:
        UnavailableError: The store cannot be written.
    """
    everything, states = store.artifacts(), store.leftovers.unfinished()
    sound = {artifact.path: artifact.is_sound() for artifact in _candidates(everything, keep, on_progress)}
    kept: list[Artifact] = []
    removed: list[Artifact] = []

    def choose() -> list[Artifact]:
        now = store.artifacts()  # Others may have come or gone since; what is new counts as sound.
        paths = _with_ancestors(now, _wanted(store, now, keep, sound, unfinished=unfinished), sound)
        kept.extend(artifact for artifact in now if artifact.path in paths)
        # Children first: killed half-way, what is left still has its parents.
        removed.extend(artifact for artifact in reversed(now) if artifact.path not in paths)
        return removed

    size = sum(_size(path) for folder in states for path in folder.rglob("*"))
    if dry_run:
        choose()
    else:
        store.remove(choose)
        if unfinished:
            store.leftovers.remove_unfinished()
    return Cleaned(tuple(removed), tuple(kept), tuple(states), size)


def _candidates(everything: list[Artifact], keep: int, on_progress: OnProgress) -> Iterator[Artifact]:
    """Yield the artifacts whose soundness decides something: more versions than are kept, or several of one recipe."""
    chosen = [artifact for versions in _by_name(everything) if len(versions) > keep for artifact in versions]
    count = Counter(artifact.key for artifact in everything)
    chosen += [artifact for artifact in everything if count[artifact.key] > 1 and artifact not in chosen]
    for number, artifact in enumerate(chosen):
        on_progress(Progress("Checking versions", number, len(chosen), "artifacts"))
        yield artifact


def _by_name(everything: list[Artifact]) -> list[list[Artifact]]:
    names: dict[tuple[str, str], list[Artifact]] = {}
    for artifact in everything:
        names.setdefault((artifact.manifest.kind, artifact.manifest.name), []).append(artifact)
    return list(names.values())


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _with_ancestors(everything: list[Artifact], wanted: list[Artifact], sound: dict[Path, bool]) -> set[Path]:
    kept = {artifact.path for artifact in wanted}
    queue = list(wanted)
    while queue:
        for parent in queue.pop().manifest.parents:
            found = stand_ins(parent, everything)
            ancestor = next(
                (artifact for artifact in found if sound.get(artifact.path, True)), found[0] if found else None
            )
            if ancestor and ancestor.path not in kept:
                kept.add(ancestor.path)
                queue.append(ancestor)
    return kept


def _wanted(
    store: Store, everything: list[Artifact], keep: int, sound: dict[Path, bool], *, unfinished: bool
) -> list[Artifact]:
    replaced = {artifact.key for artifact in everything if sound.get(artifact.path, True)}
    wanted = [
        artifact
        for versions in _by_name(everything)
        for artifact in _last(versions, keep, sound)
        if sound.get(artifact.path, True) or artifact.key not in replaced
    ]
    for kind in KINDS:
        with contextlib.suppress(InputError):
            wanted.append(store.newest(kind))
    needed = store.leftovers.needed(unfinished=not unfinished)
    return wanted + [artifact for artifact in everything if str(artifact.reference) in needed]


def _last(versions: list[Artifact], keep: int, sound: dict[Path, bool]) -> list[Artifact]:
    kept: list[Artifact] = []
    n_sound = 0
    for artifact in sorted(versions, key=lambda artifact: -artifact.manifest.version):
        kept.append(artifact)
        n_sound += sound.get(artifact.path, True)
        if n_sound == keep:
            break
    return kept
