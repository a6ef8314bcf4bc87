"""omnishot train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import (
    DEFAULT_STORE,
    DEFAULT_WAIT,
    ForceOption,
    JsonOption,
    NameOption,
    NoProgressOption,
    QuietOption,
    SetOption,
    StoreOption,
    VerboseOption,
    WaitOption,
    is_led,
    open_store,
    parse_interval,
)
from omnishot.cli.process import keep_freed_memory
from omnishot.cli.signals import watch_signals
from omnishot.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from omnishot.config import TrainSettings
    from omnishot.stages.produce import StageResult
    from omnishot.store.artifact import Artifact
    from omnishot.store.store import Store

Device = Literal["auto", "cuda", "cpu"]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where the network runs.")]
PresetOption = Annotated[
    str | None,
    typer.Option("--preset", help="Settings that ship with omnishot. Default: auto, koch on CUDA and quick on a CPU."),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file, instead of a preset.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Continue the interrupted training of the same settings.")]


def train_command(
    pairs: Annotated[str | None, typer.Argument(help="Pair dataset. Default: the newest.", show_default=False)] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    changes: SetOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
    checkpoint_every: Annotated[
        str, typer.Option("--checkpoint-every", metavar="5m|90s|STEPS", help="How often a state to resume is saved.")
    ] = "60s",
    profile: Annotated[
        Path | None, typer.Option("--profile", metavar="FILE.json", help="Write a torch profiler trace of ten steps.")
    ] = None,
    init_from: Annotated[str | None, typer.Option("--init-from", help="Model whose weights to start from.")] = None,
    name: NameOption = None,
    force: ForceOption = False,
    wait: WaitOption = DEFAULT_WAIT,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Fit a Siamese network. Creates: a models artifact; prints its reference.

    Several devices: torchrun --nproc-per-node N -m omnishot train ...

    Examples:
      omnishot train --preset koch
      omnishot train omniglot-90k-affine8:v2 --set max_minutes=3 --resume
    """
    if is_led():
        from omnishot.stages.train import assist  # Deferred: torch takes seconds.

        keep_freed_memory()
        assist(device=device, watch_signals=watch_signals)
        return
    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    every = parse_interval(checkpoint_every, option="--checkpoint-every")
    opened = open_store(console, store, wait_seconds=wait)
    data = opened.find(pairs, "pairs") if pairs else opened.newest("pairs")
    initial = opened.find(init_from, "models") if init_from else None
    settings, chosen = choose_settings(console, preset=preset, config=config, changes=changes or [], device=device)
    made = train_with(
        console, opened, data, settings, name=name or chosen, device=device, initial=initial, resume=resume,
        checkpoint_every=every, profile=profile, force=force,
    )  # fmt: skip
    console.made(made, **made.artifact.manifest.summary)


def choose_settings(
    console: Console, *, preset: str | None, config: Path | None, changes: list[str], device: Device
) -> "tuple[TrainSettings, str]":
    """Return the settings of a run and what to call them.

    Raises:
        UsageError: A preset and a file are both given, or the settings are wrong.
    """
    from omnishot.config import TrainSettings
    from omnishot.presets import preset_text
    from omnishot.settings_text import check, with_changes
    from omnishot.strict_yaml import MOST_CHARACTERS, read_yaml

    if preset and config:
        raise UsageError("--preset and --config both say what the settings are", hint="Give one of them.")
    if config:
        try:
            with config.open(encoding="utf-8") as file:
                text, chosen = file.read(MOST_CHARACTERS + 1), config.stem  # One more than is accepted.
        except (OSError, UnicodeDecodeError) as error:
            raise NotFoundError(
                f"--config {config} cannot be read: {error}", hint="Give an existing YAML file."
            ) from None
    else:
        chosen = preset or "auto"
        if chosen == "auto":
            chosen = _preset_for(device)
            console.note(f"Preset {chosen}, as the network runs on {'CUDA' if chosen == 'koch' else 'a CPU'}")
        text = preset_text(chosen)
    origin = str(config) if config else f"preset {chosen}"
    values = read_yaml(text, origin=origin)
    if not isinstance(values, dict):
        raise UsageError(f"{origin} holds no settings", hint="Write `name: value`, one setting a line.")
    return check(TrainSettings, with_changes(values, changes), origin=origin), chosen


def _preset_for(device: Device) -> str:
    from omnishot.model.device import choose_compute  # Deferred: torch takes seconds.

    return "koch" if choose_compute(device, "auto").device.type == "cuda" else "quick"


def train_with(
    console: Console,
    store: "Store",
    pairs: "Artifact",
    settings: "TrainSettings",
    *,
    name: str,
    device: Device,
    initial: "Artifact | None" = None,
    resume: bool = False,
    checkpoint_every: tuple[float | None, int | None] | None = None,
    profile: Path | None = None,
    force: bool = False,
) -> "StageResult":
    """Run the stage with Ctrl-C and SIGTERM turned into an orderly stop, for `train` and `run`."""
    from omnishot.stages.checkpointer import EVERY_MINUTE, Interval  # Deferred: torch takes seconds.
    from omnishot.stages.train import train
    from omnishot.store.reference import check_name

    check_name(name)
    keep_freed_memory()
    with console.progress() as on_progress:
        return train(
            store,
            pairs,
            settings,
            name=name,
            device=device,
            initial=initial,
            resume=resume,
            checkpoint_every=Interval(*checkpoint_every) if checkpoint_every else EVERY_MINUTE,
            profile=profile,
            force=force,
            on_progress=on_progress,
            watch_signals=watch_signals,
        )
