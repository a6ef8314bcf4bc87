"""omnishot run."""

from typing import Annotated, Literal

import typer

from omnishot.cli.console import Console
from omnishot.cli.evaluate import eval_with
from omnishot.cli.options import (
    DEFAULT_STORE,
    DEFAULT_WAIT,
    ForceOption,
    JsonOption,
    NoProgressOption,
    QuietOption,
    SetOption,
    StoreOption,
    VerboseOption,
    WaitOption,
    open_store,
    parse_count,
)
from omnishot.cli.prepare import AffineOption, HoldoutOption, PairsOption, SourceOption, prepare_with
from omnishot.cli.report import Format, GateOption, print_report
from omnishot.cli.train import DeviceOption, PresetOption, ResumeOption, choose_settings, train_with

_SWEEP_TRIALS = 1000


def run_command(
    preset: PresetOption = None,
    changes: SetOption = None,
    source: SourceOption = "auto",
    split: Annotated[
        Literal["koch", "lake", "drawers", "alphabets"] | None,
        typer.Option("--split", help="Default: koch for the koch presets; else lake, with all 30 alphabets to train."),
    ] = None,
    holdout: HoldoutOption = "five",
    pairs: PairsOption = "90k",
    affine: AffineOption = 8,
    seed: Annotated[int, typer.Option("--seed", help="Seed of pairs and trials; --set seed=N is training's.")] = 0,
    device: DeviceOption = "auto",
    output_format: Annotated[
        Format,
        typer.Option("--format", help="As of `omnishot report`, which can also write it into a file."),
    ] = "auto",
    fail_under: GateOption = None,
    resume: ResumeOption = False,
    force: ForceOption = False,
    wait: WaitOption = DEFAULT_WAIT,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Prepare, train, eval and report in a row. Creates: all their artifacts; prints the tables.

    Examples:
      omnishot run --preset quick
      omnishot run --source glyphs --set max_minutes=1
    """
    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    from omnishot.formats.manifest_fields import PairsFacts  # Deferred: pydantic takes tenths of a second.
    from omnishot.reporting.gates import check_gate, parse_gate
    from omnishot.reporting.results import measured_in

    # Settings and gates first: a mistyped one should not cost the minutes before it is read.
    gates = [parse_gate(gate) for gate in fail_under or []]
    settings, name = choose_settings(console, preset=preset, config=None, changes=changes or [], device=device)
    opened = open_store(console, store, wait_seconds=wait)
    values = {"holdout": holdout, "pairs": parse_count(pairs, option="--pairs"), "affine": affine, "seed": seed}
    # The koch presets follow the paper; the settings of the others are chosen, so nothing need be held out.
    preferred = {"split": "koch"} if name.startswith("koch") else {"split": "lake", "holdout": "none"}
    data = prepare_with(console, opened, values, split=split, source=source, preferred=preferred, force=force)
    console.summary(data)
    model = train_with(console, opened, data.artifact, settings, name=name, device=device, resume=resume, force=force)
    console.summary(model)
    found = PairsFacts.of(data.artifact.manifest).summary
    if "validation" not in found.pairs:
        console.note("Verification is not measured: its threshold needs a split that holds something out, as koch does")
    evaluations = []
    for protocol, on, ways, trials, baselines in _measurements(
        has_runs=found.runs > 0,
        has_validation="validation" in found.pairs,
        most_ways=min(20, *(found.largest_alphabet.get(part, 20) for part in ("train", "test"))),
    ):
        asked = {"on": on, "ways": ways, "shots": 1, "trials": trials, "seed": seed}
        made = eval_with(
            console, opened, [model.artifact], asked, protocol=protocol, baselines=baselines, device=device, force=force
        )
        console.summary(made)
        evaluations.append(made.artifact)
    measured = measured_in(evaluations)
    print_report(console, opened, evaluations, "json" if as_json else output_format)
    for gate in gates:
        console.note(check_gate(measured, gate))


def _measurements(
    *, has_runs: bool, has_validation: bool, most_ways: int
) -> list[tuple[str, str, list[int], int, str]]:
    """Return what to measure: protocol, part of the split, ways, trials, baselines."""
    every, sweep = "nearest-neighbour,hausdorff,random", list(range(1, most_ways + 1))
    return [
        *([("lake", "test", [20], 400, every)] if has_runs else []),
        ("within", "test", sweep, _SWEEP_TRIALS, every),
        ("within", "train", sweep, _SWEEP_TRIALS, "none"),
        *([("verification", "test", [1], 400, "none")] if has_validation else []),
    ]
