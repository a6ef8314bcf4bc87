"""One artifact, what decides its content, and the folder it grows in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnishot.errors import DamagedFileError, InputError, NotFoundError
from omnishot.store.digests import Digests, is_hollow
from omnishot.store.identity import content_of
from omnishot.store.manifest import Manifest, Parent, read_manifest
from omnishot.store.places import is_gone
from omnishot.store.recipe import run_key
from omnishot.store.reference import Reference, parse_exact


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
            NotFoundError: It is gone.
        """
        try:
            manifest = read_manifest(path)
        except DamagedFileError:
            _refuse_if_gone(path)
            raise
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
        return Parent(reference=str(self.reference), recipe=self.manifest.recipe, content=self.content)

    @property
    def content(self) -> str:
        """What its files hold, in one digest: equal contents are one and the same thing, whatever they are called."""
        return content_of(self.manifest.digests)

    def is_meant_by(self, parent: Parent) -> bool:
        """Tell whether it holds what a child was made from; a child of format 1 knows only the recipe."""
        return parent.identity == (self.content if parent.content else self.manifest.recipe)

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
            NotFoundError: The whole artifact is gone.
        """
        expected, path = self.manifest.files.get(name), self.path / name
        if expected is None:
            raise DamagedFileError(f"{self.reference} has no file {name}")
        try:
            found = f"{path.stat().st_size} bytes" if path.is_file() else "nothing"
            if found != f"{expected.size} bytes":
                what = f"{expected.size} bytes, found {found}"
            elif is_hollow(path):
                what = f"{expected.size} bytes, found a file that is all but empty on its disk"
            elif contents and (digest := self.digests.of(path, again=again)) != expected.sha256:
                what = f"SHA-256 {expected.sha256}, found {digest}"
            else:
                return path
        except OSError as error:
            _refuse_if_gone(self.path)
            hint = "Make it readable, and see that its disk or server answers."
            raise DamagedFileError(f"{path} cannot be read: {error.strerror}", hint=hint) from None
        _refuse_if_gone(self.path)
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
        except InputError:
            return False
        return True


def _refuse_if_gone(path: Path) -> None:
    """Tell what another process has removed meanwhile, all at once, from what is damaged."""
    if is_gone(path):
        message = f"{place_name(path)} was removed by another process"
        raise NotFoundError(message, hint="Start again.") from None


def place_name(path: Path) -> str:
    """Return the reference that fits an artifact's folder, whatever its manifest says."""
    return f"{path.parent.parent.name}/{path.parent.name}:{path.name}"


def stand_ins(parent: Parent, artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return a parent and what can replace it: others of its content, the newest first; nothing replaces a model.

    What took the name of a parent that is gone, and holds something else, is not the parent.

    Args:
        parent: What a manifest says.
        artifacts: All there are, the oldest first.
    """
    kind = parse_exact(parent.reference).kind
    same = [artifact for artifact in artifacts if artifact.manifest.kind == kind and artifact.is_meant_by(parent)]
    itself = [artifact for artifact in same if str(artifact.reference) == parent.reference]
    if kind == "models":
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
