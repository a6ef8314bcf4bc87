"""Names of artifacts: `kind/name:vN`, of which the kind or the version may be left out."""

import re
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import UsageError
from omnishot.vocabulary import KINDS

_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}"
_PATTERN = re.compile(rf"(?:(?P<kind>[a-z]+)/)?(?P<name>{_NAME})(?::(?P<version>latest|v[1-9][0-9]{{0,8}}))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One artifact.

    Attributes:
        kind: One of `KINDS`.
        name: Name among artifacts of the kind.
        version: Counted from 1.
    """

    kind: str
    name: str
    version: int

    def folder(self, root: Path) -> Path:
        """Return where it lies in a store of this folder."""
        return root / self.kind / self.name / f"v{self.version}"

    def __str__(self) -> str:
        """Return `kind/name:vN`."""
        return f"{self.kind}/{self.name}:v{self.version}"


@dataclass(frozen=True, slots=True)
class Query:
    """A reference as the user typed it; what was left out is None."""

    kind: str | None
    name: str
    version: int | None


def parse(text: str) -> Query:
    """Read a reference.

    Raises:
        UsageError: The text is none.
    """
    if not text:
        raise UsageError("The reference is empty", hint="Name an artifact; the command that was to name it failed.")
    match = _PATTERN.fullmatch(text)
    if not match or (match["kind"] and match["kind"] not in KINDS):
        shown = repr(text if len(text) <= 60 else text[:60] + "…")
        raise UsageError(
            f"{shown} is not a reference",
            hint=f"Write kind/name:vN, with a kind of {', '.join(KINDS)}; `omnishot ls` lists what there is.",
        )
    version = None if match["version"] in {None, "latest"} else int(match["version"][1:])
    return Query(match["kind"], match["name"], version)


def parse_exact(text: str) -> Reference:
    """Read a reference that leaves nothing out.

    Raises:
        UsageError: The text is none, or lacks its kind or version.
    """
    query = parse(text)
    if query.kind is None or query.version is None:
        raise UsageError(f"'{text}' lacks its kind or its version", hint="Write kind/name:vN.")
    return Reference(query.kind, query.name, query.version)


def check_name(name: str) -> str:
    """Return an artifact name unchanged.

    Raises:
        UsageError: The name would not do for a folder.
    """
    if not re.fullmatch(_NAME, name):
        raise UsageError(
            f"{name[:60]!r} cannot name an artifact",
            hint="Use up to 100 letters, digits, and . _ + - after the first one.",
        )
    return name
