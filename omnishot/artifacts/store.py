"""A folder of artifacts in which everything that exists is complete, and nothing is ever overwritten."""

import contextlib
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from omnishot.artifacts import manifest as manifests
from omnishot.artifacts.artifact import MADE_BY, Artifact, Recipe, Staging
from omnishot.artifacts.leftovers import STAGING, UNFINISHED, discard, discard_if_free, grave, sweep, unfinished
from omnishot.artifacts.locks import Holder, Locks
from omnishot.artifacts.manifest import FileEntry, Manifest, Parent, file_digest, read_manifest
from omnishot.artifacts.reference import KINDS, parse
from omnishot.artifacts.text_file import read_text
from omnishot.config import did_you_mean
from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError, UsageError

_VERSION = re.compile("v[1-9][0-9]{0,8}")
_VERSIONS_LOCK = "versions"


class Store:
    """Artifacts below one folder, shared by any number of processes."""

    def __init__(
        self,
        root: Path,
        *,
        argv: list[str] | None = None,
        wait_seconds: float = 3600,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """Name a store; nothing is created before something is published.

        Args:
            root: Its folder.
            argv: The command line, for the manifests and for processes that wait for this one.
            wait_seconds: How long to wait for another process that makes the same artifact.
            tell: Receives sentences that the user should read at once.
        """
        self.root = root
        self.tell = tell
        self._argv = argv or []
        self._locks = Locks(root / ".locks", wait_seconds=wait_seconds, tell=tell)

    def artifacts(
        self, kind: str | None = None, *, damaged: dict[Path, DamagedFileError] | None = None
    ) -> list[Artifact]:
        """Return all artifacts, or those of one kind, the oldest first.

        Args:
            kind: One of the kinds, or None for all.
            damaged: Collects what could not be read, by folder; it is left out of the result either way.
        """
        found = []
        for path in sorted(self.root.glob(f"{kind or '*'}/*/v*")):
            if path.parent.parent.name not in KINDS or not _VERSION.fullmatch(path.name):
                continue
            try:
                found.append(_opened(path))
            except DamagedFileError as error:
                if damaged is not None and path.exists():  # Else another process removed it meanwhile.
                    damaged[path] = error
        return sorted(found, key=lambda artifact: (artifact.manifest.created, artifact.manifest.version))

    def find(self, text: str, kind: str | None = None) -> Artifact:
        """Return the artifact a user named.

        Args:
            text: A reference, or a part of one.
            kind: The kind the caller needs.

        Raises:
            NotFoundError: There is none.
            DamagedFileError: It is there but cannot be read; an older version does not stand in for it.
            UsageError: The text is no reference, names another kind, or fits artifacts of several kinds.
        """
        query = parse(text)
        if kind and query.kind not in {None, kind}:
            raise UsageError(f"'{text}' names {query.kind}, but {kind} are needed here")
        damaged: dict[Path, DamagedFileError] = {}
        everything = self.artifacts(query.kind or kind, damaged=damaged)
        versions: dict[int, Artifact | DamagedFileError] = {
            int(path.name[1:]): error for path, error in damaged.items() if path.parent.name == query.name
        }
        named = [artifact for artifact in everything if artifact.manifest.name == query.name]
        versions |= {artifact.manifest.version: artifact for artifact in named}
        kinds = {artifact.manifest.kind for artifact in named}
        if len(kinds) > 1:
            raise UsageError(f"'{text}' fits {', '.join(sorted(kinds))}", hint="Put the kind and a slash before it.")
        if not versions:
            known = {artifact.manifest.name for artifact in everything}
            hint = f"`omnishot ls` lists what there is in {self.root}"
            raise NotFoundError(f"There is no '{text}'{did_you_mean(query.name, known)}", hint=f"{hint}.")
        wanted = max(versions) if query.version is None else query.version
        if wanted not in versions:
            numbers = ", ".join(f"v{number}" for number in sorted(versions))
            raise NotFoundError(f"There is no version v{wanted} of '{query.name}', only {numbers}")
        found = versions[wanted]
        if isinstance(found, DamagedFileError):
            raise found
        return found

    def newest(self, kind: str) -> Artifact:
        """Return the artifact of a kind that was made, or found made already, last.

        Raises:
            NotFoundError: There is none.
            DamagedFileError: It cannot be read.
        """
        everything = self.artifacts(kind)
        if not everything:
            raise NotFoundError(
                f"There are no {kind} in {self.root}", hint=f"Run `omnishot {MADE_BY[kind]}` first, or use --store."
            )
        current = ""
        with contextlib.suppress(DamagedFileError):
            current = read_text(self.root / kind / ".current")
        with contextlib.suppress(NotFoundError, UsageError):
            return self.find(current, kind)
        return everything[-1]

    def with_recipe(self, recipe_id: str, reference: str) -> Artifact | None:
        """Return the artifact of a recipe; None if there is none.

        Args:
            recipe_id: The recipe.
            reference: Preferred if there are several, unless it is damaged: the same recipe gives the same content.
        """
        same = [artifact for artifact in self.artifacts(parse(reference).kind) if artifact.manifest.recipe == recipe_id]
        same.sort(key=lambda artifact: str(artifact.reference) == reference)
        if len(same) < 2:
            return same[0] if same else None
        return next((artifact for artifact in reversed(same) if artifact.is_sound()), same[-1])

    def of_recipe(self, recipe: Recipe) -> list[Artifact]:
        """Return the artifacts that a recipe has made, the newest first."""
        same = [artifact for artifact in self.artifacts(recipe.kind) if artifact.manifest.recipe == recipe.id]
        # Two models of one recipe may differ (another device, another speed under a time limit): what is measured of
        # one is not measured of the other.
        same = [artifact for artifact in same if _models(artifact.manifest.parents) == _models(recipe.parents)]
        return same[::-1]

    def mark_current(self, artifact: Artifact) -> None:
        """Let `newest` return this artifact; in a store that cannot be written the newest stays what it was."""
        aside = self.root / artifact.manifest.kind / ".current.new"
        with contextlib.suppress(OSError, UnavailableError), self._versions():
            aside.write_text(str(artifact.reference), "utf-8")
            aside.replace(aside.with_name(".current"))

    @contextlib.contextmanager
    def making(self, recipe: Recipe) -> Iterator[None]:
        """Hold the right to make a recipe; another process that wants it waits and then finds it made.

        Raises:
            StoreBusyError: The other process did not finish in time.
            UnavailableError: The store cannot be written.
        """
        parents = tuple(parent.reference for parent in recipe.parents)
        with self._locks.held(recipe.id, Holder(os.getpid(), self._command(), parents)):
            self.sweep()
            yield

    def sweep(self) -> None:
        """Remove what killed processes left and nobody needs; cheap where there is nothing."""
        sweep(self.root, self._locks, self.artifacts)

    def being_read(self) -> set[str]:
        """Return the references of the artifacts that running processes make others from."""
        return {parent for holder in self._locks.holders() for parent in holder.parents}

    def _versions(self) -> contextlib.AbstractContextManager[None]:
        return self._locks.held(_VERSIONS_LOCK, Holder(os.getpid(), self._command()))

    def _command(self) -> str:
        return shlex.join(["omnishot", *self._argv[1:]])

    def aside(self, recipe: Recipe) -> Path:
        """Return where state of an unfinished run may be kept; whoever makes the recipe owns the folder."""
        return self.root / UNFINISHED / recipe.id

    def unfinished(self) -> list[Path]:
        """Return the folders with the state of interrupted runs that nobody is continuing now."""
        return unfinished(self.root, self._locks)

    def remove_unfinished(self) -> None:
        """Remove the state of interrupted runs, which can no longer be resumed then."""
        for folder in self.unfinished():
            discard_if_free(folder, self._locks)

    def remove(self, artifact: Artifact) -> None:
        """Remove an artifact: gone at once for every reader, however long deleting its files takes.

        Raises:
            UnavailableError: The store cannot be written.
        """
        try:
            moved = grave(self.root)
            with self._versions():
                artifact.path.rename(moved)
                with contextlib.suppress(OSError):  # Other versions, or another process that makes one.
                    artifact.path.parent.rmdir()
        except OSError as error:
            raise UnavailableError(f"{artifact.path} cannot be removed: {error}") from None
        discard(moved)

    @contextlib.contextmanager
    def publish(self, recipe: Recipe, name: str) -> Iterator[Staging]:
        """Give a folder to fill; it becomes an artifact when the block ends, and vanishes when it fails.

        Call inside `making`: that is what makes a leftover folder of the same recipe safe to remove.

        Args:
            recipe: What is being made.
            name: Name of the artifact; its version is chosen at the end.

        Raises:
            UnavailableError: The disk is full or the store cannot be written.
        """
        started = time.monotonic()
        folder = self.root / STAGING / recipe.id
        staging = Staging(folder, {}, {})
        try:
            discard(folder)
            folder.mkdir(parents=True)
            yield staging
            staging.published = self._publish(recipe, name, staging, time.monotonic() - started)
        except OSError as error:
            raise UnavailableError(f"Writing to {self.root} failed: {error}", hint="Nothing was published.") from None
        finally:
            discard(folder)
        discard(self.aside(recipe))

    def _publish(self, recipe: Recipe, name: str, staging: Staging, seconds: float) -> Artifact:
        files = {}
        for path in sorted(staging.path.iterdir()):
            _sync(path)
            files[path.name] = FileEntry(sha256=file_digest(path), size=path.stat().st_size)
            path.chmod(0o444)
        parent = self.root / recipe.kind / name
        with self._versions():
            parent.mkdir(parents=True, exist_ok=True)
            versions = [int(path.name[1:]) for path in parent.glob("v*") if _VERSION.fullmatch(path.name)]
            described = Manifest(
                format=manifests.FORMAT,
                kind=recipe.kind,
                name=name,
                version=max(versions, default=0) + 1,
                recipe=recipe.id,
                settings=recipe.settings,
                parents=recipe.parents,
                source=recipe.source,
                files=files,
                summary=staging.summary,
                environment=staging.environment,
                created=datetime.now(UTC).isoformat(timespec="microseconds"),
                seconds=round(seconds, 3),
                argv=self._argv,
            )
            written = staging.path / manifests.FILE_NAME
            written.write_text(described.as_yaml(), "utf-8")
            written.chmod(0o444)
            _sync(written)
            _sync(staging.path)
            target = staging.path.rename(parent / f"v{described.version}")
            for folder in (parent, parent.parent, self.root):
                _sync(folder)
        made = Artifact(target, described)
        self.mark_current(made)
        return made


def _opened(path: Path) -> Artifact:
    manifest = read_manifest(path)
    if (manifest.kind, manifest.name, f"v{manifest.version}") != (path.parent.parent.name, path.parent.name, path.name):
        raise DamagedFileError(
            f"{path} holds {manifest.reference}, which belongs elsewhere",
            hint="Move it to where it was, or remove it.",
        )
    return Artifact(path, manifest)


def _models(parents: list[Parent]) -> list[str]:
    return [parent.reference for parent in parents if parent.reference.startswith("models/")]


def _sync(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
