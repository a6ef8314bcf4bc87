"""The command lines that make artifacts again in an empty folder: in which order, and what things are called there."""

import shlex
from collections import Counter
from dataclasses import dataclass

from omnishot.errors import SettingsError
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import Manifest, Parent
from omnishot.store.recipe import run_key
from omnishot.store.reference import parse
from omnishot.store.remake import words_of


@dataclass(frozen=True, slots=True)
class Line:
    """A command line, as it is typed in a folder in which those before it have run.

    Attributes:
        text: How it is typed.
        makes: The reference of what it makes there.
        stands_for: What it makes again; several where the same thing was made more than once.
    """

    text: str
    makes: str
    stands_for: list[Artifact]


def lines_from_scratch(artifacts: list[Artifact]) -> tuple[list[Line], list[Artifact]]:
    """Return the command lines that make artifacts in an empty folder, in the order in which they have to run.

    A model that was trained twice is trained twice there too, as the two may differ; all else is made once. Artifacts
    are given parents before children; images are left out, as what needs them makes them.

    The second list holds what has no line: its settings are another version's, or a parent of it has no line.
    """
    lines: dict[str, Line] = {}  # By what tells runs apart; the first of equal ones.
    names: dict[tuple[str, str], str] = {}
    versions: Counter[str] = Counter()
    found, left = [], []
    for artifact in _in_order(artifacts):
        manifest = _renamed(artifact.manifest, names)
        if manifest is None or (words := _words(manifest)) is None:
            left.append(artifact)
            continue
        key = run_key(manifest.recipe, manifest.parents)
        if key in lines and manifest.kind != "models":
            lines[key].stands_for.append(artifact)
            names[_identity(artifact.as_parent())] = lines[key].makes
            continue
        name = f"{manifest.kind}/{manifest.name}"
        versions[name] += 1
        again = ["--force"] if key in lines else []
        line = Line(shlex.join(["omnishot", *words, *again]), f"{name}:v{versions[name]}", [artifact])
        names[_identity(artifact.as_parent())] = line.makes
        lines.setdefault(key, line)
        found.append(line)
    return found, left


def _in_order(artifacts: list[Artifact]) -> list[Artifact]:
    """Return each artifact once, what measures no model before every model.

    `eval` without a model takes the newest pairs, and baselines alone only where there is no model yet.
    """
    evaluations = (artifact for artifact in artifacts if artifact.manifest.kind == "evals")
    alone = [evaluation for evaluation in evaluations if not evaluation.manifest.parent("models")]
    order: list[Artifact] = []
    for pairs in artifacts:
        if pairs.manifest.kind == "pairs":
            order.append(pairs)
            order += [item for item in alone if any(map(pairs.is_meant_by, item.manifest.parents))]
    everything = [*order, *alone, *(item for item in artifacts if item.manifest.kind != "images")]
    return list({str(artifact.reference): artifact for artifact in everything}.values())


def _renamed(manifest: Manifest, names: dict[tuple[str, str], str]) -> Manifest | None:
    """Return a manifest whose parents are called what they are called there, or None where one has no line."""
    parents = []
    for parent in manifest.parents:
        if parse(parent.reference).kind == "images":
            parents.append(parent)
        elif name := names.get(_identity(parent)):
            parents.append(parent.model_copy(update={"reference": name}))
        else:
            return None
    return manifest.model_copy(update={"parents": parents})


def _identity(parent: Parent) -> tuple[str, str]:
    """Return what tells artifacts apart: of models of one recipe each is itself, for all else another one stands."""
    return parent.identity, parent.reference if parent.reference.startswith("models/") else ""


def _words(manifest: Manifest) -> list[str] | None:
    try:
        return words_of(manifest)
    except SettingsError:
        return None
