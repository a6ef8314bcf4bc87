"""What an artifact is made of: its settings, parents, files and the machine it was made on."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from omnishot.artifacts.reference import Reference, parse
from omnishot.errors import DamagedFileError

FORMAT = 1
"""Version of the manifest format this program writes."""

FILE_NAME = "manifest.yaml"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Parent(_Frozen):
    """An artifact that another was made from."""

    reference: str
    recipe: str


class FileEntry(_Frozen):
    """A file of an artifact."""

    sha256: str
    size: int


class Manifest(_Frozen):
    """Everything a reader has to know before it opens an artifact's files.

    Attributes:
        format: Version of this format.
        kind: Kind of artifact.
        name: Name among artifacts of the kind.
        version: Counted from 1.
        recipe: Recipe id: digest of kind, recipe version, settings, parents' recipes and source content.
        settings: What was asked for, resolved.
        parents: What it was made from.
        source: Name and content digest of the source data, where it was read from outside the store.
        files: Files by name, with digests and sizes.
        summary: Key figures, for listings.
        environment: Versions and device it was made with.
        created: UTC time, ISO 8601.
        seconds: How long making it took.
        argv: The command line.
    """

    format: int
    kind: str
    name: str
    version: int
    recipe: str
    settings: dict[str, Any]
    parents: list[Parent]
    source: dict[str, str] | None
    files: dict[str, FileEntry]
    summary: dict[str, Any]
    environment: dict[str, str | None]
    created: str
    seconds: float
    argv: list[str]

    @property
    def reference(self) -> Reference:
        """The artifact's reference."""
        return Reference(self.kind, self.name, self.version)

    def parent(self, kind: str) -> Parent | None:
        """Return the first parent of a kind."""
        return next((parent for parent in self.parents if parse(parent.reference).kind == kind), None)

    def as_yaml(self) -> str:
        """Return the manifest as it is written."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)


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


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a published artifact.

    Raises:
        DamagedFileError: It is missing, unreadable or of a later format.
    """
    path = folder / FILE_NAME
    try:
        values = yaml.load(path.read_text("utf-8"), Loader=_Loader)
        if isinstance(values, dict) and isinstance(values.get("format"), int) and values["format"] > FORMAT:
            raise DamagedFileError(
                f"{path} has format {values['format']}, but this omnishot reads up to {FORMAT}",
                hint="Update omnishot.",
            )
        return Manifest.model_validate(values)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedFileError(
            f"{path} is damaged: {reason}", hint=f"Remove {folder} and make the artifact again."
        ) from None


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
