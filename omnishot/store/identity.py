"""What identifies an artifact: digests of canonical JSON, and the digest with which a text of ours ends."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

_LAST_LINE = "digest: "


def canonical_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value, hexadecimal: keys sorted, no spaces, non-ASCII escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(digests: Mapping[str, str]) -> str:
    """Return what an artifact's content is known by: one digest of the SHA-256 of its files, by name."""
    return canonical_digest(dict(digests))


def recipe_id(
    kind: str, recipe_version: int, settings: Any, parents: Sequence[str | None], source: Mapping[str, str] | None
) -> str:
    """Return the digest of what decides an artifact's content.

    Args:
        kind: Its kind.
        recipe_version: Of the code that makes it.
        settings: JSON values only.
        parents: What its parents are known by: their contents, or in format 1 their recipe ids.
        source: Name and content digest of data from outside the store.
    """
    return canonical_digest(
        {
            "kind": kind,
            "recipe_version": recipe_version,
            "settings": settings,
            "parents": list(parents),
            "source": dict(source) if source else None,
        }
    )


def sealed(text: str) -> str:
    """Return a text of whole lines with a last one that holds the SHA-256 of all before it."""
    return f"{text}{_LAST_LINE}{hashlib.sha256(text.encode()).hexdigest()}\n"


def is_sealed(text: str) -> bool:
    """Tell whether a text is exactly what `sealed` made of the lines before its last one."""
    before = text.rpartition(_LAST_LINE)[0]
    return before.endswith("\n") and text == sealed(before)
