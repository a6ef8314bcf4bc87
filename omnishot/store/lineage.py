"""What an artifact was made from, up to the sources, however its manifests are entangled."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from omnishot.errors import DamagedFileError
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import Parent
from omnishot.store.store import Store

_MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One artifact of a lineage.

    Attributes:
        depth: Generations before the artifact that was asked about, which has 0.
        reference: What its child's manifest calls it.
        artifact: The artifact, or another of the same content; None if there is none in the store that can be read.
        damage: Why it cannot be read, or an empty text.
    """

    depth: int
    reference: str
    artifact: Artifact | None
    damage: str = ""


class _Family:
    """Who is whose parent; each is looked for once."""

    def __init__(self, store: Store, everything: list[Artifact]) -> None:
        self._store, self._everything = store, everything
        self._found: dict[tuple[str, str], tuple[Artifact | None, str]] = {}

    def parents(self, ancestor: Ancestor) -> list[Ancestor]:
        """Return what an artifact was made from."""
        named = ancestor.artifact.manifest.parents if ancestor.artifact else []
        return [self._parent(parent, ancestor.depth + 1) for parent in named]

    def _parent(self, parent: Parent, depth: int) -> Ancestor:
        key = parent.reference, parent.identity
        if key not in self._found:
            self._found[key] = self._look_for(parent)
        artifact, damage = self._found[key]
        return Ancestor(depth, str(artifact.reference) if artifact else parent.reference, artifact, damage)

    def _look_for(self, parent: Parent) -> tuple[Artifact | None, str]:
        try:
            return self._store.parent(parent, among=self._everything, contents=False), ""
        except DamagedFileError as error:
            return None, str(error)


def lineage(store: Store, artifact: Artifact, *, among: list[Artifact] | None = None) -> list[Ancestor]:
    """Return an artifact and all it was made from, every child before its parents.

    What comes again is listed again, but what it was made from is not. The store is not listed again where `among`
    holds all its artifacts.

    Raises:
        DamagedFileError: The manifests name more parents than a store has.
    """
    family = _Family(store, store.artifacts(damaged={}) if among is None else among)
    lines, seen = [], set[str]()
    stack = [Ancestor(0, str(artifact.reference), artifact)]
    while stack:
        line = stack.pop()
        lines.append(line)
        if len(lines) > _MOST_LINES:
            raise DamagedFileError(f"{artifact.reference} descends from more than {_MOST_LINES:,} artifacts")
        if line.reference not in seen:
            seen.add(line.reference)
            stack += reversed(family.parents(line))
    return lines


def ancestors(store: Store, artifacts: list[Artifact], *, among: list[Artifact]) -> list[Ancestor]:
    """Return artifacts and all they were made from, each once with its greatest depth; `among` is all of the store."""
    family = _Family(store, among)
    order = list(_parents_first(family, artifacts))
    depths = dict.fromkeys((one.reference for one in order), 0)
    for child in reversed(order):
        for parent in family.parents(child):
            # Of artifacts that claim to be made from each other, one has to be the first.
            if parent.reference != child.reference and depths[parent.reference] <= depths[child.reference]:
                depths[parent.reference] = min(depths[child.reference] + 1, len(order))
    return [replace(one, depth=depths[one.reference]) for one in order]


def _parents_first(family: _Family, artifacts: list[Artifact]) -> Iterator[Ancestor]:
    seen = set[str]()
    for artifact in artifacts:
        stack = [(Ancestor(0, str(artifact.reference), artifact), False)]
        while stack:
            one, is_done = stack.pop()
            if is_done:
                yield one
            elif one.reference not in seen:
                seen.add(one.reference)
                stack.append((one, True))
                stack += [(parent, False) for parent in reversed(family.parents(one))]
