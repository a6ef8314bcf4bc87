"""How every stage makes its artifact: once per recipe, whole or not at all."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from omnishot.errors import DamagedFileError
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage returns.

    Attributes:
        artifact: The artifact.
        reused: Whether it was there already.
        seconds: How long the stage took.
        notes: What the user should know about choices that were made, one sentence each.
    """

    artifact: Artifact
    reused: bool
    seconds: float
    notes: tuple[str, ...] = ()


def produce(
    store: Store,
    recipe: Recipe,
    name: str,
    build: Callable[[Staging], None],
    *,
    force: bool = False,
    notes: tuple[str, ...] = (),
) -> StageResult:
    """Return the artifact of a recipe, made now if there is none yet.

    Args:
        store: Where to look and to publish.
        recipe: What to make.
        name: Name of a new artifact.
        build: Fills the folder it is given, and its summary and environment.
        force: Make a new version even if there is one.
        notes: Become those of the result.

    Raises:
        OmnishotError: What `build` and the store raise.
    """
    started = time.perf_counter()
    if not force and (found := _sound(store, recipe, tell=False)):
        return StageResult(found, True, time.perf_counter() - started, (*notes, *_other_name(found, name)))
    with store.producing(recipe):
        # Another process may have made it while this one waited.
        if not force and (found := _sound(store, recipe, tell=True)):
            return StageResult(found, True, time.perf_counter() - started, (*notes, *_other_name(found, name)))
        with store.publish(recipe, name) as staging:
            staging.environment |= {"omnishot": version("omnishot"), "python": platform.python_version()}
            build(staging)
    if staging.published is None:
        raise RuntimeError("publish ended without an artifact")
    return StageResult(staging.published, False, time.perf_counter() - started, notes)


def _sound(store: Store, recipe: Recipe, *, tell: bool) -> Artifact | None:
    """Return the newest artifact of a recipe that can be reused, see `find_reusable`."""
    found = find_reusable(store, recipe, tell=store.tell if tell else lambda sentence: None)
    if found:
        store.mark_current(found)
        store.leftovers.sweep()
    return found


def find_reusable(
    store: Store, recipe: Recipe, *, tell: Callable[[str], None] = lambda sentence: None
) -> Artifact | None:
    """Return the newest artifact of a recipe that is sound and was made by this code, or by a version to be trusted.

    After an edit between two releases nothing says that the code gives the same, whatever its recipe version.

    Args:
        store: Where to look.
        recipe: What is wanted.
        tell: Receives why something is made again.
    """
    for artifact in store.find_by_recipe(recipe):
        manifest = artifact.manifest
        is_same_version = manifest.environment.get("omnishot") == version("omnishot")
        if manifest.code not in {None, recipe.code} and is_same_version:
            tell(f"{artifact.reference} was made by other code; making it again")
            continue
        try:
            artifact.verify()
        except DamagedFileError as error:
            tell(f"{error}; making it again")
        else:
            return artifact
    return None


def _other_name(found: Artifact, name: str) -> tuple[str, ...]:
    if found.manifest.name == name:
        return ()
    return (f"The same recipe was made before as {found.reference}; the name {name} is not used",)
