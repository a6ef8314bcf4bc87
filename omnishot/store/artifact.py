"""One artifact, what decides its content, and the folder it grows in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnishot.errors import DamagedFileError
from omnishot.store.digests import Digests
from omnishot.store.manifest import Manifest, Parent, read_manifest
from omnishot.store.recipe import run_key
from omnishot.store.reference import Reference


@dataclass(frozen=True, slots=True)
class Artifact:
    """A published artifact.

    Attributes:
        path: Its folder.
        manifest: What it is.
        digests: Of the files that were checked; a store's artifacts share them.
    """

    path: Path
    manifest: Manifest
    digests: Digests = field(default_factory=Digests, repr=False, compare=False)

    @classmethod
    def read(cls, path: Path, digests: Digests) -> "Artifact":
        """Read the manifest of a published artifact from its folder.

        Raises:
            DamagedFileError: It cannot be read, or is another artifact's.
        """
        manifest = read_manifest(path)
        if str(manifest.reference) != place_name(path):
            raise DamagedFileError(
                f"{path} holds {manifest.reference}, which belongs elsewhere",
                hint="Move it to where it was, or remove it.",
            )
        return cls(path, manifest, digests)

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

    def file(self, name: str, *, contents: bool = True, again: bool = False) -> Path:
        """Return the path of one of the files, after checking it.

        Args:
            name: Its name.
            contents: Check the digest too, which takes a second per gigabyte or so the first time; else only the size.
            again: Hash the file even if it seems unchanged since it was hashed.

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
            elif contents and (digest := self.digests.of(path, again=again)) != expected.sha256:
                what = f"SHA-256 {expected.sha256}, found {digest}"
            else:
                return path
        except OSError as error:
            what = f"{expected.size} bytes, found a file that cannot be read ({error.strerror})"
        from omnishot.store.remake import how_to_remake  # Deferred: settings and presets are read for the hint alone.

        hint = how_to_remake(self.path.parents[2], self.manifest)
        raise DamagedFileError(f"{path} is damaged: expected {what}", hint=hint)

    def verify(self, *, contents: bool = True, again: bool = False) -> None:
        """Check every file; the options are those of `file`.

        Raises:
            DamagedFileError: One of them is damaged.
        """
        for name in self.manifest.files:
            self.file(name, contents=contents, again=again)

    def is_sound(self, *, contents: bool = True) -> bool:
        """Tell whether every file holds what it should; `contents` as for `file`."""
        try:
            self.verify(contents=contents)
        except DamagedFileError:
            return False
        return True


def place_name(path: Path) -> str:
    """Return the reference that fits an artifact's folder, whatever its manifest says."""
    return f"{path.parent.parent.name}/{path.parent.name}:{path.name}"


def stand_ins(parent: Parent, artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return a parent and what can replace it: others of its recipe, the newest first; nothing replaces a model.

    Args:
        parent: What a manifest says.
        artifacts: All there are, the oldest first.
    """
    same = [artifact for artifact in artifacts if artifact.manifest.recipe == parent.recipe]
    itself = [artifact for artifact in same if str(artifact.reference) == parent.reference]
    if parent.reference.startswith("models/"):
        return itself
    return itself + [artifact for artifact in reversed(same) if artifact not in itself]


@dataclass(slots=True)
class Staging:
    """A folder that becomes an artifact.

    Attributes:
        path: Where to write the files.
        summary: Key figures, to be filled in.
        environment: Versions and device, to be filled in.
        argv: The command line to record, where it is not the one that the program was started with.
        published: The artifact, once it is one.
    """

    path: Path
    summary: dict[str, Any]
    environment: dict[str, str | None]
    argv: list[str] | None = None
    published: Artifact | None = None
