"""The command line that makes an artifact again: its settings, where they differ from the defaults."""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from omnishot.config import EvalSettings, PrepareSettings, TrainSettings, usual_baselines, usual_split
from omnishot.config.settings import Settings
from omnishot.errors import SettingsError
from omnishot.machine import with_home
from omnishot.naming import evaluation_name, pairs_name
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import check
from omnishot.store.manifest import Manifest
from omnishot.store.reference import parse
from omnishot.strict_yaml import read_yaml
from omnishot.vocabulary import BUILT_IN_SOURCES, MADE_BY, Holdout, Negatives, SplitName
from omnishot.weights import box_folder
from omnishot.wording import short_count

_SOURCE_OPTIONS = re.compile(r"--ink|dark|light|--skip-bad|--colour|--image-size|[0-9]{2,4}")
_RECORDED = {
    "--pairs": r"[0-9]+(\.[0-9]+)?[kKmM]?",
    "--affine": r"[0-9]+",
    "--split": "|".join(get_args(SplitName)),
    "--holdout": "|".join(get_args(Holdout)),
    "--negatives": "|".join(get_args(Negatives)),
    "--seed": r"[0-9]+",
}
"""Options of a recorded `prepare` that a hint may repeat, and what their values look like."""

_PLAIN_PATH = re.compile(r"[\w./][\w./ +@,-]{0,200}")
"""Of a source: letters, digits and what is usual between them, but nothing that a shell or a reader takes for more."""

_SECTIONS = {"objective", "optimizer", "schedule"}


def command_line(root: Path, *words: str) -> str:
    """Return `omnishot` with some words, and with the store's folder where it is not the default one."""
    where = [] if root.resolve() == Path("artifacts").resolve() else ["--store", str(root)]
    return shlex.join(["omnishot", *words, *where])


def command_of(root: Path, manifest: Manifest) -> str:
    """Return the command line that makes an artifact of a store again, from settings that were checked.

    It is an empty text where they are another version's, which options of this one cannot express: what was typed then
    is no fact, as anybody may have written it.
    """
    try:
        return command_line(root, *words_of(manifest))
    except SettingsError:
        return ""


def how_to_remake(root: Path, manifest: Manifest) -> str:
    """Return in a sentence how to make an artifact of a store again, or how it says that it was made."""
    if root == box_folder():
        return "It ships with omnishot: install that again."
    if manifest.kind == "galleries":
        return (
            "It was made of images that are not in the store: enroll them again. Earlier versions are as they were: "
            f"`{command_line(root, 'gallery', 'show', f'{manifest.name}:vN')}`."
        )
    try:
        words = words_of(manifest)
        where = words.index("--source") + 1 if "--source" in words else None
        if where is None or words[where] in BUILT_IN_SOURCES or with_home(Path(words[where])).exists():
            return f"Make it again: `{command_line(root, *words)}`."
        words[where] = "PATH"
        return f"Make it again: `{command_line(root, *words)}`, where PATH is its source as it is seen from here."
    except SettingsError:
        maker = manifest.environment.get("omnishot")
        return f"Its settings are another version's: make it again with omnishot{f' {maker}' if maker else ' of then'}."


def words_of(manifest: Manifest) -> list[str]:
    """Return what follows `omnishot` to make an artifact from its settings and parents.

    Raises:
        SettingsError: The settings are another version's, which options of this one cannot express.
    """
    if manifest.kind == "galleries":
        raise SettingsError("A gallery is made from images that are not in the store")
    words = {"images": _images, "pairs": _pairs, "models": _model, "evals": _evaluation}[manifest.kind]
    return [MADE_BY[manifest.kind], *words(manifest)]


def prepare_words(settings: PrepareSettings, source: str) -> Iterator[str]:
    """Yield the options of `omnishot prepare` that give these settings to images of a source."""
    usual = PrepareSettings(split=usual_split(source))
    if settings.split == "test-only":
        yield "--test-only"
        yield from _options(settings, usual, never={"split", "pairs", "affine", "materialize"})
        return
    yield from _options(settings, usual, always={"pairs", "affine"})


def evaluation_words(settings: EvalSettings) -> Iterator[str]:
    """Yield the options of `omnishot eval` that give these settings."""
    usual = EvalSettings(protocol=settings.protocol, baselines=usual_baselines(settings.protocol))
    # Lake's runs are what they are; pairs have no ways, shots or trials.
    fixed = {"lake": {"shots", "trials"}, "verification": {"ways", "shots", "trials", "baselines"}}
    never = fixed.get(settings.protocol, set())
    yield from _options(settings, usual, always={"protocol", "ways", "trials"}, never=never)


def _options(
    settings: Settings, usual: Settings, *, always: Collection[str] = (), never: Collection[str] = ()
) -> Iterator[str]:
    """Yield a command's options for the settings that differ from its defaults, and for those that always stand."""
    for name, value in settings:
        if name in never or (value == getattr(usual, name) and name not in always):
            continue
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield _written(name, value)


def _written(name: str, value: Any) -> str:
    if name == "ways":
        return _ranges(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return short_count(value) if name == "pairs" else str(value)


def _ranges(ways: tuple[int, ...]) -> str:
    if len(ways) > 2 and ways == tuple(range(ways[0], ways[-1] + 1)):
        return f"{ways[0]}..{ways[-1]}"
    return ",".join(map(str, ways))


def _images(manifest: Manifest) -> Iterator[str]:
    """Yield the source, and the pairs that the recorded command drew from it: a newer pair dataset is the newest."""
    yield from ("--source", _source(manifest, (manifest.source or {}).get("name", "PATH")))
    yield from _source_options(manifest)
    words = manifest.argv if MADE_BY["images"] in manifest.argv[1:2] else []
    if "--test-only" in words:
        yield "--test-only"
    for option, value in pairwise(words):
        if option in _RECORDED and re.fullmatch(_RECORDED[option], value):
            yield from (option, value)


def _source(manifest: Manifest, name: str) -> str:
    """Return a source as it is typed; that of a folder is in the recorded command line, if anywhere.

    What stands there is repeated only where it is a plain path, and never an option.
    """
    if name in BUILT_IN_SOURCES:
        return name
    words = [part for word in manifest.argv for part in re.split(r"(?<=^--source)=", word)]
    words += ["--source", "PATH"]
    typed = words[words.index("--source") + 1]
    return typed if _PLAIN_PATH.fullmatch(typed) else "PATH"


def _source_options(manifest: Manifest) -> Iterator[str]:
    """Yield the options that say how a source was read, of those that there are."""
    recorded = manifest.summary.get("source_options")
    if isinstance(recorded, list):
        yield from (word for word in recorded if isinstance(word, str) and _SOURCE_OPTIONS.fullmatch(word))


def _pairs(manifest: Manifest) -> Iterator[str]:
    settings = check(PrepareSettings, manifest.settings, origin=str(manifest.reference))
    name = str(manifest.summary.get("source", "PATH"))
    yield from ("--source", _source(manifest, name))
    yield from _source_options(manifest)
    yield from prepare_words(settings, name)
    if manifest.name != pairs_name(name, settings):
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
    return [parent.reference for parent in manifest.parents if parse(parent.reference).kind == kind]


def preset_and_changes(settings: TrainSettings) -> tuple[str, list[str]]:
    """Return the nearest preset, and what `--set` has to change of it to get exactly the settings of a run.

    How images get to the device is left out: it does not change the result.
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
    models, images = _parents(manifest, "models"), _parents(manifest, "images")
    yield from models
    source = parse(images[0]).name if images else None
    typed = _source(manifest, source or "")
    if source or (typed != "PATH" and MADE_BY["evals"] in manifest.argv[1:2]):  # The latter with a split they have.
        yield from ("--source", typed)
        yield from _source_options(manifest)
    yield from evaluation_words(settings)
    if manifest.name != evaluation_name(parse(models[0]).name if models else None, settings, source=source):
        yield from ("--name", manifest.name)
