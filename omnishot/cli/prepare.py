"""omnishot prepare."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    StoreOption,
    VerboseOption,
    WaitOption,
    data_folder,
    is_offline,
    open_store,
    parse_count,
)

if TYPE_CHECKING:
    from omnishot.stages.produce import StageResult
    from omnishot.store.store import Store

SourceOption = Annotated[
    str, typer.Option("--source", metavar="omniglot|glyphs|mnist|auto|PATH", help="Where images come from.")
]
SplitOption = Annotated[
    Literal["koch", "lake", "drawers", "alphabets"] | None,
    typer.Option("--split", help="How images are divided. Default: koch for Omniglot, alphabets for others."),
]
HoldoutOption = Annotated[
    Literal["five", "none"], typer.Option("--holdout", help="Split lake: alphabets held out to validate.")
]
PairsOption = Annotated[str, typer.Option("--pairs", metavar="N", help="Training pairs: 90000, 90k, 1.5M.")]
AffineOption = Annotated[int, typer.Option("--affine", help="Affine variants of each training pair.")]


def prepare_command(
    source: SourceOption = "omniglot",
    split: SplitOption = None,
    holdout: HoldoutOption = "five",
    pairs: PairsOption = "90k",
    affine: AffineOption = 8,
    negatives: Annotated[
        Literal["any", "alphabet"],
        typer.Option("--negatives", help="Where the other image of different pairs is from."),
    ] = "any",
    materialize: Annotated[bool, typer.Option("--materialize", help="Also store rendered pixels; large.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of pairs and variants.")] = 0,
    name: NameOption = None,
    force: ForceOption = False,
    wait: WaitOption = DEFAULT_WAIT,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Turn images into a pair dataset. Creates: images and pairs artifacts; prints the latter's reference.

    Examples:
      omnishot prepare --pairs 90k --affine 8
      omnishot prepare --source PATH/TO/PICTURES --pairs 30k
    """
    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    values = {
        "holdout": holdout,
        "pairs": parse_count(pairs, option="--pairs"),
        "affine": affine,
        "negatives": negatives,
        "materialize": materialize,
        "seed": seed,
    }
    opened = open_store(console, store, wait_seconds=wait)
    made = prepare_with(console, opened, values, split=split, source=source, name=name, force=force)
    console.made(made, **made.artifact.manifest.summary)


def prepare_with(
    console: Console,
    store: "Store",
    values: dict[str, Any],
    *,
    split: str | None,
    source: str,
    preferred: dict[str, str] | None = None,
    name: str | None = None,
    force: bool = False,
) -> "StageResult":
    """Check settings and run the stage, for `prepare` and `run`."""
    from omnishot.config import PrepareSettings  # Deferred: pydantic and h5py take tenths of a second.
    from omnishot.settings_text import check
    from omnishot.stages.prepare import prepare

    settings = check(PrepareSettings, values | ({"split": split} if split else {}), origin="prepare")
    with console.progress() as on_progress:
        return prepare(
            store,
            settings,
            source_name=source,
            data_folder=data_folder(),
            offline=is_offline(),
            preferred=preferred,
            name=name,
            force=force,
            on_progress=on_progress,
        )
