"""omnishot eval."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.gallery_results import measure_gallery
from omnishot.cli.options import (
    ColourOption,
    DeviceOption,
    ForceOption,
    ImageSizeOption,
    InkOption,
    NameOption,
    SkipBadOption,
    chosen_source,
    parse_baselines,
    parse_count,
    parse_ways,
    reference_argument,
    reference_option,
)
from omnishot.cli.session import Session, with_session
from omnishot.errors import UsageError
from omnishot.vocabulary import Protocol, SplitPart
from omnishot.wording import p_value

if TYPE_CHECKING:
    from omnishot.stages.produce import StageResult


_Models = Annotated[
    list[str] | None, reference_argument("Models, or those in the box: best, quick. Default: the newest.", "models")
]
_Ways = Annotated[
    str | None, typer.Option(help="Classes to choose from: 20, 1..20 or 1,5,20. Default: 20, or the most there are.")
]
_Baselines = Annotated[
    str | None,
    typer.Option(
        help="From nearest-neighbour,hausdorff,random; or none. Default: all on Lake's runs, else without hausdorff, "
        "which takes a second per 2,500 pairs.",
    ),
]
_Protocol = Annotated[
    Protocol | None, typer.Option(help="Default: lake where the images have published runs, else within.")
]
_Source = Annotated[str | None, typer.Option(help="Images to measure on, instead of those the model was trained with.")]
_Gallery = Annotated[
    str | None, reference_option("Measure a gallery instead, on --queries; creates nothing.", "galleries")
]
_Queries = Annotated[
    str | None, typer.Option(help="Images to identify: a folder of images for each class; others are strangers.")
]


@with_session(waits=True)
def eval_command(
    session: Session,
    models: _Models = None,
    ways: _Ways = None,
    shots: Annotated[int, typer.Option(help="Support images per class.")] = 1,
    trials: Annotated[str, typer.Option(metavar="N", help="Queries; Lake's runs have 400.")] = "400",
    protocol: _Protocol = None,
    on: Annotated[SplitPart, typer.Option(help="Part of the split.")] = "test",
    baselines: _Baselines = None,
    source: _Source = None,
    ink: InkOption = "auto",
    skip_bad: SkipBadOption = False,
    colour: ColourOption = False,
    image_size: ImageSizeOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the trials.")] = 0,
    device: DeviceOption = "auto",
    name: NameOption = None,
    force: ForceOption = False,
    gallery: _Gallery = None,
    queries: _Queries = None,
) -> None:
    """Measure accuracy, with baselines and intervals. Creates: an evals artifact; prints its reference.

    Examples:
      omnishot eval --ways 20
      omnishot eval --gallery staff --queries later/
      omnishot eval quick koch --protocol within --ways 1..20 --trials 1000
    """
    if gallery is not None or queries is not None:
        others = (models, ways, protocol, baselines, source, name, colour, image_size, seed, force)
        is_alone = not any(others) and (shots, trials, on) == (1, "400", "test")
        measure_gallery(session, gallery, queries, ink=ink, skip_bad=skip_bad, device=device, is_alone=is_alone)
        return
    if source is None and (ink != "auto" or skip_bad or colour or image_size is not None):
        raise UsageError(
            "--ink, --skip-bad, --colour and --image-size say how the images of --source are read",
            hint="Name them with --source.",
        )
    from omnishot.config import EvalSettings  # Deferred: pydantic takes tenths of a second.
    from omnishot.settings_text import check_given

    settings = check_given(
        EvalSettings, origin="eval", protocol=protocol, on=on, shots=shots, seed=seed,
        ways=None if ways is None else parse_ways(ways),
        trials=parse_count(trials, option="--trials"),
        baselines=None if baselines is None else parse_baselines(baselines),
    )  # fmt: skip
    measured = session.find_all(models, "models")
    from omnishot.stages.evaluate import evaluate  # Deferred: torch takes seconds.

    with session.console.progress() as on_progress:
        images = source and chosen_source(source, ink, skip_bad, on_progress, colour=colour, image_size=image_size)
        made = evaluate(
            session.store, measured, settings=settings, source=images, device=device, name=name, force=force,
            on_progress=on_progress,
        )  # fmt: skip
    _print_results(session.console, made)


def _print_results(console: Console, made: "StageResult") -> None:
    from omnishot.formats.evaluation import read_summary
    from omnishot.reporting.results import measured_in
    from omnishot.reporting.tables import summary_tables

    measurements = measured_in([made.artifact])
    console.tables(summary_tables(measurements), to_stderr=True)
    comparisons = read_summary(made.artifact.file("summary.json")).comparisons
    for row in comparisons:
        low, high = (100 * end for end in row.ci95)
        task = f"{row.ways}-way" if row.ways else "Verification"
        tested = "" if row.mcnemar_p is None else f", McNemar {p_value(row.mcnemar_p)}"
        console.note(
            f"{task}: {row.model} is {100 * row.difference:+.1f} points ({low:+.1f} to {high:+.1f}) "
            f"from {row.against} on the same {'trials' if row.ways else 'pairs'}{tested}"
        )
    rows = [row.model_dump() for row in comparisons]
    console.made(made, results=[asdict(item.result) for item in measurements], comparisons=rows)
