"""omnishot tune."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from omnishot.cli.completion import presets
from omnishot.cli.options import ConfigOption, DeviceOption, PairsArgument, SetOption, check_folder_of, write_out
from omnishot.cli.process import keep_freed_memory
from omnishot.cli.session import Session, with_session
from omnishot.cli.signals import watch_signals
from omnishot.wording import percent

_DEFAULT_STUDY = Path("tune.journal")


@with_session()
def tune_command(
    session: Session,
    pairs: PairsArgument = None,
    preset: Annotated[
        str | None, typer.Option(help="Settings that all trials share. Default: koch35.", autocompletion=presets)
    ] = None,
    config: ConfigOption = None,
    changes: SetOption = None,
    study: Annotated[
        Path, typer.Option(help="Journal of the search; other runs and machines may share it.")
    ] = _DEFAULT_STUDY,
    trials: Annotated[int, typer.Option(min=1, help="Trials that the study is to hold in the end.")] = 50,
    minutes: Annotated[float | None, typer.Option(min=0, help="Start no trial after this time.")] = None,
    by: Annotated[
        Literal["all", "part", "layer"],
        typer.Option(help="What has values of its own: nothing, convolutions / dense / head, or every layer."),
    ] = "all",
    architecture: Annotated[
        bool, typer.Option("--architecture", help="Search the layers' sizes too: filters, their sides, dense units.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Settings file to write. Default: the study's name with .best.yaml.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Search optimizer values and layer sizes on validation alphabets. Creates: a settings file for train --config.

    The first trial has the settings' own values. The study goes on where it stopped. Several machines that see its file
    share the work.

    Examples:
      omnishot tune --preset koch35 --trials 50 --minutes 600
    """
    from omnishot.stages.training_settings import choose_training, tuned_preset

    console, target = session.console, study.with_suffix(".best.yaml") if out is None else out
    data = session.find(pairs, "pairs") or session.store.newest("pairs")
    training = choose_training(
        preset=tuned_preset(preset, config), config=config, changes=changes or [], device=device, tell=console.note
    )
    from omnishot.settings_text import as_yaml
    from omnishot.stages.tune import tune  # Deferred: torch takes seconds.

    for path in (study, target):  # Before hours of searching.
        check_folder_of(path)
    keep_freed_memory()
    with console.progress() as on_progress:
        found = tune(
            data, training.settings, storage=study, trials=trials, minutes=minutes, by=by, architecture=architecture,
            device=device, on_progress=on_progress, watch_signals=watch_signals,
        )  # fmt: skip
    write_out(target, as_yaml(found.settings).encode())
    console.note(
        f"Best of {found.trials} trials ({found.pruned} given up early): "
        f"{percent(found.accuracy)} validation accuracy; omnishot train {data.reference} --config {target}"
    )
    values = {"settings": str(target), "preset": training.origin, "trials": found.trials, "pruned": found.pruned}
    console.result({**values, "validation_accuracy": found.accuracy}, f"{target}\n")
