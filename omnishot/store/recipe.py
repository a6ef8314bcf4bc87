"""What decides an artifact's content, and so its reuse: the recipe, its id, and what tells runs of one recipe apart."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from omnishot.store.manifest import Parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides an artifact's content.

    Attributes:
        kind: Kind of artifact.
        version: Version of the code that makes it; raised when equal settings no longer give equal results.
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
        """The recipe id: the digest that decides whether two artifacts are the same."""
        recipe = {
            "kind": self.kind,
            "recipe_version": self.version,
            "settings": self.settings,
            "parents": [parent.recipe for parent in self.parents],
            "source": self.source or None,
        }
        text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

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
