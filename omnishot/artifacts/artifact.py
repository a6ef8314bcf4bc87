"""One artifact, what decides its content, and the folder it grows in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnishot.artifacts.manifest import Manifest, Parent, file_digest, recipe_id
from omnishot.artifacts.reference import Reference
from omnishot.errors import DamagedFileError

MADE_BY = {"images": "prepare", "pairs": "prepare", "models": "train", "evals": "eval"}
"""The command that makes each kind."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A published artifact.

    Attributes:
        path: Its folder.
        manifest: What it is.
    """

    path: Path
    manifest: Manifest

    @property
    def reference(self) -> Reference:
        """The artifact's reference."""
        return self.manifest.reference

    def as_parent(self) -> Parent:
        """Return what a child's manifest says of this artifact."""
        return Parent(reference=str(self.reference), recipe=self.manifest.recipe)

    def file(self, name: str) -> Path:
        """Return the path of one of the files, after checking its content.

        Raises:
            DamagedFileError: The file is missing or its size or digest is not the manifest's.
        """
        expected, path = self.manifest.files.get(name), self.path / name
        if expected is None:
            raise DamagedFileError(f"{self.reference} has no file {name}")
        found = f"{path.stat().st_size} bytes" if path.is_file() else "nothing"
        if found != f"{expected.size} bytes":
            what = f"{expected.size} bytes, found {found}"
        elif (digest := file_digest(path)) != expected.sha256:
            what = f"SHA-256 {expected.sha256}, found {digest}"
        else:
            return path
        raise DamagedFileError(f"{path} is damaged: expected {what}", hint=_remake(self))


def _remake(artifact: Artifact) -> str:
    command = MADE_BY[artifact.manifest.kind]
    return f"Make it again: `omnishot {command} --force` with the settings `omnishot show {artifact.reference}` prints."


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


@dataclass(slots=True)
class Staging:
    """A folder that becomes an artifact.

    Attributes:
        path: Where to write the files.
        summary: Key figures, to be filled in.
        environment: Versions and device, to be filled in.
    """

    path: Path
    summary: dict[str, Any]
    environment: dict[str, str | None]
