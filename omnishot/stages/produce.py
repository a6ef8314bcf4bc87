"""How every stage makes its artifact: once per recipe, whole or not at all."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from omnishot.errors import DamagedFileError, NotFoundError
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
    """Return the newest sound artifact of a recipe; what is damaged is not reused, but made again."""
    for artifact in store.find_by_recipe(recipe):
        try:
            artifact.verify()
        except NotFoundError:  # Removed meanwhile.
            continue
        except DamagedFileError as error:
            if tell:
                store.tell(f"{error}; making it again")
        else:
            store.mark_current(artifact)
            store.leftovers.sweep()
            return artifact
    return None


def _other_name(found: Artifact, name: str) -> tuple[str, ...]:
    if found.manifest.name == name:
        return ()
    return (f"The same recipe was made before as {found.reference}; the name {name} is not used",)
