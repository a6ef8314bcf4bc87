"""What there is in a store: its artifacts in order, what of them cannot be read, and which is the newest."""

from pathlib import Path

from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.store.artifact import Artifact
from omnishot.store.box import short_names
from omnishot.store.digests import Digests
from omnishot.store.order import Order, order_or_none, read_order
from omnishot.store.places import UNLISTED, is_gone, version_folders
from omnishot.store.reference import parse_exact
from omnishot.vocabulary import KINDS, MADE_BY
from omnishot.wording import listed


def read_all(
    root: Path, kind: str | None, digests: Digests, *, damaged: dict[Path, DamagedFileError] | None
) -> list[Artifact]:
    """Return the artifacts of a store, kind by kind, the oldest first.

    Args:
        root: The store's folder.
        kind: One of the kinds, or None for all.
        digests: Those that the store's artifacts share.
        damaged: Collects what could not be read, by folder as `version_folders` has it, where the caller can do
            without it.

    Raises:
        DamagedFileError: One of them, a folder that they may lie in, or the note of their order, cannot be read, and
            nothing collects that.
    """
    found: list[Artifact] = []
    for each in KINDS if kind is None else (kind,):
        read = {}
        for path in version_folders(root, each, damaged=damaged):
            try:
                artifact = Artifact.read(path, digests)
                read[artifact.reference] = artifact
            except NotFoundError:  # Another process removed it meanwhile.
                continue
            except DamagedFileError as error:
                if damaged is None:
                    raise
                damaged[path] = error
        order = (read_order if damaged is None else order_or_none)(root / each) if read else Order()
        ranks = order.ranks(read)
        found += [read[reference] for reference in sorted(ranks, key=ranks.__getitem__)]
    return found


def is_any(root: Path, kind: str) -> bool:
    """Tell whether there is an artifact of a kind, or a folder that may hold one."""
    damaged: dict[Path, DamagedFileError] = {}
    return bool(version_folders(root, kind, damaged=damaged) or damaged)


def refuse_unlisted(name: str, damaged: dict[Path, DamagedFileError]) -> None:
    """Check that no artifact of a name can lie in a folder that could not be listed.

    Raises:
        DamagedFileError: One can.
    """
    for path, error in damaged.items():
        if path.name == UNLISTED and path.parent.name in {name, UNLISTED}:
            raise error


def newest_of(root: Path, kind: str) -> Path:
    """Return the folder of the artifact that was made, or found made already, last.

    Where the store has no note of it, the greatest version is, if all have one name.

    Raises:
        NotFoundError: There is none, or nothing says which it is.
        DamagedFileError: The note cannot be read, or there is none and an artifact, or a folder that one may lie in,
            cannot be read.
    """
    order = read_order(root / kind)
    for noted in map(parse_exact, [order.newest, *reversed(order.made)] if order.newest else []):
        if not is_gone(path := noted.folder(root)):
            return path
    there = version_folders(root, kind)
    if not there:
        boxed = f", or name a model in the box: {', '.join(short_names())}" if kind == "models" else ""
        hint = f"Run `omnishot {MADE_BY[kind]}` first, or use --store{boxed}."
        raise NotFoundError(f"There are no {kind} in {root}", hint=hint)
    for path in there:
        Artifact.read(path, Digests())  # One that cannot be read may be the newest.
    names = sorted({path.parent.name for path in there})
    if len(names) > 1:
        raise NotFoundError(
            f"Which of the {kind} in {root} is the newest is not noted: there are {listed(names, shown=5)}",
            hint="Name one.",
        )
    return max(there, key=lambda path: int(path.name[1:]))
