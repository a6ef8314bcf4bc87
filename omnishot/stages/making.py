"""How every stage makes its artifact: once per recipe, whole or not at all."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from omnishot.artifacts.artifact import Artifact, Recipe, Staging
from omnishot.artifacts.store import Store


@dataclass(frozen=True, slots=True)
class Made:
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


def make(
    store: Store,
    recipe: Recipe,
    name: str,
    build: Callable[[Staging], None],
    *,
    force: bool = False,
    notes: tuple[str, ...] = (),
) -> Made:
    """Return the artifact of a recipe, made now if there is none yet.

    Args:
        store: Where to look and to publish.
        recipe: What to make.
        name: Name of a new artifact.
        build: Fills the folder it is given, and its summary and environment.
        force: Make a new version even if there is one.
        notes: Passed on to the caller.

    Raises:
        OmnishotError: What `build` and the store raise.
    """
    started = time.perf_counter()
    if not force and (found := store.made(recipe)):
        return Made(found, True, time.perf_counter() - started, (*notes, *_other_name(found, name)))
    with store.making(recipe):
        # Another process may have made it while this one waited.
        if not force and (found := store.made(recipe)):
            return Made(found, True, time.perf_counter() - started, (*notes, *_other_name(found, name)))
        with store.publish(recipe, name) as staging:
            staging.environment |= {"omnishot": version("omnishot"), "python": platform.python_version()}
            build(staging)
        made = store.made(recipe)
    if made is None:  # Only another process that removes what was just published gets here.
        raise RuntimeError(f"{recipe.kind} {recipe.id} vanished right after it was published")
    return Made(made, False, time.perf_counter() - started, notes)


def _other_name(found: Artifact, name: str) -> tuple[str, ...]:
    if found.manifest.name == name:
        return ()
    return (f"The same recipe was made before as {found.reference}; the name {name} is not used",)
