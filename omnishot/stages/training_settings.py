"""Which settings a network is trained with, and what it is called: a preset's or a file's, with changes."""

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, NotFoundError, OmnishotError, UsageError
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.presets import preset_text
from omnishot.settings_text import check, with_changes
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.strict_yaml import MOST_CHARACTERS, read_yaml
from omnishot.vocabulary import DeviceName

SEARCHED_PRESET = "koch35"
"""The preset whose values `tune` searches unless another one is named."""


@dataclass(frozen=True, slots=True)
class Training:
    """What to train.

    Attributes:
        settings: Everything that decides the result.
        origin: The preset, or the name of the file, that the settings are from.
        name: What the model is called.
    """

    settings: TrainSettings
    origin: str
    name: str


def choose_training(
    *,
    preset: str | None = None,
    config: Path | None = None,
    changes: Iterable[str] = (),
    name: str | None = None,
    device: DeviceName = "auto",
    is_photos: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Training:
    """Choose the settings of a run.

    Args:
        preset: Settings that ship with omnishot; by default `auto`: `photos` for photographs, else `koch` on CUDA and
            `quick` on a CPU.
        config: A settings file, instead of a preset.
        changes: `key=value`, for example `"optimizer.learning_rate=1e-3"`.
        name: Name of the model; by default that of the preset or the file.
        device: Where the network is to run.
        is_photos: Tells whether the images are photographs, where that decides.
        tell: Takes what the user should know.

    Raises:
        NotFoundError: The file cannot be read.
        UsageError: A preset and a file are both given, or the settings are wrong.
    """
    if preset is not None and config is not None:
        raise UsageError("--preset and --config both say what the settings are", hint="Give one of them.")
    if config is not None:
        text, chosen = _text_of(config), config.stem
    else:
        chosen = "auto" if preset is None else preset
        if chosen == "auto":
            chosen = "photos" if is_photos() else _preset_for(device)
            reason = f"the network runs on {'CUDA' if chosen == 'koch' else 'a CPU'}"
            tell(f"Preset {chosen}, as {'the images are photographs' if chosen == 'photos' else reason}")
        text = preset_text(chosen)
    origin = f"preset {chosen}" if config is None else str(config)
    values = read_yaml(text, origin=origin)
    if not isinstance(values, dict):
        raise UsageError(f"{origin} holds no settings", hint="Write `name: value`, one setting a line.")
    settings = check(TrainSettings, with_changes(values, changes), origin=origin)
    return Training(settings, chosen, chosen if name is None else name)


def holds_photos(store: Store, pairs: Artifact | None) -> bool:
    """Tell whether a pair dataset, by default the newest, holds photographs."""
    if pairs is None:
        try:
            pairs = store.newest("pairs")
        except OmnishotError:  # Who trains on it says so.
            return False
    return PairsFacts.of(pairs.manifest).has_photos


def tuned_preset(preset: str | None, config: Path | None) -> str | None:
    """Return the preset to search, which is `koch35` where neither another one nor a file is named."""
    return SEARCHED_PRESET if preset is None and config is None else preset


def _text_of(config: Path) -> str:
    """Return a settings file's text: UTF-8, or UTF-16 with its mark, which PowerShell writes."""
    try:
        with config.open("rb") as file:
            content = file.read(4 * MOST_CHARACTERS + 4)  # More than is accepted.
    except OSError as error:
        hint = "Give an existing YAML file."
        raise NotFoundError(f"--config {config} cannot be read: {error.strerror}", hint=hint) from None
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if marked else "utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = "broken UTF-16" if marked else "not UTF-8"
        raise DamagedFileError(f"--config {config}: line {line} is {what}", hint="Save the file as UTF-8.") from None


def _preset_for(device: DeviceName) -> str:
    from omnishot.model.device import choose_compute  # Deferred: torch takes seconds, and a mistyped name none.

    return "koch" if choose_compute(device, "auto").device.type == "cuda" else "quick"


def refuse_a_test_set(pairs: Artifact) -> None:
    """Check that a pair dataset has something to train on.

    Raises:
        UsageError: All of its images are a test.
    """
    if "train" not in PairsFacts.of(pairs.manifest).summary.pairs:
        raise UsageError(
            f"{pairs.reference} is a test set as a whole, which has nothing to train on",
            hint="Name another pair dataset (`omnishot ls pairs`), or make one of these images: "
            "`omnishot prepare --source PATH`.",
        )


def deciding(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that decide what is kept: not how images get to the device, nor what is logged."""
    values = settings.model_dump(mode="json", exclude={"data", "log"})
    if all(size is None for size in values["architecture"].values()):
        del values["architecture"]  # As before there was this setting.
    later = {"turning": "characters", "mirroring": 0.0, "class_affine": 0.0}  # Likewise, where they change nothing.
    values["objective"] = {name: value for name, value in values["objective"].items() if value != later.get(name, ...)}
    if not values["test_variants"]:
        del values["test_variants"]
    return values
