"""A folder of artifacts in which everything that exists is complete, and nothing is ever overwritten."""

import contextlib
import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from omnishot.errors import DamagedFileError, NotFoundError, StoreBusyError, UnavailableError, UsageError
from omnishot.store import manifest as manifests
from omnishot.store.artifact import Artifact, Staging, stand_ins
from omnishot.store.atomic_write import replaced
from omnishot.store.box import find_in_box, parent_in_box, short_names, tell_of_box
from omnishot.store.digests import Digests
from omnishot.store.leftovers import STAGING, UNFINISHED, Leftovers, discard, path_for_removal, prepared_for_state
from omnishot.store.locks import Holder, Locks
from omnishot.store.manifest import Manifest, Parent
from omnishot.store.publish import VERSION, moved_into_place, next_version, sealed
from omnishot.store.recipe import Recipe
from omnishot.store.reference import Query, parse, parse_exact
from omnishot.store.text_file import read_text
from omnishot.vocabulary import KINDS, MADE_BY
from omnishot.wording import did_you_mean

_SECONDS_TO_PUBLISH = 600


class Store:
    """Artifacts below one folder, shared by any number of processes.

    Attributes:
        root: The folder.
        tell: Receives sentences that the user should read at once.
        leftovers: What killed and interrupted runs have left in it.
    """

    def __init__(
        self,
        root: Path | str,
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
        self.root = Path(root)
        self.tell = tell
        self._argv = argv or []
        self._digests = Digests()
        self._locks = Locks(self.root / ".locks", wait_seconds=wait_seconds, tell=tell)
        self.leftovers = Leftovers(self.root, self._locks, self.artifacts)

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
            if path.parent.parent.name not in KINDS or not VERSION.fullmatch(path.name):
                continue
            try:
                found.append(Artifact.read(path, self._digests))
            except DamagedFileError as error:
                if damaged is not None and path.exists():  # Else another process removed it meanwhile.
                    damaged[path] = error
        return sorted(found, key=lambda artifact: (artifact.manifest.created, artifact.manifest.version))

    def find(self, text: str, kind: str | None = None) -> Artifact:
        """Return the artifact a user named: one of the store, else a model in the box.

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
        if (kind := query.kind or kind) and query.version is not None:
            exact = self.root / kind / query.name / f"v{query.version}"
            if exact.exists():
                return Artifact.read(exact, self._digests)
        damaged: dict[Path, DamagedFileError] = {}
        everything = self.artifacts(kind, damaged=damaged)
        versions: dict[int, Artifact | DamagedFileError] = {
            int(path.name[1:]): error for path, error in damaged.items() if path.parent.name == query.name
        }
        named = [artifact for artifact in everything if artifact.manifest.name == query.name]
        versions |= {artifact.manifest.version: artifact for artifact in named}
        kinds = {artifact.manifest.kind for artifact in named}
        if len(kinds) > 1:
            raise UsageError(f"'{text}' fits {', '.join(sorted(kinds))}", hint="Put the kind and a slash before it.")
        if not versions and (boxed := find_in_box(Query(kind, query.name, query.version))):
            return boxed
        if not versions:
            known = {artifact.manifest.name for artifact in everything}
            others = [other for other in KINDS if kind and other != kind and (self.root / other / query.name).is_dir()]
            hint = f"`omnishot ls` lists what there is in {self.root}"
            hint = f"It is one of the {', '.join(others)}, but {kind} are needed here" if others else hint
            raise NotFoundError(f"There is no '{text}'{did_you_mean(query.name, known)}", hint=f"{hint}.")
        wanted = max(versions) if query.version is None else query.version
        if wanted not in versions:
            numbers = ", ".join(f"v{number}" for number in sorted(versions))
            raise NotFoundError(f"There is no version v{wanted} of '{query.name}', only {numbers}")
        found = versions[wanted]
        if isinstance(found, DamagedFileError):
            raise found
        if kind == "models":
            tell_of_box(found, query, self.tell)
        return found

    def newest(self, kind: str) -> Artifact:
        """Return the artifact of a kind that was made, or found made already, last.

        Raises:
            NotFoundError: There is none.
            DamagedFileError: It cannot be read.
        """
        with contextlib.suppress(NotFoundError, UsageError):
            return self.find(self._current(kind), kind)
        damaged: dict[Path, DamagedFileError] = {}
        everything = self.artifacts(kind, damaged=damaged)
        if everything:
            return everything[-1]
        for error in damaged.values():
            raise error
        boxed = f", or name a model in the box: {', '.join(short_names())}" if kind == "models" else ""
        raise NotFoundError(
            f"There are no {kind} in {self.root}", hint=f"Run `omnishot {MADE_BY[kind]}` first, or use --store{boxed}."
        )

    def _current(self, kind: str) -> str:
        """Return what the last run noted as the newest, or an empty text."""
        with contextlib.suppress(DamagedFileError):
            return read_text(self.root / kind / ".current")
        return ""

    def parent(self, parent: Parent, *, among: list[Artifact] | None = None, contents: bool = True) -> Artifact | None:
        """Return a parent or what replaces it, see `stand_ins`, or a model in the box; None if there is nothing.

        Args:
            parent: What a manifest says.
            among: All artifacts, where they are known already.
            contents: Where there are several, pass over damaged ones by their digests; else by their sizes.
        """
        found = stand_ins(parent, self.artifacts(parse(parent.reference).kind) if among is None else among)
        if len(found) < 2:
            return found[0] if found else parent_in_box(parent)
        return next((artifact for artifact in found if artifact.is_sound(contents=contents)), found[0])

    def find_by_recipe(self, recipe: Recipe) -> list[Artifact]:
        """Return the artifacts that a recipe has made from the same models, the newest first."""
        return [artifact for artifact in self.artifacts(recipe.kind) if artifact.key == recipe.key][::-1]

    def mark_current(self, artifact: Artifact) -> None:
        """Let `newest` return this artifact; in a store that cannot be written the newest stays what it was."""
        kind = artifact.manifest.kind
        if self._current(kind) == str(artifact.reference):
            return
        failures = contextlib.suppress(OSError, UnavailableError, StoreBusyError)
        with failures, self._publishing(), replaced(self.root / kind / ".current") as aside:
            aside.write_text(str(artifact.reference), "utf-8")

    @contextlib.contextmanager
    def producing(self, recipe: Recipe) -> Iterator[None]:
        """Hold the right to make a recipe; another process that wants it waits and then finds it made.

        Raises:
            StoreBusyError: The other process did not finish in time.
            UnavailableError: The store cannot be written.
        """
        parents = tuple(parent.reference for parent in recipe.parents)
        with self._locks.held(recipe.key, Holder(os.getpid(), self._command(), parents)):
            # `remove` chooses under the same lock: either it knows of this process, or this one sees what is gone.
            with self._publishing():
                for parent in recipe.parents:
                    place = parse_exact(parent.reference)
                    folder = self.root / place.kind / place.name / f"v{place.version}"
                    if not folder.exists() and parent_in_box(parent) is None:
                        raise NotFoundError(f"{place} was removed by another process", hint="Start again.")
            self.leftovers.sweep()
            yield

    def _publishing(self) -> contextlib.AbstractContextManager[None]:
        """Hold the lock under which artifacts appear and disappear; it is never held for long."""
        holder = Holder(os.getpid(), self._command())
        return self._locks.held("versions", holder, wait_seconds=_SECONDS_TO_PUBLISH)

    def _command(self) -> str:
        return shlex.join(["omnishot", *self._argv[1:]])

    def resume_folder(self, recipe: Recipe) -> Path:
        """Return where state of an unfinished run may be kept; whoever makes the recipe owns the folder."""
        return self.root / UNFINISHED / recipe.key

    def prepare_resume_folder(self, recipe: Recipe) -> Path:
        """Make that folder, with a note of what the run is made from.

        Raises:
            OSError: The store cannot be written.
        """
        return prepared_for_state(self.resume_folder(recipe), recipe.parents)

    def remove(self, choose: Callable[[], Iterable[Artifact]]) -> None:
        """Remove artifacts: gone at once for every reader, however long deleting their files takes.

        Args:
            choose: Returns which; no artifact appears or disappears from its call until they are gone.

        Raises:
            UnavailableError: The store cannot be written.
        """
        moved = []
        try:
            with self._publishing():
                for artifact in choose():
                    moved.append(path_for_removal(self.root))
                    artifact.path.rename(moved[-1])
                    with contextlib.suppress(OSError):  # There are other versions.
                        artifact.path.parent.rmdir()
        except OSError as error:
            raise UnavailableError(f"The store {self.root} cannot be written: {error}") from None
        finally:
            for path in moved:
                discard(path)

    @contextlib.contextmanager
    def publish(self, recipe: Recipe, name: str) -> Iterator[Staging]:
        """Give a folder to fill; it becomes an artifact when the block ends, and vanishes when it fails.

        Call inside `producing`: that is what makes a leftover folder of the same recipe safe to remove.

        Args:
            recipe: What is being made.
            name: Name of the artifact; its version is chosen at the end.

        Raises:
            UnavailableError: The disk is full or the store cannot be written.
        """
        started = time.monotonic()
        folder = self.root / STAGING / recipe.key
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
        discard(self.resume_folder(recipe))

    def _publish(self, recipe: Recipe, name: str, staging: Staging, seconds: float) -> Artifact:
        files = sealed(staging.path)
        versions = self.root / recipe.kind / name
        with self._publishing():
            versions.mkdir(parents=True, exist_ok=True)
            manifest = Manifest(
                format=manifests.FORMAT,
                kind=recipe.kind,
                name=name,
                version=next_version(versions),
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
            made = Artifact(moved_into_place(staging.path, manifest, self.root), manifest, self._digests)
        self.mark_current(made)
        return made
