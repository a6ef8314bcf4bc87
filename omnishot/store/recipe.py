"""What decides an artifact's content, and so its reuse: the recipe, its id, and what tells runs of one recipe apart."""

import hashlib
from dataclasses import dataclass
from typing import Any

from omnishot.store.code import code_digest
from omnishot.store.identity import recipe_id
from omnishot.store.manifest import Manifest, Parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides an artifact's content.

    Attributes:
        kind: Kind of artifact.
        version: Version of the code that makes it; raised when equal settings no longer give equal results.
        settings: Resolved settings, JSON values only.
        parents: What it is made from.
        source: Name and content digest of data from outside the store.
        source_in_format_1: The same with the digest that format 1 would have, where that is another one.
    """

    kind: str
    version: int
    settings: dict[str, Any]
    parents: list[Parent]
    source: dict[str, str] | None = None
    source_in_format_1: dict[str, str] | None = None

    @property
    def id(self) -> str:
        """The recipe id: the digest that decides whether two artifacts are the same."""
        contents = [parent.content for parent in self.parents]
        return recipe_id(self.kind, self.version, self.settings, contents, self.source)

    @property
    def id_in_format_1(self) -> str:
        """The recipe id that format 1 would have, which says by recipe and not by content what parents are."""
        recipes = [parent.recipe for parent in self.parents]
        return recipe_id(self.kind, self.version, self.settings, recipes, self.source_in_format_1 or self.source)

    @property
    def code(self) -> str:
        """Digest of the code that would make it, see `code_digest`."""
        return code_digest(self.kind)

    def has_made(self, manifest: Manifest) -> bool:
        """Tell whether an artifact is what this recipe makes.

        Format 1 does not say which content models had: what was made from them, or measured of them, may be another's.
        """
        if manifest.format > 1:
            return run_key(manifest.recipe, manifest.parents) == self.key
        has_models = any(parent.reference.startswith("models/") for parent in manifest.parents)
        is_determined = manifest.kind != "evals" and not has_models
        return is_determined and manifest.recipe == self.id_in_format_1

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
