"""omnishot prepare."""

from typing import Annotated

import typer

from omnishot.cli.options import (
    ColourOption,
    ForceOption,
    ImageSizeOption,
    InkOption,
    NameOption,
    SkipBadOption,
    chosen_source,
    parse_count,
)
from omnishot.cli.session import Session, with_session
from omnishot.errors import UsageError
from omnishot.vocabulary import Holdout, Negatives, SplitName

SourceOption = Annotated[
    str,
    typer.Option(
        metavar="omniglot|glyphs|mnist|auto|PATH", help="Where images come from; PATH is a folder or a zip archive."
    ),
]
PairsOption = Annotated[str, typer.Option(metavar="N", help="Training pairs: 90000, 90k, 1.5M.")]
AffineOption = Annotated[int, typer.Option(help="Affine variants of each training pair.")]


@with_session(waits=True)
def prepare_command(
    session: Session,
    source: SourceOption = "omniglot",
    split: Annotated[
        SplitName | None,
        typer.Option(
            help="How images are divided. Default: koch for Omniglot; for others folders, where they are called train "
            "and test, else alphabets, or classes where there are none."
        ),
    ] = None,
    test_only: Annotated[
        bool, typer.Option("--test-only", help="All classes are for testing, however few; nothing can be trained.")
    ] = False,
    holdout: Annotated[Holdout, typer.Option(help="Split lake: alphabets held out to validate.")] = "five",
    pairs: PairsOption = "90k",
    affine: AffineOption = 8,
    negatives: Annotated[Negatives, typer.Option(help="Where the other image of different pairs is from.")] = "any",
    materialize: Annotated[bool, typer.Option("--materialize", help="Also store rendered pixels; large.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of pairs and variants.")] = 0,
    ink: InkOption = "auto",
    skip_bad: SkipBadOption = False,
    colour: ColourOption = False,
    image_size: ImageSizeOption = None,
    name: NameOption = None,
    force: ForceOption = False,
) -> None:
    """Turn images into a pair dataset. Creates: images and pairs artifacts; prints the latter's reference.

    Examples:
      omnishot prepare --pairs 90k --affine 8
      omnishot prepare --source PATH/TO/PICTURES --pairs 30k
      omnishot prepare --source PATH/TO/PICTURES --test-only
    """
    if test_only and split not in {None, "test-only"}:
        raise UsageError(f"--test-only and --split {split} both say how images are divided", hint="Give one of them.")
    n_pairs = parse_count(pairs, option="--pairs")
    from omnishot.config import PrepareSettings  # Deferred: pydantic and h5py take tenths of a second.
    from omnishot.settings_text import check_given
    from omnishot.stages.prepare import prepare

    settings = check_given(
        PrepareSettings, origin="prepare", split="test-only" if test_only else split, holdout=holdout, pairs=n_pairs,
        affine=affine, negatives=negatives, materialize=materialize, seed=seed,
    )  # fmt: skip
    with session.console.progress() as on_progress:
        images = chosen_source(source, ink, skip_bad, on_progress, colour=colour, image_size=image_size)
        made = prepare(session.store, settings, source=images, name=name, force=force, on_progress=on_progress)
    session.console.made(made, **made.artifact.manifest.summary)
