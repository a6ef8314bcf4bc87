"""The one place that knows how an artifact vouches for itself: after a change its digests are right again."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import yaml


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return what an artifact's manifest says."""
    read: dict[str, Any] = yaml.safe_load((folder / "manifest.yaml").read_text("utf-8"))
    return read


def seal(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    """Write a manifest whose sizes and digests are those of the files that are there."""
    values = manifest_of(folder) if manifest is None else manifest
    if isinstance(values.get("files"), dict):
        for name in list(values["files"]):
            path = folder / str(name)
            with contextlib.suppress(OSError):
                if path.parent == folder and path.is_file():
                    values["files"][name] = entry_of(path)
    write(folder / "manifest.yaml", yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode())


def entry_of(path: Path) -> dict[str, Any]:
    """Return what a manifest says of a file; of a large one without content, only its size is right."""
    size = path.stat().st_size
    digest = "0" * 64 if size > 1 << 28 else hashlib.sha256(path.read_bytes()).hexdigest()
    return {"sha256": digest, "size": size}


def write(path: Path, content: bytes) -> None:
    """Write a file in the place of what was there, which may be read-only."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
