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
from omnishot.store.atomic_write import make_folder, refuse_links
from omnishot.store.box import find_in_box, parent_in_box, tell_of_box
from omnishot.store.digests import Digests
from omnishot.store.identity import content_of
from omnishot.store.leftovers import STAGING, UNFINISHED, Leftovers, discard, path_for_removal, prepared_for_state
from omnishot.store.listing import is_any, newest_of, read_all, refuse_unlisted
from omnishot.store.locks import Holder, Locks
from omnishot.store.manifest import Manifest, Parent
from omnishot.store.order import note_newest, order_or_none
from omnishot.store.places import is_gone
from omnishot.store.publish import moved_into_place, next_version, sealed
from omnishot.store.recipe import Recipe
from omnishot.store.reference import Query, Reference, parse, parse_exact
from omnishot.vocabulary import KINDS
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
        self.leftovers = Leftovers(self.root, self._locks, lambda: self.artifacts(damaged={}))

    def artifacts(
        self, kind: str | None = None, *, damaged: dict[Path, DamagedFileError] | None = None
    ) -> list[Artifact]:
        """Return all artifacts, kind by kind, or those of one kind, the oldest first.

        Args:
            kind: One of the kinds, or None for all.
            damaged: Collects what could not be read, see `version_folders`, where the caller can do without it.

        Raises:
            DamagedFileError: One of them cannot be read, and nothing collects that.
        """
        return read_all(self.root, kind, self._digests, damaged=damaged)

    def has(self, kind: str) -> bool:
        """Tell whether there is an artifact of a kind, though it may be that it cannot be read."""
        return is_any(self.root, kind)

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
            exact = Reference(kind, query.name, query.version).folder(self.root)
            if not is_gone(exact):
                return Artifact.read(exact, self._digests)
        damaged: dict[Path, DamagedFileError] = {}
        everything = self.artifacts(kind, damaged=damaged)
        refuse_unlisted(query.name, damaged)
        versions: dict[int, Artifact | DamagedFileError] = {
            int(path.name[1:]): error for path, error in damaged.items() if path.parent.name == query.name
        }
        named = [artifact for artifact in everything if artifact.manifest.name == query.name]
        versions |= {artifact.manifest.version: artifact for artifact in named}
        kinds = {artifact.manifest.kind for artifact in named}
        kinds |= {path.parents[1].name for path in damaged if path.parent.name == query.name}
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
        """Return the artifact of a kind that was made, or found made already, last; see `newest_of`.

        Raises:
            NotFoundError: There is none, or nothing says which it is.
            DamagedFileError: It, or what says which it is, cannot be read.
        """
        return Artifact.read(newest_of(self.root, kind), self._digests)

    def parent(self, parent: Parent, *, among: list[Artifact] | None = None, contents: bool = True) -> Artifact | None:
        """Return a parent or what replaces it, see `stand_ins`, or a model in the box; None if there is nothing.

        Args:
            parent: What a manifest says.
            among: All artifacts that can be read, where they are known already.
            contents: Where there are several, pass over damaged ones by their digests; else by their sizes.

        Raises:
            DamagedFileError: It is there but cannot be read, and nothing replaces it.
        """
        meant = parse_exact(parent.reference)
        found = stand_ins(parent, self.artifacts(meant.kind, damaged={}) if among is None else among)
        if not found and not is_gone(path := meant.folder(self.root)):
            Artifact.read(path, self._digests)  # What can be read took its name, and is another.
        if len(found) < 2:
            return found[0] if found else parent_in_box(parent)
        return next((artifact for artifact in found if artifact.is_sound(contents=contents)), found[0])

    def find_by_recipe(self, recipe: Recipe) -> list[Artifact]:
        """Return the artifacts that a recipe has made from the same models, the newest first."""
        return [item for item in self.artifacts(recipe.kind, damaged={}) if recipe.has_made(item.manifest)][::-1]

    def mark_current(self, artifact: Artifact) -> None:
        """Let `newest` return this artifact; in a store that cannot be written the newest stays, which is said."""
        if order_or_none(self.root / artifact.manifest.kind).newest == str(artifact.reference):
            return
        with self._telling_what_is_not_noted(artifact), self._publishing():
            note_newest(self.root, artifact.reference, is_new=False)

    @contextlib.contextmanager
    def _telling_what_is_not_noted(self, artifact: Artifact) -> Iterator[None]:
        try:
            yield
        except (OSError, UnavailableError, StoreBusyError) as error:
            self.tell(f"{artifact.reference} is not the newest of its kind, as that could not be noted: {error}")

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
                    folder = parse_exact(parent.reference).folder(self.root)
                    if is_gone(folder) and parent_in_box(parent) is None:
                        raise NotFoundError(f"{parent.reference} was removed by another process", hint="Start again.")
            self.leftovers.sweep()
            yield

    def changing(self, kind: str, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold the right to make the next version of a name from its newest one."""
        return self._locks.held(f"{kind}-{name}", Holder(os.getpid(), self._command()))

    def _publishing(self, *, at_least: float = 0) -> contextlib.AbstractContextManager[None]:
        """Hold the lock under which artifacts appear and disappear; it is never held for long."""
        return self._locks.held("versions", Holder(os.getpid(), self._command()), at_least=at_least)

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
        return prepared_for_state(self.resume_folder(recipe), recipe.parents, lambda: self.find_by_recipe(recipe))

    def remove(self, choose: Callable[[], Iterable[Artifact | Path]]) -> None:
        """Remove artifacts: gone at once for every reader, however long deleting their files takes.

        Args:
            choose: Returns them or their folders; no artifact appears or disappears from its call until they are gone.

        Raises:
            UnavailableError: The store cannot be written.
        """
        moved = []
        try:
            with self._publishing():
                for chosen in choose():
                    path = chosen if isinstance(chosen, Path) else chosen.path
                    moved.append(path_for_removal(self.root))
                    path.rename(moved[-1])
                    with contextlib.suppress(OSError):  # There are other versions.
                        path.parent.rmdir()
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
        started, code = time.monotonic(), recipe.code  # Of the code that runs, whatever is edited meanwhile.
        folder = self.root / STAGING / recipe.key
        staging = Staging(folder, {}, {})
        try:
            refuse_links(self.root, recipe.kind, name)  # Before the work, not after it; so is the next line.
            next_version(self.root / recipe.kind / name)
            discard(folder)
            make_folder(self.root, STAGING).joinpath(recipe.key).mkdir()
            yield staging
            staging.published = self._publish(recipe, name, code, staging, time.monotonic() - started)
        except OSError as error:
            raise UnavailableError(f"Writing to {self.root} failed: {error}", hint="Nothing was published.") from None
        finally:
            discard(folder)
        discard(self.resume_folder(recipe))

    def _publish(self, recipe: Recipe, name: str, code: str, staging: Staging, seconds: float) -> Artifact:
        files = sealed(staging.path)
        with self._publishing(at_least=_SECONDS_TO_PUBLISH):  # The work is done: better late than lost.
            versions = make_folder(self.root, recipe.kind, name)
            manifest = Manifest(
                format=manifests.FORMAT,
                kind=recipe.kind,
                name=name,
                version=next_version(versions),
                recipe=recipe.id,
                recipe_version=recipe.version,
                code=code,
                content=content_of({name: entry.sha256 for name, entry in files.items()}),
                settings=recipe.settings,
                parents=recipe.parents,
                source=recipe.source,
                files=files,
                summary=staging.summary,
                environment=staging.environment,
                created=datetime.now(UTC).isoformat(timespec="microseconds"),
                seconds=round(seconds, 3),
                argv=self._argv if staging.argv is None else staging.argv,
            )
            made = Artifact(moved_into_place(staging.path, manifest, self.root), manifest, self._digests)
            with self._telling_what_is_not_noted(made):
                note_newest(self.root, made.reference, is_new=True)
        return made
