"""Which settings a network is trained with, and what it is called: a preset's or a file's, with changes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from omnishot.config import TrainSettings
from omnishot.errors import NotFoundError, UsageError
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.presets import preset_text
from omnishot.settings_text import check, with_changes
from omnishot.store.artifact import Artifact
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
    tell: Callable[[str], None] = lambda sentence: None,
) -> Training:
    """Choose the settings of a run.

    Args:
        preset: Settings that ship with omnishot; by default `auto`, `koch` on CUDA and `quick` on a CPU.
        config: A settings file, instead of a preset.
        changes: `key=value`, for example `"optimizer.learning_rate=1e-3"`.
        name: Name of the model; by default that of the preset or the file.
        device: Where the network is to run.
        tell: Takes what the user should know.

    Raises:
        NotFoundError: The file cannot be read.
        UsageError: A preset and a file are both given, or the settings are wrong.
    """
    if preset is not None and config is not None:
        raise UsageError("--preset and --config both say what the settings are", hint="Give one of them.")
    if config:
        text, chosen = _text_of(config), config.stem
    else:
        chosen = "auto" if preset is None else preset
        if chosen == "auto":
            chosen = _preset_for(device)
            tell(f"Preset {chosen}, as the network runs on {'CUDA' if chosen == 'koch' else 'a CPU'}")
        text = preset_text(chosen)
    origin = str(config) if config else f"preset {chosen}"
    values = read_yaml(text, origin=origin)
    if not isinstance(values, dict):
        raise UsageError(f"{origin} holds no settings", hint="Write `name: value`, one setting a line.")
    settings = check(TrainSettings, with_changes(values, changes), origin=origin)
    return Training(settings, chosen, chosen if name is None else name)


def tuned_preset(preset: str | None, config: Path | None) -> str | None:
    """Return the preset to search, which is `koch35` where neither another one nor a file is named."""
    return SEARCHED_PRESET if preset is None and config is None else preset


def _text_of(config: Path) -> str:
    try:
        with config.open(encoding="utf-8") as file:
            return file.read(MOST_CHARACTERS + 1)  # One more than is accepted.
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(f"--config {config} cannot be read: {error}", hint="Give an existing YAML file.") from None


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
            f"{pairs.reference} is a test set (--test-only), which has nothing to train on",
            hint="Name another pair dataset (`omnishot ls pairs`), or prepare these images without --test-only.",
        )
