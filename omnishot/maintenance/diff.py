"""diff: why two artifacts of one kind are not the same, and what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from omnishot.errors import UsageError
from omnishot.formats.evaluation import read_summary
from omnishot.formats.gallery import read_gallery
from omnishot.store.artifact import Artifact

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class ArtifactDiff:
    """How two artifacts differ.

    Attributes:
        same_recipe: Whether one could stand in for the other.
        why: What makes the recipes differ, or why there are two of one recipe; one sentence.
        values: What differs, with the values of both; None where one has no such value.
    """

    same_recipe: bool
    why: str
    values: tuple[tuple[str, Any, Any], ...]


def diff_artifacts(one: Artifact, other: Artifact) -> ArtifactDiff:
    """Compare settings, parents, source, results, environment and files.

    Raises:
        UsageError: They are of different kinds.
        DamagedFileError: The results of an evaluation cannot be read.
    """
    if one.manifest.kind != other.manifest.kind:
        raise UsageError(
            f"{one.reference} and {other.reference} are of different kinds", hint="Compare two of one kind."
        )
    first, second = dict(_values(one)), dict(_values(other))
    names = list(dict.fromkeys([*first, *second]))
    rows = tuple((name, first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name))
    same = one.manifest.recipe == other.manifest.recipe
    return ArtifactDiff(same, _why(one, other, [name for name, _, _ in rows], same), rows)


def _why(one: Artifact, other: Artifact, names: list[str], same: bool) -> str:
    if one.path == other.path:
        return "They are the same artifact."
    if same and one.manifest.code != other.manifest.code and None not in {one.manifest.code, other.manifest.code}:
        return "The recipe is the same, but the code that made them is not."
    if same and one.manifest.kind == "galleries":
        return "They hold the same classes, images and threshold."
    if one.manifest.kind == "galleries":
        return "What is enrolled, or its model or threshold, is not the same."
    if same:
        return "The recipe is the same; the later one was forced, or the earlier one was damaged."
    causes = [name for name in names if name.startswith(("settings.", "source."))]
    if _parents(one) != _parents(other):
        causes.append("parents")
    return f"The recipes differ: {', '.join(causes) or 'made by another version of omnishot'}."


def _parents(artifact: Artifact) -> list[str]:
    return [parent.identity for parent in artifact.manifest.parents]


def _values(artifact: Artifact) -> Iterator[tuple[str, Any]]:
    manifest = artifact.manifest
    yield "code", manifest.code and manifest.code[:_DIGITS]
    yield from _flat("settings", manifest.settings)
    for i, parent in enumerate(manifest.parents):
        yield f"parents.{i + 1}", parent.reference
        yield f"parents.{i + 1}.recipe", parent.recipe[:_DIGITS]
        yield f"parents.{i + 1}.content", parent.content and parent.content[:_DIGITS]
    yield from _flat("source", manifest.source)
    yield from _results(artifact) if manifest.kind == "evals" else _flat("summary", manifest.summary)
    if manifest.kind == "galleries":
        yield from _enrolled(artifact)
    yield from _flat("environment", manifest.environment)
    for name, entry in manifest.files.items():
        yield f"files.{name}", f"{entry.size} bytes, {entry.sha256[:_DIGITS]}"


def _results(artifact: Artifact) -> Iterator[tuple[str, Any]]:
    """Yield the accuracies; a model is called by its place, so that two models can be compared."""
    models = [p.reference for p in artifact.manifest.parents if p.reference.startswith("models/")]
    for result in read_summary(artifact.file("summary.json")).results:
        method = f"model {models.index(result.model) + 1}" if result.model in models else result.model
        task = f" {result.ways}-way" if result.ways else ""
        what = f"results.{method}, {result.protocol}{task} on {result.on}"
        yield what, f"{100 * result.accuracy:.2f} % ({result.correct} of {result.trials})"


def _enrolled(artifact: Artifact) -> Iterator[tuple[str, Any]]:
    """Yield the images of each class, and the thresholds."""
    gallery = read_gallery(artifact)
    images: dict[str, list[str]] = {name: [] for name in gallery.classes}
    for number, file in zip(gallery.of_class.tolist(), gallery.files, strict=True):
        images[gallery.classes[number]].append(file)
    for name, files in images.items():
        yield f"class {name}", ", ".join(files)
    yield from _flat("gallery", gallery.settings.model_dump(mode="json"))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings, named by the way to them."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value
