"""omnishot run."""

from typing import Annotated

import typer

from omnishot.cli.options import (
    ColourOption,
    DeviceOption,
    ForceOption,
    ImageSizeOption,
    InkOption,
    PresetOption,
    ResumeOption,
    SetOption,
    SkipBadOption,
    chosen_source,
    parse_count,
)
from omnishot.cli.prepare import AffineOption, PairsOption, SourceOption
from omnishot.cli.process import keep_freed_memory
from omnishot.cli.report import Format, GateOption, print_report
from omnishot.cli.session import Session, with_session
from omnishot.cli.signals import watch_signals
from omnishot.progress import silent
from omnishot.vocabulary import Holdout, SplitName

_Split = Annotated[
    SplitName | None,
    typer.Option(
        help="Default: koch for the koch presets; else lake, with all 30 alphabets to train unless --holdout five."
    ),
]
_Holdout = Annotated[
    Holdout | None,
    typer.Option(help="Split lake: alphabets held out to validate. Default: none where no split is named, else five."),
]


@with_session(waits=True)
def run_command(
    session: Session,
    preset: PresetOption = None,
    changes: SetOption = None,
    source: SourceOption = "auto",
    split: _Split = None,
    holdout: _Holdout = None,
    pairs: PairsOption = "90k",
    affine: AffineOption = 8,
    seed: Annotated[int, typer.Option(help="Seed of pairs and trials; --set seed=N is training's.")] = 0,
    ink: InkOption = "auto",
    skip_bad: SkipBadOption = False,
    colour: ColourOption = False,
    image_size: ImageSizeOption = None,
    device: DeviceOption = "auto",
    output_format: Annotated[
        Format, typer.Option("--format", help="As of `omnishot report`, which can also write it into a file.")
    ] = "auto",
    fail_under: GateOption = None,
    resume: ResumeOption = False,
    force: ForceOption = False,
) -> None:
    """Prepare, train, eval and report in a row. Creates: all their artifacts; prints the tables.

    Examples:
      omnishot run --preset quick
      omnishot run --source glyphs --set max_minutes=1
    """
    from omnishot.config import PrepareSettings  # Deferred: pydantic takes tenths of a second.
    from omnishot.reporting.gates import parse_gate
    from omnishot.settings_text import check_given
    from omnishot.stages.photo_source import source_of_photos
    from omnishot.stages.training_settings import choose_training

    # Settings and gates first: a mistyped one should not cost the minutes before it is read.
    console, gates = session.console, [parse_gate(gate) for gate in fail_under or []]
    images = chosen_source(source, ink, skip_bad, silent, colour=colour, image_size=image_size)
    training = choose_training(
        preset=preset, changes=changes or [], device=device, tell=console.note,
        is_photos=lambda: source_of_photos(images, console.note),
    )  # fmt: skip
    settings = check_given(
        PrepareSettings, origin="prepare", split=split, holdout=holdout, affine=affine, seed=seed,
        pairs=parse_count(pairs, option="--pairs"),
    )  # fmt: skip
    keep_freed_memory()
    from omnishot.stages.run import run  # Deferred: torch takes seconds.
    from omnishot.stages.train import RunOptions

    with console.progress() as on_progress:
        options = RunOptions(resume=resume, on_progress=on_progress, watch_signals=watch_signals)
        made = run(
            session.store, training, settings, source=images, device=device, force=force, options=options,
            on_result=console.summary,
        )  # fmt: skip
    print_report(session, [result.artifact for result in made.evaluations], output_format, gates)
