"""omnishot train."""

from pathlib import Path
from typing import Annotated

import typer

from omnishot.cli.completion import references
from omnishot.cli.options import (
    ConfigOption,
    DeviceOption,
    ForceOption,
    NameOption,
    PairsArgument,
    PresetOption,
    ResumeOption,
    SetOption,
    parse_interval,
)
from omnishot.cli.process import keep_freed_memory
from omnishot.cli.session import Session, is_rank_zero, with_session
from omnishot.cli.signals import watch_signals


@with_session(waits=True)
def train_command(
    session: Session,
    pairs: PairsArgument = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    changes: SetOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
    checkpoint_every: Annotated[
        str, typer.Option(metavar="5m|90s|STEPS", help="How often a checkpoint is saved, from which to resume.")
    ] = "60s",
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write a torch profiler trace of ten steps.")
    ] = None,
    init_from: Annotated[
        str | None, typer.Option(help="Model whose weights to start from.", autocompletion=references("models"))
    ] = None,
    name: NameOption = None,
    force: ForceOption = False,
) -> None:
    """Fit a Siamese network. Creates: a models artifact; prints its reference.

    Several devices: torchrun --nproc-per-node N -m omnishot train ...

    Examples:
      omnishot train --preset koch
      omnishot train omniglot-90k-affine8:v2 --set max_minutes=3 --resume
    """
    if not is_rank_zero():
        from omnishot.stages.train import assist  # Deferred: torch takes seconds.

        keep_freed_memory()
        assist(device=device, watch_signals=watch_signals)
        return
    every = parse_interval(checkpoint_every, option="--checkpoint-every")
    data, initial = session.find(pairs, "pairs"), session.find(init_from, "models")
    from omnishot.stages.training_settings import choose_training, holds_photos

    training = choose_training(
        preset=preset, config=config, changes=changes or [], name=name, device=device,
        is_photos=lambda: holds_photos(session.store, data), tell=session.console.note,
    )  # fmt: skip
    keep_freed_memory()
    from omnishot.stages.checkpointer import Interval  # Deferred: torch takes seconds.
    from omnishot.stages.train import RunOptions, train

    with session.console.progress() as on_progress:
        options = RunOptions(resume, Interval(*every), profile, on_progress, watch_signals)
        made = train(
            session.store, data, training.settings, name=training.name, device=device, initial=initial, force=force,
            options=options,
        )  # fmt: skip
    session.console.made(made, **made.artifact.manifest.summary)
