"""check: every file is hashed again and compared with what its manifest says."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from omnishot.artifacts.artifact import Artifact
from omnishot.artifacts.reference import KINDS
from omnishot.artifacts.store import Store
from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.progress import Progress, Report
from omnishot.stages.lineage import lineage


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one artifact.

    Attributes:
        reference: Its reference, or its folder where the manifest cannot be read.
        path: Its folder.
        size: Bytes of its files; 0 where the manifest cannot be read.
        problem: What is damaged, or an empty string.
        hint: How to mend it, or an empty string.
        missing: References of parents that are no longer in the store, which is no damage.
    """

    reference: str
    path: Path
    size: int
    problem: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()


def check_artifacts(store: Store, reference: str | None, *, everything: bool = False, report: Report) -> list[Checked]:
    """Hash files again.

    Args:
        store: Where they are.
        reference: Check this artifact and what it descends from; None stands for the newest of each kind.
        everything: Check the whole store instead.
        report: Receives the bytes done.

    Raises:
        NotFoundError: There is no such artifact, or none at all.
        DamagedFileError: The manifest of the artifact asked for cannot be read.
    """
    unreadable: dict[Path, DamagedFileError] = {}
    known = store.artifacts(damaged=unreadable)
    if not everything:
        unreadable.clear()
    artifacts = known if everything else _with_ancestors(store, reference)
    if not artifacts and not unreadable:
        raise NotFoundError(f"There are no artifacts in {store.root}", hint="Run `omnishot prepare`, or use --store.")
    checked, done, total = [], 0, sum(artifact.size for artifact in artifacts)
    for artifact in artifacts:
        report(Progress("Checking", done, total, "bytes"))
        checked.append(_check(store, known, artifact))
        done += artifact.size
    checked += [Checked(_named(path), path, 0, str(error), error.hint) for path, error in unreadable.items()]
    return checked


def _with_ancestors(store: Store, reference: str | None) -> list[Artifact]:
    if reference is not None:
        asked = [store.find(reference)]
    else:
        asked = []
        for kind in KINDS:
            with contextlib.suppress(NotFoundError):
                asked.append(store.newest(kind))
    found = {}
    for artifact in asked:
        for ancestor in lineage(store, artifact):
            if ancestor.artifact:
                found[ancestor.artifact.path] = ancestor.artifact
    return list(found.values())


def _check(store: Store, known: list[Artifact], artifact: Artifact) -> Checked:
    parents = artifact.manifest.parents
    missing = tuple(p.reference for p in parents if store.parent(p, among=known, contents=False) is None)
    problem = hint = ""
    try:
        artifact.verify()
    except DamagedFileError as error:
        problem, hint = str(error), error.hint
    return Checked(str(artifact.reference), artifact.path, artifact.size, problem, hint, missing)


def _named(path: Path) -> str:
    """Return the reference that a folder's path stands for."""
    return f"{path.parent.parent.name}/{path.parent.name}:{path.name}"
