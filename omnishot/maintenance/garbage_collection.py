"""gc: old versions go, but nothing that a kept artifact descends from or that a run needs."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import DamagedFileError, InputError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.artifact import Artifact, stand_ins
from omnishot.store.order import read_order
from omnishot.store.places import UNLISTED
from omnishot.store.store import Store
from omnishot.vocabulary import KINDS


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning removed and kept.

    Attributes:
        removed: Artifacts that went, or would go; children before their parents.
        kept: Artifacts that stay, the oldest first.
        damaged: Those that stay and are damaged: they do not count among the versions to keep.
        unreadable: Manifests that say what is wrong with them; what they may have been made from is kept.
        linked: Folders of names that are links to somewhere else, where nothing is removed.
        interrupted: Folders with the state of interrupted runs; they went too where that was asked for.
        interrupted_bytes: Their size.
    """

    removed: tuple[Artifact, ...]
    kept: tuple[Artifact, ...]
    damaged: tuple[Artifact, ...]
    unreadable: tuple[DamagedFileError, ...]
    linked: tuple[Path, ...]
    interrupted: tuple[Path, ...]
    interrupted_bytes: int


def clean(
    store: Store, keep: int, *, unfinished: bool = False, dry_run: bool = False, on_progress: OnProgress = silent
) -> Cleaned:
    """Remove what is not needed: of every name all but the newest versions.

    The newest artifact of each kind stays, what a running or interrupted run is made from, and everything that a kept
    artifact descends from. Artifacts whose manifests cannot be read are left alone, and so is all that they may have
    been made from; a folder that cannot be listed may hold any. What lies behind a link is somebody else's. A damaged
    version does not count as one that is kept, and goes where a sound artifact of its recipe is there and nothing needs
    it.

    `keep` is the number of sound versions to keep of every name, 1 or more. `unfinished` also removes the states of
    interrupted runs; `dry_run` removes nothing, and only tells.

    Raises:
        DamagedFileError: The note of what is newest cannot be read.
        UnavailableError: The store cannot be written.
    """
    everything, states = store.artifacts(damaged={}), store.leftovers.unfinished()
    sound = {artifact.path: artifact.is_sound() for artifact in _candidates(everything, keep, on_progress)}
    kept: list[Artifact] = []
    removed: list[Artifact] = []
    unreadable: dict[Path, DamagedFileError] = {}

    def choose() -> list[Artifact]:
        now = store.artifacts(damaged=unreadable)  # Others may have come or gone since; what is new counts as sound.
        wanted = _wanted(store, now, keep, sound, unfinished=unfinished)
        wanted += [artifact for artifact in now if _is_linked(artifact) or _may_be_parent(artifact, unreadable)]
        paths = _with_ancestors(now, wanted, sound)
        kept.extend(artifact for artifact in now if artifact.path in paths)
        removed.extend(_children_first([artifact for artifact in now if artifact.path not in paths]))
        return removed

    size = sum(_size(path) for folder in states for path in folder.rglob("*"))
    if dry_run:
        choose()
    else:
        store.remove(choose)
        if unfinished:
            store.leftovers.remove_unfinished()
    linked = dict.fromkeys(artifact.path.parent for artifact in kept if _is_linked(artifact))
    damaged = tuple(artifact for artifact in kept if not sound.get(artifact.path, True))
    errors = tuple(unreadable.values())
    return Cleaned(tuple(removed), tuple(kept), damaged, errors, tuple(linked), tuple(states), size)


def _is_linked(artifact: Artifact) -> bool:
    """Tell whether the folder of its name, or of its kind, is a link: then it may lie in another store."""
    return artifact.path.parent.is_symlink() or artifact.path.parents[1].is_symlink()


def _may_be_parent(artifact: Artifact, unreadable: Iterable[Path]) -> bool:
    """Tell whether one of the artifacts that cannot be read may have been made from another one."""
    return any(_may_descend(path, artifact.path) for path in unreadable)


def _may_descend(child: Path, parent: Path) -> bool:
    """Tell whether what lies in a folder may have been made from another: models may start from earlier ones."""
    kinds = [KINDS.index(path.parents[1].name) for path in (child, parent)]
    if kinds[0] != kinds[1] or child.parents[1].name != "models":
        return kinds[0] > kinds[1]
    return child.parent != parent.parent or child.name == UNLISTED or int(child.name[1:]) > int(parent.name[1:])


def _children_first(artifacts: list[Artifact]) -> list[Artifact]:
    """Return artifacts in an order in which, killed half-way, what is left still has its parents."""
    left = {str(artifact.reference): artifact for artifact in reversed(artifacts)}
    found: list[Artifact] = []
    while left:
        needed = {parent.reference for artifact in left.values() for parent in artifact.manifest.parents}
        free = [reference for reference in left if reference not in needed]
        # Of artifacts that claim to descend from each other any may be the first.
        found += [left.pop(reference) for reference in free or list(left)]
    return found


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
        read_order(store.root / kind)  # Without it, what is newest would go.
        with contextlib.suppress(InputError):  # What cannot be read stays anyway.
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
