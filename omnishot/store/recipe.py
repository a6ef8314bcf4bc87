"""What decides an artifact's content, and so its reuse: the recipe, its id, and what tells runs of one recipe apart."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omnishot.store.manifest import Parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides an artifact's content.

    Attributes:
        kind: Kind of artifact.
        version: Version of the code that makes it.
        settings: Resolved settings, JSON values only.
        parents: What it is made from.
        source: Name and content digest of data from outside the store.
    """

    kind: str
    version: int
    settings: dict[str, Any]
    parents: list[Parent]
    source: dict[str, str] | None = None

    @property
    def id(self) -> str:
        """The recipe id."""
        return recipe_id(self.kind, self.version, self.settings, self.parents, self.source)

    @property
    def key(self) -> str:
        """What tells runs apart, see `run_key`; the name of their lock and of their folders."""
        return run_key(self.id, self.parents)


def run_key(recipe: str, parents: list[Parent]) -> str:
    """Return what tells runs apart whose results may differ: the recipe id, and which models they start from.

    Two models of one recipe may differ (another device, another speed under a time limit): what is measured of one is
    not measured of the other, and a run that starts from one cannot be continued from the other.
    """
    models = [parent.reference for parent in parents if parent.reference.startswith("models/")]
    return hashlib.sha256("\n".join([recipe, *models]).encode()).hexdigest() if models else recipe


def recipe_id(
    kind: str, version: int, settings: Mapping[str, Any], parents: list[Parent], source: Mapping[str, str] | None
) -> str:
    """Return the digest that decides whether two artifacts are the same.

    Args:
        kind: Kind of artifact.
        version: Version of the code that makes it; raised when equal settings no longer give equal results.
        settings: Resolved settings, JSON values only.
        parents: What it is made from.
        source: Name and content digest of data from outside the store.
    """
    recipe = {
        "kind": kind,
        "recipe_version": version,
        "settings": dict(settings),
        "parents": [parent.recipe for parent in parents],
        "source": dict(source) if source else None,
    }
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
