"""The training settings that ship with omnishot, each a complete YAML file beside this one."""

from importlib import resources

from omnishot.errors import SettingsError
from omnishot.wording import did_you_mean


def preset_names() -> list[str]:
    """Return the names of the presets that ship with omnishot."""
    folder = resources.files("omnishot") / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """Return the YAML of a preset, comments included.

    Raises:
        SettingsError: There is no preset of that name.
    """
    names = preset_names()
    if name not in names:
        hint = f"Presets: auto, {', '.join(names)}."
        raise SettingsError(f"unknown preset '{name}'{did_you_mean(name, names)}", hint=hint)
    return (resources.files("omnishot") / "presets" / f"{name}.yaml").read_text("utf-8")
