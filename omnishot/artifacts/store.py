"""A folder of artifacts in which everything that exists is complete, and nothing is ever overwritten."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from omnishot.artifacts import manifest as manifests
from omnishot.artifacts.artifact import MADE_BY, Artifact, Recipe, Staging
from omnishot.artifacts.manifest import FileEntry, Manifest, Parent, file_digest, read_manifest
from omnishot.artifacts.reference import KINDS, Reference, parse
from omnishot.config import did_you_mean
from omnishot.errors import DamagedFileError, NotFoundError, StoreBusyError, UnavailableError, UsageError


class Store:
    """Artifacts below one folder, shared by any number of processes."""

    def __init__(self, root: Path, *, argv: list[str] | None = None, wait_seconds: float = 3600) -> None:
        """Name a store; nothing is created before something is published.

        Args:
            root: Its folder.
            argv: The command line, for the manifests.
            wait_seconds: How long to wait for another process that makes the same artifact.
        """
        self.root = root
        self._argv = argv or []
        self._wait_seconds = wait_seconds

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
            if path.parent.parent.name not in KINDS or not path.name[1:].isdigit():
                continue
            try:
                found.append(_opened(path))
            except DamagedFileError as error:
                if damaged is not None:
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
        with contextlib.suppress(OSError, ValueError, NotFoundError, UsageError):
            return self.find((self.root / kind / ".current").read_text("utf-8"), kind)
        return everything[-1]

    def with_recipe(self, recipe_id: str, reference: str) -> Artifact | None:
        """Return the artifact of a recipe, the one of that reference if there are several; None if there is none."""
        same = [artifact for artifact in self.artifacts(parse(reference).kind) if artifact.manifest.recipe == recipe_id]
        named = [artifact for artifact in same if str(artifact.reference) == reference]
        return (named or same)[-1] if same else None

    def made(self, recipe: Recipe) -> Artifact | None:
        """Return the newest artifact of a recipe, and mark it as the current one of its kind."""
        same = [artifact for artifact in self.artifacts(recipe.kind) if artifact.manifest.recipe == recipe.id]
        # Two models of one recipe may differ (another device, another speed under a time limit): what is measured of
        # one is not measured of the other.
        same = [artifact for artifact in same if _models(artifact.manifest.parents) == _models(recipe.parents)]
        if not same:
            return None
        self._mark_current(same[-1].reference)
        return same[-1]

    def _mark_current(self, reference: Reference) -> None:
        """Let `newest` return this artifact; in a store that cannot be written the newest stays what it was."""
        aside = self.root / reference.kind / f".current.{os.getpid()}"
        with contextlib.suppress(OSError):
            aside.write_text(str(reference), "utf-8")
            aside.replace(aside.with_name(".current"))

    @contextlib.contextmanager
    def making(self, recipe: Recipe) -> Iterator[None]:
        """Hold the right to make a recipe; another process that wants it waits and then finds it made.

        Raises:
            StoreBusyError: The other process did not finish in time.
            UnavailableError: The store cannot be written.
        """
        folder = self.root / ".locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / f"{recipe.id}.lock")
            lock.acquire(timeout=self._wait_seconds)
        except Timeout:
            raise StoreBusyError(
                f"Another process has been making the same {recipe.kind} for {self._wait_seconds:g} seconds",
                hint="Wait for it, or stop it; its lock ends with it.",
            ) from None
        except OSError as error:
            raise UnavailableError(f"The store {self.root} cannot be written: {error}") from None
        try:
            yield
        finally:
            lock.release()

    def aside(self, recipe: Recipe) -> Path:
        """Return where state of an unfinished run may be kept; whoever makes the recipe owns the folder."""
        return self.root / ".unfinished" / recipe.id

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
        folder = self.root / ".staging" / recipe.id
        staging = Staging(folder, {}, {})
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            yield staging
            self._publish(recipe, name, staging, time.monotonic() - started)
        except OSError as error:
            raise UnavailableError(f"Writing to {self.root} failed: {error}", hint="Nothing was published.") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, recipe: Recipe, name: str, staging: Staging, seconds: float) -> None:
        files = {}
        for path in sorted(staging.path.iterdir()):
            _sync(path)
            files[path.name] = FileEntry(sha256=file_digest(path), size=path.stat().st_size)
            path.chmod(0o444)
        parent = self.root / recipe.kind / name
        with FileLock(self.root / ".locks" / "versions.lock"):
            parent.mkdir(parents=True, exist_ok=True)
            versions = [int(path.name[1:]) for path in parent.glob("v*") if path.name[1:].isdigit()]
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
            staging.path.rename(parent / f"v{described.version}")
            for folder in (parent, parent.parent, self.root):
                _sync(folder)
        self._mark_current(described.reference)


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
