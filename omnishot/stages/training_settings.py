"""Which settings a network is trained with, and what it is called: a preset's or a file's, with changes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from omnishot.config import TrainSettings, WhiteningObjective
from omnishot.data.sources import Source, open_source
from omnishot.data.sources.photos import PhotoFormat
from omnishot.errors import NotFoundError, OmnishotError, UsageError
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.presets import preset_text
from omnishot.settings_text import check, with_changes
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.strict_yaml import MOST_CHARACTERS, read_yaml
from omnishot.vocabulary import BUILT_IN_SOURCES, DeviceName

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
    if config:
        text, chosen = _text_of(config), config.stem
    else:
        chosen = "auto" if preset is None else preset
        if chosen == "auto":
            chosen = "photos" if is_photos() else _preset_for(device)
            reason = f"the network runs on {'CUDA' if chosen == 'koch' else 'a CPU'}"
            tell(f"Preset {chosen}, as {'the images are photographs' if chosen == 'photos' else reason}")
        text = preset_text(chosen)
    origin = str(config) if config else f"preset {chosen}"
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


def source_of_photos(source: str | Source, tell: Callable[[str], None]) -> bool:
    """Look whether images are photographs, and can be trained on as such here; what is found is told.

    Raises:
        OmnishotError: There is no such source, or it cannot be read.
    """
    if isinstance(source, str) and source in {*BUILT_IN_SOURCES, "auto"}:
        return False
    opened = open_source(source) if isinstance(source, str) else source
    if opened.photos or not opened.look or not (look := opened.look()).is_photos:
        return opened.photos is not None
    from omnishot.model.imagenet_weights import INSTALL, is_installed  # Deferred: torch takes seconds.

    if is_installed():
        tell(f"The images of {opened.name} are photographs: {look.why}")
        return True
    tell(f"The images of {opened.name} look like photographs ({look.why}), but are read as drawings. {INSTALL}")
    return False


def as_photos(source: str | Source, settings: TrainSettings) -> str | Source:
    """Return a source as a network takes it: where it sees photographs, a folder's images are kept as such."""
    is_own = isinstance(source, str) and source not in {*BUILT_IN_SOURCES, "auto"}
    if not is_own or not isinstance(settings.objective, WhiteningObjective):
        return source
    return open_source(str(source), photos=PhotoFormat(settings.objective.image_size))


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
