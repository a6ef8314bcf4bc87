"""What an artifact is made of: its settings, parents, files and the machine it was made on."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from omnishot.errors import DamagedFileError, SettingsError
from omnishot.store.identity import content_of, is_sealed, recipe_id, sealed
from omnishot.store.reference import Reference, check_name, parse, parse_exact
from omnishot.store.text_file import read_text
from omnishot.store.validation import Count, Digest, Line, accepted_by, first_problem
from omnishot.strict_yaml import read_yaml
from omnishot.vocabulary import KINDS

FORMAT = 2
"""Version of the manifest format this program writes."""

_LATEST_RECIPE = 9
"""Format 1 does not say the version of a recipe: those up to this one are tried."""

FILE_NAME = "manifest.yaml"

LAST_VERSION = 999_999_999

Name = Annotated[str, accepted_by(check_name)]
"""A name that does for a folder or a file, and for nothing outside its own folder."""


def _check_kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"it is none of {', '.join(KINDS)}")
    return text


def _check_time(text: str) -> str:
    moment = datetime.fromisoformat(text)
    # Times are ordered as texts, which is right only where all of them are written alike.
    if moment.utcoffset() != timedelta(0) or moment.isoformat(timespec="microseconds") != text:
        raise ValueError("it is no UTC time like 2026-01-31T12:00:00.000000+00:00")
    return text


def _check_source(source: dict[str, str]) -> dict[str, str]:
    if set(source) != {"name", "digest"}:
        raise ValueError("it does not hold a name and a digest")
    return source


def _readable(words: Any) -> Any:
    """Write out the bytes of a command line that are no UTF-8: YAML has no place for them."""
    if not isinstance(words, list):
        return words
    return [word.encode("utf-8", "backslashreplace").decode() if isinstance(word, str) else word for word in words]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Parent(_Frozen):
    """An artifact that another was made from.

    Attributes:
        reference: What it was called.
        recipe: Its recipe id.
        content: What it held, see `content_of`; None in format 1, which does not say it.
    """

    reference: Annotated[str, accepted_by(parse_exact)]
    recipe: Digest
    content: Digest | None = None

    @property
    def identity(self) -> str:
        """What tells it from others as well as its child knows: its content, else its recipe id."""
        return self.content or self.recipe


class FileEntry(_Frozen):
    """A file of an artifact."""

    sha256: Digest
    size: Count


class Manifest(_Frozen):
    """Everything a reader has to know before it opens an artifact's files.

    Attributes:
        format: Version of this format.
        kind: Kind of artifact.
        name: Name among artifacts of the kind.
        version: Counted from 1.
        recipe: Recipe id, see `recipe_id`.
        recipe_version: Of the code that made it; None in format 1.
        code: Digest of that code, see `code_digest`; None in format 1.
        content: Digest of the files' digests, see `content_of`; None in format 1.
        settings: What was asked for, resolved.
        parents: What it was made from.
        source: Name and content digest of the source data, where it was read from outside the store.
        files: Files by name, with digests and sizes.
        summary: Key figures, for listings.
        environment: Versions and device it was made with.
        created: UTC time, ISO 8601.
        seconds: How long making it took.
        argv: The command line.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    kind: Annotated[str, AfterValidator(_check_kind)]
    name: Name
    version: Annotated[int, Field(ge=1, le=LAST_VERSION)]
    recipe: Digest
    recipe_version: Annotated[int, Field(ge=1, le=999_999_999)] | None = None
    code: Digest | None = None
    content: Digest | None = None
    settings: dict[str, Any]
    parents: list[Parent]
    source: Annotated[dict[str, Line], AfterValidator(_check_source)] | None
    files: dict[Name, FileEntry]
    summary: dict[str, Any]
    environment: dict[Line, Line | None]
    created: Annotated[str, AfterValidator(_check_time)]
    seconds: Annotated[float, Field(ge=0)]
    argv: Annotated[list[str], BeforeValidator(_readable)]

    @property
    def reference(self) -> Reference:
        """The artifact's reference."""
        return Reference(self.kind, self.name, self.version)

    def parent(self, kind: str) -> Parent | None:
        """Return the first parent of a kind."""
        return next((parent for parent in self.parents if parse(parent.reference).kind == kind), None)

    def as_yaml(self) -> str:
        """Return the manifest as it is written."""
        unknown: Any = {"recipe_version": True, "code": True, "content": True, "parents": {"__all__": {"content"}}}
        values = self.model_dump(exclude=unknown if self.format == 1 else None)
        text = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        return text if self.format == 1 else sealed(text)

    @model_validator(mode="after")
    def _says_what_its_format_has(self) -> Self:
        identity = [self.recipe_version, self.code, self.content, *(parent.content for parent in self.parents)]
        if self.format == 1 and any(value is not None for value in identity):
            raise ValueError("it holds what format 1 does not have")
        if self.format > 1 and None in identity:
            raise ValueError("it lacks a recipe_version, code or content")
        return self

    def what_is_not_so(self) -> str:
        """Return which of its claims about itself is not so, or an empty text."""
        versions = range(1, _LATEST_RECIPE + 1) if self.recipe_version is None else [self.recipe_version]
        parents = [parent.recipe if self.format == 1 else parent.content for parent in self.parents]
        if all(recipe_id(self.kind, n, self.settings, parents, self.source) != self.recipe for n in versions):
            return "its recipe id is not that of its settings, parents and source"
        if self.content is not None and self.content != content_of(self.digests):
            return "its content is not that of its files"
        return ""

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file, by name."""
        return {name: entry.sha256 for name, entry in self.files.items()}


class _Dumper(yaml.SafeDumper):
    """Writes a value that comes twice out twice, as aliases are refused when they are read."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return that nothing is worth an alias."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Quote what YAML takes for a line break and PyYAML for a letter."""
        style = '"' if {"\x85", "\u2028", "\u2029"} & set(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a published artifact.

    Raises:
        DamagedFileError: It is missing, unreadable or of a later format.
    """
    path = folder / FILE_NAME
    hint = f"Make the artifact again, as the command that made it will: this one is not reused. Then remove {folder}."
    try:
        text = read_text(path)
        values = read_yaml(text, origin=str(path), as_written=True)
        if not isinstance(values, dict):
            raise DamagedFileError(f"{path} is damaged: it is {'empty' if values is None else 'no mapping'}", hint=hint)
        if type(values.get("format")) is int and values["format"] > FORMAT:
            raise DamagedFileError(
                f"{path} has format {values['format']}, but this omnishot reads up to {FORMAT}",
                hint="Update omnishot.",
            )
        is_sound = True
        if values.get("format") != 1:
            is_sound = is_sealed(text)
            values.pop("digest", None)
        manifest = Manifest.model_validate(values)
        if problem := manifest.what_is_not_so() if is_sound else "its digest is not that of its text":
            raise DamagedFileError(f"{path} is damaged: {problem}", hint=hint)
        return manifest
    except SettingsError as error:
        raise DamagedFileError(str(error), hint=hint) from None
    except ValidationError as error:
        raise DamagedFileError(f"{path} is damaged: {first_problem(error)}", hint=hint) from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
