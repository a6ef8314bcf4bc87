"""omnishot eval."""

from dataclasses import asdict
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
    parse_ways,
)
from omnishot.cli.train import Device, DeviceOption
from omnishot.errors import UsageError

if TYPE_CHECKING:
    from omnishot.stages.produce import StageResult
    from omnishot.store.artifact import Artifact
    from omnishot.store.store import Store


def eval_command(
    models: Annotated[list[str] | None, typer.Argument(help="Models. Default: the newest.", show_default=False)] = None,
    ways: Annotated[
        str | None,
        typer.Option("--ways", help="Classes to choose from: 20, 1..20 or 1,5,20. Default: 20, or the most there are."),
    ] = None,
    shots: Annotated[int, typer.Option("--shots", help="Support images per class.")] = 1,
    trials: Annotated[str, typer.Option("--trials", metavar="N", help="Queries; Lake's runs have 400.")] = "400",
    protocol: Annotated[
        Literal["lake", "within", "between", "verification"] | None,
        typer.Option("--protocol", help="Default: lake where the images have published runs, else within."),
    ] = None,
    on: Annotated[Literal["test", "validation", "train"], typer.Option("--on", help="Part of the split.")] = "test",
    baselines: Annotated[
        str | None,
        typer.Option(
            "--baselines",
            help="From nearest-neighbour,hausdorff,random; or none. Default: all on Lake's runs, else without "
            "hausdorff, which takes a second per 2,500 pairs.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Images to measure on, instead of those the model was trained with."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of trials and intervals.")] = 0,
    device: DeviceOption = "auto",
    name: NameOption = None,
    force: ForceOption = False,
    wait: WaitOption = DEFAULT_WAIT,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Measure accuracy, with baselines and intervals. Creates: an evals artifact; prints its reference.

    Examples:
      omnishot eval --ways 20
      omnishot eval quick koch --protocol within --ways 1..20 --trials 1000
    """
    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    opened = open_store(console, store, wait_seconds=wait)
    measured = _models(console, opened, models or [], baselines_only=source is not None)
    values: dict[str, Any] = {
        "on": on,
        "ways": parse_ways(ways) if ways else None,
        "shots": shots,
        "trials": parse_count(trials, option="--trials"),
        "seed": seed,
    }
    made = eval_with(
        console, opened, measured, values, protocol=protocol, baselines=baselines, source=source, device=device,
        name=name, force=force,
    )  # fmt: skip
    _print_results(console, made)


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
        console.note(
            f"{task}: {row.model} is {100 * row.difference:+.1f} points ({low:+.1f} to {high:+.1f}) "
            f"from {row.against} on the same trials"
        )
    rows = [row.model_dump() for row in comparisons]
    console.made(made, results=[asdict(item.result) for item in measurements], comparisons=rows)


def _models(console: Console, store: "Store", references: list[str], *, baselines_only: bool) -> "list[Artifact]":
    if references:
        found = {artifact.path: artifact for artifact in (store.find(text, "models") for text in references)}
        return list(found.values())
    if not store.artifacts("models") and (baselines_only or store.artifacts("pairs")):
        console.note("There is no model in the store; measuring baselines only")
        return []
    return [store.newest("models")]


def eval_with(
    console: Console,
    store: "Store",
    models: "list[Artifact]",
    values: dict[str, Any],
    *,
    protocol: str | None,
    baselines: str | None,
    source: str | None = None,
    device: Device = "auto",
    name: str | None = None,
    force: bool = False,
) -> "StageResult":
    """Choose data and protocol and run the stage, for `eval` and `run`."""
    from omnishot.config import EvalSettings
    from omnishot.formats.evaluation_data import pairs_of_models
    from omnishot.formats.manifest_fields import PairsFacts, has_runs
    from omnishot.settings_text import check
    from omnishot.stages.evaluate import evaluate  # Deferred: torch takes seconds.
    from omnishot.store.reference import check_name

    with console.progress() as on_progress:
        if source:
            from omnishot.data.sources import open_source
            from omnishot.stages.prepare import prepare_images

            found = open_source(source, data_folder=data_folder(), offline=is_offline(), on_progress=on_progress)
            data = prepare_images(store, found, on_progress=on_progress).artifact
        else:
            data = pairs_of_models(store, models) if models else store.newest("pairs")
        protocol = protocol or ("lake" if has_runs(data.manifest) and values["on"] == "test" else "within")
        values = values | {"protocol": protocol, "baselines": _baselines(baselines, protocol)}
        if values["ways"] is None:
            is_divided = data.manifest.kind == "pairs"
            most = 20
            if is_divided:
                most = PairsFacts.of(data.manifest).summary.largest_alphabet.get(values["on"], 20)
            elif source == "mnist":
                most = 10
            values["ways"] = [max(1, min(20, most)) if protocol == "within" or source == "mnist" else 20]
        if protocol == "verification":  # Pairs have no ways, shots or trials; the dataset says how many there are.
            values |= {"ways": [], "shots": 1, "trials": 400}
        settings = check(EvalSettings, values, origin="eval")
        part = "" if settings.on == "test" else f"-{settings.on}"
        images = f"-{data.manifest.name}" if source else ""
        default = f"{models[0].manifest.name if models else 'baselines'}{images}-{protocol}{part}"
        chosen = check_name(name or default)
        return evaluate(
            store,
            models,
            data,
            settings,
            name=chosen,
            device=device,
            force=force,
            on_progress=on_progress,
        )


def _baselines(text: str | None, protocol: str) -> list[str]:
    from omnishot.vocabulary import BASELINES
    from omnishot.wording import did_you_mean

    if text is None:
        if protocol == "verification":
            return []
        return [name for name in BASELINES if protocol == "lake" or name != "hausdorff"]
    if protocol == "verification" and text != "none":
        raise UsageError("--baselines are for one-shot protocols, not for verification", hint="Leave them out.")
    names = [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]
    for name in names:
        if name not in BASELINES:
            raise UsageError(
                f"--baselines: unknown baseline '{name}'{did_you_mean(name, BASELINES)}",
                hint=f"Baselines: {', '.join(BASELINES)}, or none.",
            )
    return [name for name in BASELINES if name in names]
