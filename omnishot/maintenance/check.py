"""check: every file is hashed again and compared with what its manifest says."""

from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.progress import OnProgress, Progress, silent
from omnishot.store.artifact import Artifact, place_name
from omnishot.store.box import is_boxed
from omnishot.store.lineage import lineage
from omnishot.store.store import Store
from omnishot.vocabulary import KINDS


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one artifact.

    Attributes:
        reference: Its reference; its kind where the newest one of that cannot be read.
        path: Its folder.
        size: Bytes of its files; 0 where the manifest cannot be read.
        problem: What is damaged, or an empty string.
        hint: How to repair it, or an empty string.
        missing: References of parents that are no longer in the store, which is no damage.
        replaced_by: Reference of a sound artifact of the same recipe, where this one is damaged.
    """

    reference: str
    path: Path
    size: int
    problem: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()
    replaced_by: str | None = None


def check_artifacts(
    store: Store, reference: str | None, *, everything: bool = False, on_progress: OnProgress = silent
) -> list[Checked]:
    """Hash the files of an artifact, and of what it descends from, again; by default, of the newest of each kind.

    `everything` checks the whole store instead; `on_progress` receives the bytes done.

    Raises:
        NotFoundError: There is no such artifact, or none at all.
        DamagedFileError: The manifest of the artifact asked for cannot be read.
    """
    unreadable: dict[Path, DamagedFileError] = {}
    known = store.artifacts(damaged=unreadable)
    if everything:
        artifacts, problems = known, {place_name(path): (path, error) for path, error in unreadable.items()}
    elif reference is not None:
        artifacts, problems = _with_ancestors(store, known, [store.find(reference)]), {}
    else:
        newest, problems = _newest(store)
        artifacts = _with_ancestors(store, known, newest)
    if not artifacts and not problems:
        raise NotFoundError(f"There are no artifacts in {store.root}", hint="Run `omnishot prepare`, or use --store.")
    checked, done, total = [], 0, sum(artifact.size for artifact in artifacts)
    damaged = {place_name(path) for path in unreadable}
    for artifact in artifacts:
        on_progress(Progress("Checking", done, total, "bytes"))
        checked.append(_check(store, known, damaged, artifact))
        done += artifact.size
    checked += [Checked(name, path, 0, str(error), error.hint) for name, (path, error) in problems.items()]
    return checked


def _newest(store: Store) -> tuple[list[Artifact], dict[str, tuple[Path, DamagedFileError]]]:
    """Return the newest artifact of each kind, and by kind what cannot be read of them."""
    found, unreadable = [], {}
    for kind in KINDS:
        try:
            found.append(store.newest(kind))
        except NotFoundError:
            continue
        except DamagedFileError as error:
            unreadable[kind] = (store.root / kind, error)
    return found, unreadable


def _with_ancestors(store: Store, known: list[Artifact], asked: list[Artifact]) -> list[Artifact]:
    found = {}
    for artifact in asked:
        for ancestor in lineage(store, artifact, among=known):
            if ancestor.artifact:
                found[ancestor.artifact.path] = ancestor.artifact
    return list(found.values())


def _check(store: Store, known: list[Artifact], unreadable: set[str], artifact: Artifact) -> Checked:
    parents = [] if is_boxed(artifact) else artifact.manifest.parents  # Those of a model in the box never were there.
    gone = [p for p in parents if store.parent(p, among=known, contents=False) is None]
    missing = tuple(parent.reference for parent in gone if parent.reference not in unreadable)
    problem, hint, replacement = "", "", None
    try:
        artifact.verify(again=True)
    except DamagedFileError as error:
        problem, hint = str(error), error.hint
        others = [other for other in known if other.key == artifact.key and other.reference != artifact.reference]
        replacement = next((str(other.reference) for other in reversed(others) if other.is_sound()), None)
    size = artifact.size
    return Checked(str(artifact.reference), artifact.path, size, problem, hint, missing, replacement)
