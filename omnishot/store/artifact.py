"""One artifact, what decides its content, and the folder it grows in."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnishot.errors import DamagedFileError
from omnishot.store.manifest import Manifest, Parent, file_digest, read_manifest, recipe_id, run_key
from omnishot.store.reference import Reference

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

    @classmethod
    def read(cls, path: Path) -> "Artifact":
        """Read the manifest of a published artifact.

        Raises:
            DamagedFileError: It cannot be read, or is another artifact's.
        """
        manifest = read_manifest(path)
        if str(manifest.reference) != place_name(path):
            raise DamagedFileError(
                f"{path} holds {manifest.reference}, which belongs elsewhere",
                hint="Move it to where it was, or remove it.",
            )
        return cls(path, manifest)

    @property
    def reference(self) -> Reference:
        """The artifact's reference."""
        return self.manifest.reference

    def as_parent(self) -> Parent:
        """Return what a child's manifest says of this artifact."""
        return Parent(reference=str(self.reference), recipe=self.manifest.recipe)

    @property
    def key(self) -> str:
        """The key of the run that made it, see `run_key`."""
        return run_key(self.manifest.recipe, self.manifest.parents)

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

    def is_sound(self, *, contents: bool = True) -> bool:
        """Tell whether every file holds what it should.

        Args:
            contents: As for `file`.
        """
        try:
            self.verify(contents=contents)
        except DamagedFileError:
            return False
        return True

    def _command(self) -> str:
        """Return a command line that makes this again: what is damaged is not reused."""
        words = [word for word in self.manifest.argv[1:] if word not in {"--resume", "--force"}]
        words = words or [MADE_BY[self.manifest.kind]]
        if words[0] in {"train", "eval"}:  # The newest is another one by now.
            kind = "pairs" if words[0] == "train" else "models"
            parents = [p.reference for p in self.manifest.parents if p.reference.startswith(f"{kind}/")]
            words[1:1] = [reference for reference in parents if not _names(words, reference)]
        root = self.path.parents[2]
        if root.resolve() != Path("artifacts").resolve() and not any(word.startswith("--store") for word in words):
            words += ["--store", str(root)]
        return shlex.join(["omnishot", *words])


def place_name(path: Path) -> str:
    """Return the reference that an artifact's folder stands for, whatever its manifest says."""
    return f"{path.parent.parent.name}/{path.parent.name}:{path.name}"


def _names(words: list[str], reference: str) -> bool:
    """Tell whether a command line names an artifact, with or without its kind and version."""
    name = reference.partition("/")[2].partition(":")[0]
    return any(re.fullmatch(rf"([a-z]+/)?{re.escape(name)}(:\w+)?", word) for word in words[1:])


def stand_ins(parent: Parent, artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return what may stand for a parent: itself, then others of its recipe, the newest first; a model only itself.

    Args:
        parent: What a manifest says.
        artifacts: All there are, the oldest first.
    """
    same = [artifact for artifact in artifacts if artifact.manifest.recipe == parent.recipe]
    itself = [artifact for artifact in same if str(artifact.reference) == parent.reference]
    if parent.reference.startswith("models/"):
        return itself
    return itself + [artifact for artifact in reversed(same) if artifact not in itself]


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
