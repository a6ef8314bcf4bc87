"""One artifact, what decides its content, and the folder it grows in."""

import shlex
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

    @property
    def size(self) -> int:
        """Bytes of all files, as the manifest has it."""
        return sum(entry.size for entry in self.manifest.files.values())

    def file(self, name: str, *, contents: bool = True) -> Path:
        """Return the path of one of the files, after checking it.

        Args:
            name: Its name.
            contents: Check the digest too, which takes a second per gigabyte or so; else only the size.

        Raises:
            DamagedFileError: The file is missing or its size or digest is not the manifest's.
        """
        expected, path = self.manifest.files.get(name), self.path / name
        if expected is None:
            raise DamagedFileError(f"{self.reference} has no file {name}")
        try:
            found = f"{path.stat().st_size} bytes" if path.is_file() else "nothing"
            if found != f"{expected.size} bytes":
                what = f"{expected.size} bytes, found {found}"
            elif contents and (digest := file_digest(path)) != expected.sha256:
                what = f"SHA-256 {expected.sha256}, found {digest}"
            else:
                return path
        except OSError as error:
            what = f"{expected.size} bytes, found a file that cannot be read ({error.strerror})"
        raise DamagedFileError(f"{path} is damaged: expected {what}", hint=f"Make it again: `{self._command()}`.")

    def verify(self, *, contents: bool = True) -> None:
        """Check every file.

        Args:
            contents: As for `file`.

        Raises:
            DamagedFileError: One of them is damaged.
        """
        for name in self.manifest.files:
            self.file(name, contents=contents)

    def is_sound(self) -> bool:
        """Tell whether every file holds what it should."""
        try:
            self.verify()
        except DamagedFileError:
            return False
        return True

    def _command(self) -> str:
        """Return the command line that made this; what is damaged is not reused, so it makes it again."""
        return shlex.join(["omnishot", *(self.manifest.argv[1:] or [MADE_BY[self.manifest.kind]])])


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
        published: The artifact, once it is one.
    """

    path: Path
    summary: dict[str, Any]
    environment: dict[str, str | None]
    published: Artifact | None = None
