"""gc --purge: what a gallery held before is deleted, whatever else is kept."""

from pathlib import Path

from omnishot.store.artifact import Artifact, place_name
from omnishot.store.atomic_write import refuse_links
from omnishot.store.places import versions_in
from omnishot.store.store import Store


def purge(store: Store, name: str, *, dry_run: bool = False) -> list[str]:
    """Delete all versions of a gallery but the newest, those that cannot be read too, and return their references.

    Nobody who was removed from a gallery is left in it: no version has another one as its parent.

    Args:
        store: Where the gallery is.
        name: Its name, with or without its kind.
        dry_run: Delete nothing, and only tell.

    Raises:
        NotFoundError: There is no such gallery.
        DamagedFileError: The newest version is damaged, so that an earlier one may be wanted.
        UnavailableError: The store cannot be written, or a version lies behind a link, where nothing is removed.
    """
    newest = store.find(name, "galleries")
    newest.verify()
    gone: list[str] = []

    def choose() -> list[Artifact | Path]:
        kept = store.find(f"galleries/{newest.manifest.name}")  # By now there may be another.
        folders = [path for path in versions_in(newest.path.parent) if path.name != f"v{kept.manifest.version}"]
        for path in folders:
            refuse_links(store.root, *path.relative_to(store.root).parts)
        gone.extend(map(place_name, folders))
        return list(folders)

    if dry_run:
        choose()
    else:
        store.remove(choose)
        store.leftovers.sweep()  # A version whose enrolling was killed holds people too.
    return gone
