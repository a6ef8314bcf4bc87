"""What every command gets: a console and a store, and the options that both are made from."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate

import typer

from omnishot.cli.console import Console
from omnishot.errors import UsageError
from omnishot.machine import with_home

if TYPE_CHECKING:
    from omnishot.store.artifact import Artifact
    from omnishot.store.store import Store

Command = Callable[Concatenate["Session", ...], None]


class Session:
    """One command's console and store; its arguments are the options that every command has.

    Attributes:
        console: Prints what the command has to say.
        folder: Where the store is.
    """

    def __init__(
        self,
        *,
        wait_for_lock: Annotated[
            float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for other processes that hold a lock.")
        ] = 3600.0,
        store: Annotated[Path, typer.Option(envvar="OMNISHOT_STORE", help="Folder of artifacts.")] = Path("artifacts"),
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result, and errors.")] = False,
        verbose: Annotated[
            bool, typer.Option("--verbose", "-v", help="Also print resolved settings and paths.")
        ] = False,
        no_progress: Annotated[bool, typer.Option("--no-progress", help="Show no progress.")] = False,
    ) -> None:
        self.console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
        self.folder, self._wait_seconds = store, wait_for_lock

    @functools.cached_property
    def store(self) -> "Store":
        """The store, opened when it is first asked for; it tells the user on the console which process it waits for.

        Raises:
            UsageError: The store's path is no folder, or torchrun started this process with another rank than 0.
        """
        if not is_rank_zero():
            raise UsageError("torchrun is for `omnishot train` alone", hint="Run the other commands as one process.")
        from omnishot.store.store import Store  # Deferred: pydantic takes tenths of a second.

        if self.folder.exists() and not self.folder.is_dir():
            hint = "Name a folder; it is made if it is missing."
            raise UsageError(f"--store {self.folder} is not a folder", hint=hint)
        return Store(self.folder, argv=sys.argv, wait_seconds=self._wait_seconds, tell=self.console.note)

    def find(self, reference: str | None, kind: str) -> "Artifact | None":
        """Return the artifact the user named, or None where none was named."""
        return None if reference is None else self.store.find(reference, kind)

    def find_all(self, references: list[str] | None, kind: str) -> "list[Artifact] | None":
        """Return the artifacts the user named, each once, or None where none was named."""
        if not references:
            return None
        found = (self.store.find(reference, kind) for reference in references)
        return list({artifact.path: artifact for artifact in found}.values())


def is_rank_zero() -> bool:
    """Tell whether this process has rank 0, as every process that torchrun did not start."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK", "0") == "0"


def with_session(*, waits: bool = False) -> Callable[[Command], Callable[..., None]]:
    """Give a command a session as its first argument, and the session's options after its own.

    Only one that publishes or removes artifacts may have to wait for another process, and so has `--wait-for-lock`.
    """
    options = list(inspect.signature(Session).parameters.values())
    if not waits:
        options = [option for option in options if option.name != "wait_for_lock"]

    def extend(command: Command) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            given = {name: with_home(value) if isinstance(value, Path) else value for name, value in given.items()}
            command(Session(**{option.name: given.pop(option.name) for option in options}), **given)

        _, *own = inspect.signature(command).parameters.values()
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *options)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # What Typer makes options of.
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return extend
