"""The one place that knows how an artifact vouches for itself: after a change its digests are right again."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import yaml

from omnishot.store.identity import content_of, recipe_id, sealed


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return what an artifact's manifest says, but for the digest of the manifest itself."""
    read: dict[str, Any] = yaml.safe_load(text_of(folder))
    return read


def text_of(folder: Path) -> str:
    """Return the text of an artifact's manifest without the digest with which it ends."""
    return (folder / "manifest.yaml").read_text("utf-8").rpartition("digest: ")[0]


def seal(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    """Write a manifest with the sizes and digests of the files that are there, and all that follows from them."""
    values = manifest_of(folder) if manifest is None else manifest
    if isinstance(values.get("files"), dict):
        for name in list(values["files"]):
            path = folder / str(name)
            with contextlib.suppress(OSError):
                if path.parent == folder and path.is_file():
                    values["files"][name] = entry_of(path)
    with contextlib.suppress(TypeError, KeyError, AttributeError, ValueError, RecursionError):  # What was changed.
        values["content"] = content_of({name: entry["sha256"] for name, entry in values["files"].items()})
        contents = [parent["content"] for parent in values["parents"]]
        deciding = values["kind"], values["recipe_version"], values["settings"], contents, values["source"]
        values["recipe"] = recipe_id(*deciding)
    seal_text(folder, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def seal_text(folder: Path, text: str) -> None:
    """Write the text of a manifest with its digest."""
    write(folder / "manifest.yaml", sealed(text if text.endswith("\n") else f"{text}\n").encode())


def entry_of(path: Path) -> dict[str, Any]:
    """Return what a manifest says of a file; of a large one without content, only its size is right."""
    size = path.stat().st_size
    digest = "0" * 64 if size > 1 << 28 else hashlib.sha256(path.read_bytes()).hexdigest()
    return {"sha256": digest, "size": size}


def write(path: Path, content: bytes) -> None:
    """Write a file in the place of what was there, which may be read-only."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
