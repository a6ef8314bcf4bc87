"""The command lines that make an artifact again, or make what is not there yet, from what manifests record."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omnishot.config import BASELINES, EvalSettings, PrepareSettings, TrainSettings
from omnishot.errors import SettingsError
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import check
from omnishot.stages.prepare import default_name, short_count
from omnishot.store.artifact import MADE_BY, Artifact
from omnishot.store.manifest import Manifest
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml

BUILT_IN = frozenset({"omniglot", "glyphs", "mnist"})
"""Sources that need no folder."""

_SECTIONS = {"objective", "optimizer", "schedule"}


def command_line(store: Store, *words: str) -> str:
    """Return a command line, with the store where it is not the default one.

    Args:
        store: Where the command is to find and put artifacts.
        words: What follows `omnishot`.
    """
    where = [] if store.root.resolve() == Path("artifacts").resolve() else ["--store", str(store.root)]
    return shlex.join(["omnishot", *words, *where])


def recorded_line(manifest: Manifest) -> str:
    """Return the command line that made an artifact, or an empty text where no program was named."""
    words = manifest.argv[1:]
    return shlex.join(["omnishot", *words]) if words else ""


def command_of(store: Store, artifact: Artifact) -> str:
    """Return the command line that makes an artifact, from its settings; else the recorded one.

    Settings of a version with other names cannot be written as options of this one.
    """
    try:
        return command_line(store, *words_of(artifact.manifest))
    except SettingsError:
        return recorded_line(artifact.manifest)


def words_of(manifest: Manifest) -> list[str]:
    """Return what follows `omnishot` to make an artifact from its settings and parents.

    Raises:
        SettingsError: The settings are another version's, which options of this one cannot say.
    """
    words = {"images": _images, "pairs": _pairs, "models": _model, "evals": _evaluation}[manifest.kind]
    return [MADE_BY[manifest.kind], *words(manifest)]


def _images(manifest: Manifest) -> Iterator[str]:
    yield from ("--source", _source(manifest, (manifest.source or {}).get("name", "PATH")))


def _source(manifest: Manifest, name: str) -> str:
    """Return a source as it is typed; that of a folder is in the recorded command line, if anywhere."""
    if name in BUILT_IN:
        return name
    words = [*manifest.argv, "--source", "PATH"]
    return words[words.index("--source") + 1] if words.index("--source") + 1 < len(words) else "PATH"


def _pairs(manifest: Manifest) -> Iterator[str]:
    settings = check(PrepareSettings, manifest.settings, origin=str(manifest.reference))
    name = str(manifest.summary.get("source", "PATH"))
    source = _source(manifest, name)
    yield from ("--source", source)
    if settings.split != "alphabets":
        yield from ("--split", settings.split)
    if settings.holdout != "five":
        yield from ("--holdout", settings.holdout)
    yield from ("--pairs", short_count(settings.pairs), "--affine", str(settings.affine))
    if settings.negatives != "any":
        yield from ("--negatives", settings.negatives)
    if settings.materialize:
        yield "--materialize"
    if settings.seed:
        yield from ("--seed", str(settings.seed))
    if manifest.name != default_name(name, settings):
        yield from ("--name", manifest.name)


def _model(manifest: Manifest) -> Iterator[str]:
    settings = check(TrainSettings, manifest.settings, origin=str(manifest.reference))
    yield from _parents(manifest, "pairs")
    preset, changes = preset_and_changes(settings)
    yield from ("--preset", preset)
    for change in changes:
        yield from ("--set", change)
    for reference in _parents(manifest, "models"):
        yield from ("--init-from", reference)
    yield from ("--device", "cpu" if manifest.environment.get("device") == "cpu" else "auto")
    if manifest.name != preset:
        yield from ("--name", manifest.name)


def _parents(manifest: Manifest, kind: str) -> list[str]:
    return [parent.reference for parent in manifest.parents if parent.reference.startswith(f"{kind}/")]


def preset_and_changes(settings: TrainSettings) -> tuple[str, list[str]]:
    """Return the nearest preset, and what `--set` has to change of it to get exactly these settings.

    Args:
        settings: Of a run. How images get to the device is left out: it decides nothing that is kept.
    """
    wanted = settings.model_dump(mode="json", exclude={"data"})
    found = []
    for name in preset_names():
        preset = check(TrainSettings, read_yaml(preset_text(name), origin=name), origin=name)
        found.append((name, list(_changes(preset.model_dump(mode="json", exclude={"data"}), wanted))))
    return min(found, key=lambda item: (len(item[1]), len(" ".join(item[1]))))


def _changes(have: Mapping[str, Any], wanted: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for name, value in wanted.items():
        before = have.get(name)
        if value == before:
            continue
        is_alike = isinstance(before, dict) and value.get("kind") == before.get("kind") and name in _SECTIONS
        if isinstance(before, dict) and is_alike:
            yield from _changes(before, value, f"{name}.")
        else:
            yield f"{within}{name}={json.dumps(value)}"  # JSON is YAML, and exact.


def _evaluation(manifest: Manifest) -> Iterator[str]:
    settings = check(EvalSettings, manifest.settings, origin=str(manifest.reference))
    models = _parents(manifest, "models")
    yield from models
    images = _parents(manifest, "images")
    if images:
        yield from ("--source", _source(manifest, images[0].partition("/")[2].partition(":")[0]))
    yield from evaluation_words(settings)
    part = "" if settings.on == "test" else f"-{settings.on}"
    source = f"-{images[0].partition('/')[2].partition(':')[0]}" if images else ""
    first = models[0].partition("/")[2].partition(":")[0] if models else "baselines"
    if manifest.name != f"{first}{source}-{settings.protocol}{part}":
        yield from ("--name", manifest.name)


def evaluation_words(settings: EvalSettings) -> Iterator[str]:
    """Yield the options of `omnishot eval` that stand for settings."""
    yield from ("--protocol", settings.protocol)
    if settings.on != "test":
        yield from ("--on", settings.on)
    if settings.protocol != "verification":
        yield from ("--ways", _ways(settings.ways))
        if settings.shots != 1:
            yield from ("--shots", str(settings.shots))
        if settings.protocol != "lake":
            yield from ("--trials", str(settings.trials))
        usual = BASELINES if settings.protocol == "lake" else tuple(name for name in BASELINES if name != "hausdorff")
        if settings.baselines != usual:
            yield from ("--baselines", ",".join(settings.baselines) or "none")
    if settings.seed:
        yield from ("--seed", str(settings.seed))


def _ways(ways: tuple[int, ...]) -> str:
    if len(ways) > 2 and ways == tuple(range(ways[0], ways[-1] + 1)):
        return f"{ways[0]}..{ways[-1]}"
    return ",".join(map(str, ways))
