"""What an artifact was made from, up to the sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from omnishot.errors import DamagedFileError
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store


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


def lineage(store: Store, artifact: Artifact, *, among: list[Artifact] | None = None) -> list[Ancestor]:
    """Return an artifact and all it was made from, every child before its parents.

    The store is not listed again where `among` holds all its artifacts.
    """
    return list(_lineage(store, store.artifacts(damaged={}) if among is None else among, artifact, 0))


def _lineage(store: Store, everything: list[Artifact], artifact: Artifact, depth: int) -> Iterator[Ancestor]:
    yield Ancestor(depth, str(artifact.reference), artifact)
    for parent in artifact.manifest.parents:
        found, damage = None, ""
        try:
            found = store.parent(parent, among=everything, contents=False)
        except DamagedFileError as error:
            damage = str(error)
        if found:
            yield from _lineage(store, everything, found, depth + 1)
        else:
            yield Ancestor(depth + 1, parent.reference, None, damage)
