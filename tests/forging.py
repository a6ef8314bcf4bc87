"""Manifests that say something else and vouch for it: what a person with an editor and patience can make of one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from omnishot.store.identity import content_of, recipe_id, sealed


def forge(folder: Path, change: Callable[[dict[str, Any]], object], *, recipe: str | None = None) -> None:
    """Rewrite the manifest of an artifact so that recipe id, content and digest fit what it says.

    Args:
        folder: That of the artifact.
        change: Changes the values in their place.
        recipe: The recipe id to claim, instead of the one that fits.
    """
    path = folder / "manifest.yaml"
    values = yaml.safe_load(path.read_text("utf-8"))
    values.pop("digest", None)
    change(values)
    path.chmod(0o644)
    path.write_text(forged_text(values, recipe=recipe), "utf-8")


def forged_text(values: dict[str, Any], *, recipe: str | None = None) -> str:
    """Return the text of a manifest that fits its values; `recipe` as for `forge`."""
    version, parents = values.get("recipe_version", 1), values["parents"]
    known_by = [parent["recipe"] if values["format"] == 1 else parent["content"] for parent in parents]
    fitting = recipe_id(values["kind"], version, values["settings"], known_by, values["source"])
    values = values | {"recipe": recipe or fitting}
    if values["format"] > 1:
        values["content"] = content_of({name: entry["sha256"] for name, entry in values["files"].items()})
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return text if values["format"] == 1 else sealed(text)
