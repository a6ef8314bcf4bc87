"""In which order artifacts of a kind were made, and which is the newest: what their store noted, no claimed date."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import DamagedFileError, UsageError
from omnishot.store.atomic_write import replaced
from omnishot.store.identity import is_sealed, sealed
from omnishot.store.places import is_gone
from omnishot.store.reference import Reference, parse_exact
from omnishot.store.text_file import read_text

CURRENT = ".current"
"""Name of the note in the folder of a kind."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is noted of the artifacts of one kind.

    Attributes:
        made: References in the order in which they were made; some may be gone by now.
        newest: The one that was made, or found made already, last; None where nothing is noted.
    """

    made: tuple[str, ...] = ()
    newest: str | None = None

    def with_newest(self, reference: str, there: Iterable[str], *, is_new: bool) -> "Order":
        """Return the order after something was made, or found made already, without what is gone.

        Args:
            reference: What was made or found.
            there: What there is.
            is_new: Whether it was made; one of this reference that was there before is gone.
        """
        present, made = {*there, reference}, dict.fromkeys(self.made)
        if is_new:
            made.pop(reference, None)
        made[reference] = None
        return Order(tuple(each for each in made if each in present), reference)

    def as_text(self) -> str:
        """Return the note: a reference a line, the newest as the last one, and a digest of them."""
        return sealed("".join(f"{reference}\n" for reference in (*self.made, self.newest)))

    def ranks(self, known: Iterable[Reference]) -> dict[Reference, tuple[int, str, int]]:
        """Return by what artifacts are sorted, the oldest first.

        One that is not noted, as it was brought here by hand, comes after the earlier versions of its name and before
        all that was made later.
        """
        places = {reference: place for place, reference in enumerate(self.made)}
        found: dict[Reference, tuple[int, str, int]] = {}
        last: dict[str, int] = {}
        for reference in sorted(known, key=lambda item: item.version):
            last[reference.name] = max(places.get(str(reference), -1), last.get(reference.name, -1))
            found[reference] = last[reference.name], reference.name, reference.version
        return found


def note_newest(root: Path, reference: Reference, *, is_new: bool) -> None:
    """Note that an artifact was made, or found made already; a note that cannot be read is begun anew.

    Only one process at a time may.

    Args:
        root: The store's folder.
        reference: The artifact.
        is_new: Whether it was made, and not found.

    Raises:
        OSError: It cannot be written.
    """
    folder = root / reference.kind
    order = order_or_none(folder)
    there = [text for text in order.made if not is_gone(folder / text.partition("/")[2].replace(":", "/"))]
    with replaced(folder / CURRENT) as aside:
        aside.write(order.with_newest(str(reference), there, is_new=is_new).as_text().encode())


def order_or_none(folder: Path) -> Order:
    """Return what the folder of a kind notes, which is nothing where that cannot be read."""
    with contextlib.suppress(DamagedFileError):
        return read_order(folder)
    return Order()


def read_order(folder: Path) -> Order:
    """Return what the folder of a kind notes, which is nothing where there is no note.

    In format 1 the note is one reference, without a digest.

    Raises:
        DamagedFileError: The note cannot be read.
    """
    path = folder / CURRENT
    if is_gone(path):
        return Order()
    text = read_text(path)
    try:
        lines = text.splitlines()[:-1] if is_sealed(text) else [text, text]
        if any(parse_exact(line).kind != folder.name for line in lines):
            raise UsageError(f"it names what is none of the {folder.name}")
    except UsageError as error:
        hint = f"Remove {path}, and name what is to be used until something newer is made."
        raise DamagedFileError(f"{path} is damaged: {error}", hint=hint) from None
    return Order(tuple(lines[:-1]), lines[-1])
