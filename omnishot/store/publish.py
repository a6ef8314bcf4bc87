"""The last steps of an artifact's making: flushed, hashed, described, and moved to where it exists."""

from pathlib import Path

from omnishot.errors import UsageError
from omnishot.store.atomic_write import flush, make_read_only, write_new
from omnishot.store.manifest import FILE_NAME, LAST_VERSION, FileEntry, Manifest, file_digest
from omnishot.store.places import versions_in


def sealed(folder: Path) -> dict[str, FileEntry]:
    """Flush a folder's files to the disk, make them read-only, and return their digests and sizes."""
    entries = {}
    for path in sorted(folder.iterdir()):
        flush(path)
        entries[path.name] = FileEntry(sha256=file_digest(path), size=path.stat().st_size)
        make_read_only(path)
    return entries


def next_version(folder: Path) -> int:
    """Return the version after the greatest in a folder of versions.

    Raises:
        UsageError: The greatest is the last that there can be.
    """
    last = max((int(path.name[1:]) for path in versions_in(folder)), default=0)
    if last >= LAST_VERSION:
        kind, name = folder.parent.name, folder.name
        raise UsageError(
            f"{kind}/{name} has a version {last:,}, and {LAST_VERSION:,} is the last that there can be",
            hint=f"Choose another name, or remove {folder / f'v{last}'} if it is not needed.",
        )
    return last + 1


def moved_into_place(folder: Path, manifest: Manifest, root: Path) -> Path:
    """Write the manifest into a folder, rename the folder to its place below the store's root, and return that.

    No other process may publish the same version meanwhile.
    """
    written = folder / FILE_NAME
    write_new(written, manifest.as_yaml().encode())
    make_read_only(written)
    flush(written)
    flush(folder)
    versions = root / manifest.kind / manifest.name
    target = folder.rename(versions / f"v{manifest.version}")
    for parent in (versions, versions.parent, root):
        flush(parent)
    return target
