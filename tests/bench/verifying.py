"""Verify a store by FORMATS.md alone: hashlib, JSON, PyYAML and h5py, and nothing of omnishot.

    python tests/bench/verifying.py STORE

Prints a line per thing that is not so, and ends with 1 if there is one. Any folder of the store whose name does not
begin with a dot is a kind: kinds that are yet to come are verified like the others.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import yaml

_VERSION = re.compile("v[1-9][0-9]*")
_TIMED = {"history.jsonl", "history.tfevents", "summary.json", "config.yaml"}
"""Files that say how long something took, or what else was asked for: equal recipes need not have them equal."""


@dataclass
class Verified:
    """What a look at a store found.

    Attributes:
        contents: Content of each artifact by its reference.
        missing: References of parents that are gone, by the artifact that was made from them.
        problems: What is not so.
    """

    contents: dict[str, str] = field(default_factory=dict)
    missing: set[tuple[str, str]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def verify(store: Path) -> Verified:
    """Hash every file of a store, and compare what its manifests and notes say with what is there."""
    found, manifests = Verified(), {}
    for folder in sorted(store.glob("[!.]*/*/v*")):
        if _VERSION.fullmatch(folder.name):
            reference = f"{folder.parents[1].name}/{folder.parent.name}:{folder.name}"
            try:
                manifests[reference] = manifest = read_sealed(folder)
                found.problems += [f"{reference}: {problem}" for problem in _untrue(folder, reference, manifest)]
            except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
                found.problems.append(f"{reference}: {type(error).__name__}: {error}")
    found.contents = {reference: manifest["content"] for reference, manifest in manifests.items()}
    for reference, manifest in manifests.items():
        for parent in manifest["parents"]:
            kind = parent["reference"].split("/")[0]
            named = [parent["reference"]] if kind == "models" else [name for name in manifests if name.startswith(kind)]
            if not any(found.contents.get(name) == parent["content"] for name in named):
                found.missing.add((reference, parent["reference"]))
    found.problems += _unequal(manifests)
    for note in sorted(store.glob("*/.current")):
        found.problems += _untrue_note(note, set(manifests))
    found.problems += [
        f"{path} was left behind" for path in sorted(store.glob("[!.]*/**/.*")) if path.name != ".current"
    ]
    return found


def read_sealed(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artifact, which ends with the digest of all before.

    Raises:
        ValueError: It does not.
    """
    text = (folder / "manifest.yaml").read_bytes()
    body, _, last = text[:-1].rpartition(b"\n")
    if last != b"digest: " + hashlib.sha256(body + b"\n").hexdigest().encode() or text[-1:] != b"\n":
        raise ValueError("the manifest does not end with its digest")
    return dict(yaml.safe_load(body))


def _canonical(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _untrue(folder: Path, reference: str, manifest: dict[str, Any]) -> Iterator[str]:
    if f"{manifest['kind']}/{manifest['name']}:v{manifest['version']}" != reference:
        yield "the manifest is another's"
    recipe = {key: manifest[key] for key in ("kind", "recipe_version", "settings", "source")}
    if manifest["recipe"] != _canonical(recipe | {"parents": [parent["content"] for parent in manifest["parents"]]}):
        yield "the recipe id is not that of its fields"
    files = manifest["files"]
    if manifest["content"] != _canonical({name: entry["sha256"] for name, entry in files.items()}):
        yield "the content is not that of its files"
    if (there := {path.name for path in folder.iterdir()}) != {"manifest.yaml", *files}:
        yield f"it holds {sorted(there)}"
    for name, entry in files.items():
        data = (folder / name).read_bytes()
        if (len(data), hashlib.sha256(data).hexdigest()) != (entry["size"], entry["sha256"]):
            yield f"{name} is not what the manifest says"
    if "scores.h5" in files:
        yield from _miscounted(folder)


def _miscounted(folder: Path) -> Iterator[str]:
    """Yield which one-shot results are not those of their scores."""
    with h5py.File(folder / "scores.h5") as file:
        for result in json.loads((folder / "summary.json").read_text("utf-8"))["results"]:
            if result["ways"] is None:
                continue
            scores = file[result["model"].replace("/", "|")]["scores"][:, : result["ways"]]
            right = int((scores[:, :1] > scores[:, 1:]).all(axis=1).sum())
            if (right, len(scores)) != (result["correct"], result["trials"]):
                yield f"{result['model']} has {right} of {len(scores)} right, not {result['correct']}"
            if abs(result["accuracy"] - right / len(scores)) > 1e-9:
                yield f"{result['model']} has accuracy {result['accuracy']}"


def _unequal(manifests: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield artifacts of one recipe, made from the same models, whose files differ though they are determined."""
    first: dict[str, tuple[str, dict[str, str]]] = {}
    for reference, manifest in manifests.items():
        models = [parent["reference"] for parent in manifest["parents"] if parent["reference"].startswith("models/")]
        digests = determined(manifest)
        other, expected = first.setdefault(" ".join([manifest["recipe"], *models]), (reference, digests))
        if expected != digests:
            yield f"{reference} and {other} have one recipe, but other files"


def determined(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the digests of the files that equal recipes have equal."""
    return {name: entry["sha256"] for name, entry in manifest["files"].items() if name not in _TIMED}


def _untrue_note(note: Path, references: set[str]) -> Iterator[str]:
    *lines, last = note.read_text("utf-8").splitlines()
    if last != "digest: " + hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest():
        yield f"{note} does not end with its digest"
    elif lines[-1] not in references:
        yield f"{note} says that {lines[-1]} is the newest, which is not there"
    elif len(set(lines[:-1])) < len(lines) - 1 or any(line.split("/")[0] != note.parent.name for line in lines):
        yield f"{note} names something twice, or another kind"


if __name__ == "__main__":
    problems = verify(Path(sys.argv[1])).problems
    print("\n".join(problems) or "All is as the manifests say.")
    sys.exit(bool(problems))
