"""Measure training and inference in pairs a second: the engine, the usual loop, and what each part is worth.

    python tests/bench/throughput.py
    python tests/bench/throughput.py --twin koch35 --only engine --only usual --batch 128 --rounds 3 --json
    python tests/bench/throughput.py --curve 24          # The loss of both loops, step by step.
    python tests/bench/throughput.py --batch 32 --batch 64 --batch 128 --batch 256 --only engine

`usual` is the loop of public re-implementations (`engines/usual.py`): PNG files, PIL, a DataLoader, a pass per twin,
single precision, `.item()` in every step. Every other row is the engine with one part switched off, so that the part is
worth the difference; `no compile` and `no graphs` switch on what is off by default. All train the same pairs with the
same distortions in the same order from the same weights. Every measurement is a process of its own; with `--rounds`
they take turns, and a figure is the median of all steps of all rounds, but for the first ones of each process.

Columns: network; what was left out; what was done instead; pairs per step; steps that were timed; pairs per second;
in proportion to the engine's; arithmetic done, and its share of what a large matrix product reaches in that process
(inference counts the way there only); most resident memory.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from measuring import Column, Rows, count, figures, machine, megabytes, run_measured

COLUMNS = [
    Column("twin", is_text=True),
    Column("left_out", is_text=True, width=16),
    Column("instead", is_text=True, width=36),
    Column("batch", count, width=5),
    Column("steps", count, width=5),
    Column("pairs_per_second", figures),
    Column("share_of_engine", figures, "of the engine's"),
    Column("flops_per_second", lambda value: f"{figures(value / 1e9)} G", "FLOP/s"),
    Column("share_of_peak", lambda value: f"{value:.0%}", "of peak"),
    Column("peak_bytes", megabytes, "memory"),
]
CURVE = [Column("step"), Column("engine", figures), Column("usual", figures), Column("difference", figures)]
USUAL = "as public re-implementations train"
OTHERS = {"usual": USUAL, "infer": "embedded once", "infer usual": "as public re-implementations test"}
WARM_STEPS = {"cpu": 1, "cuda": 20}
STEPS_AT_ONCE = {"cpu": 1, "cuda": 20}


def main() -> None:
    """Measure what was asked for, or do one measurement for the process that asked."""
    arguments = parsed()
    if arguments.measure:
        print(json.dumps(measured_here(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments.folder = arguments.folder or Path(folder)
        if arguments.curve:
            compare_curves(arguments)
        else:
            compare_speeds(arguments)


def parsed() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twin", action="append", choices=["koch", "koch35", "conv4"])
    parser.add_argument("--only", action="append", metavar="NAME", help="a row of the table; default: all but options")
    parser.add_argument("--batch", action="append", type=int)
    parser.add_argument("--seconds", type=float, default=20, help="of steps in each process")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--curve", type=int, default=0, metavar="STEPS")
    parser.add_argument("--workers", type=int, default=2, help="of the usual loop")
    parser.add_argument("--source", choices=["omniglot", "glyphs"], default="omniglot")
    parser.add_argument("--data", type=Path, default=None, help="default: $OMNISHOT_DATA, or the cache folder")
    parser.add_argument("--pairs", type=int, default=30_000)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--folder", type=Path, default=None, help="scratch that is kept; default: a temporary one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def compare_speeds(arguments: argparse.Namespace) -> None:
    """Print a row for each measurement."""
    from engines.ours import PARTS  # Deferred: it imports torch.

    parts = [name for name in PARTS if name not in ("no compile", "no graphs")]
    names = arguments.only or [*parts[:1], "usual", *parts[1:], "infer", "infer usual"]
    wanted = [(t, b, n) for t in arguments.twin or ["koch"] for b in arguments.batch or [128] for n in names]
    rows = Rows(COLUMNS, as_json=arguments.json)
    rows.facts(machine=machine(arguments.device))
    found: dict[tuple[str, int, str], list[dict[str, Any]]] = {key: [] for key in wanted}
    engine: dict[tuple[str, int], float] = {}
    for number in range(arguments.rounds):
        for twin, batch, name in wanted:
            runs = found[twin, batch, name]
            runs.append(in_own_process(arguments, name, twin, batch))
            if number < arguments.rounds - 1:
                continue
            seconds = [second for run in runs for second in run["seconds"]]
            pairs_per_second = batch / statistics.median(seconds)
            if name == "engine":
                engine[twin, batch] = pairs_per_second
            flops = pairs_per_second * runs[-1]["flops_per_pair"]
            rows.row(
                twin=twin,
                left_out=name,
                instead=PARTS[name].without if name in PARTS else OTHERS[name],
                batch=batch,
                steps=len(seconds) * STEPS_AT_ONCE[arguments.device],
                pairs_per_second=pairs_per_second,
                share_of_engine=pairs_per_second / engine[twin, batch] if (twin, batch) in engine else None,
                flops_per_second=flops,
                share_of_peak=flops / statistics.median(run["matmul_flops_per_second"] for run in runs),
                peak_bytes=max(run["peak_bytes"] for run in runs),
            )


def compare_curves(arguments: argparse.Namespace) -> None:
    """Print the loss of both loops."""
    rows = Rows(CURVE, as_json=arguments.json)
    twin, batch = (arguments.twin or ["koch"])[0], (arguments.batch or [128])[0]
    losses = [in_own_process(arguments, name, twin, batch)["losses"] for name in ("engine", "usual")]
    for step, (engine, usual) in enumerate(zip(*losses, strict=True), 1):
        rows.row(step=step, engine=engine, usual=usual, difference=engine - usual)


def in_own_process(arguments: argparse.Namespace, name: str, twin: str, batch: int) -> dict[str, Any]:
    """Do one measurement in a process of its own."""
    handed_on = {name: getattr(arguments, name) for name in ("seconds", "curve", "workers", "source", "data", "pairs")}
    handed_on |= {"device": arguments.device, "folder": arguments.folder, "twin": twin, "batch": batch, "measure": name}
    options = [f"--{key}={value}" for key, value in handed_on.items() if value is not None]
    done = run_measured([sys.executable, __file__, *options])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "peak_bytes": done.peak_bytes}


def measured_here(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do the measurement that was asked for, in this process."""
    from omnishot.cli.process import choose_threads, keep_freed_memory

    name = arguments.measure
    is_usual = name in ("usual", "infer usual")
    if not is_usual and name != "short waits":
        choose_threads()  # Before torch is imported.
    from engines import runs
    from engines.ours import PARTS, Part
    from engines.setup import Task, prepare_pairs

    from omnishot.data.location import usual_data_folder
    from omnishot.model.cost import training_flops
    from omnishot.model.device import choose_compute
    from omnishot.model.peak import matmul_peak

    part = PARTS.get(name, Part(""))
    if not is_usual and part.keeps_memory:
        keep_freed_memory()
    store, data = arguments.folder / "artifacts", arguments.data or usual_data_folder()
    pairs_file = prepare_pairs(store, arguments.source, data, pairs=arguments.pairs, affine=8)
    task = part.change(Task(pairs_file, arguments.twin[0], arguments.batch[0]))
    single = is_usual or name == "infer"
    compute = choose_compute(arguments.device, "fp32" if single else task.settings().precision)
    peak = matmul_peak(compute)
    timer = Timer(arguments.device, arguments.seconds, n_steps=arguments.curve)
    pictures = arguments.folder / "pictures"
    steps = {
        "usual": lambda: runs.train_usual(task, pictures, compute, workers=arguments.workers),
        "infer usual": lambda: runs.infer_usual(task, pictures, compute, workers=arguments.workers),
        "infer": lambda: runs.infer(task, compute),
    }.get(name, lambda: runs.train(task, part, compute))
    with nullcontext() if is_usual else compute.tuned():  # The usual loop has torch as it comes.
        timer.time(steps())
    return {
        "seconds": timer.seconds,
        "losses": timer.losses,
        # The way there is a third of the arithmetic of training.
        "flops_per_pair": (2 / 3 if name.startswith("infer") else 2) * training_flops(task.settings().twin),
        "matmul_flops_per_second": peak,
    }


class Timer:
    """Times blocks of steps for a while; on CUDA a block ends when the device has done it."""

    def __init__(self, device: str, budget: float, *, n_steps: int = 0) -> None:
        """Choose how long: a budget of seconds, or a number of steps whose losses are kept."""
        self._device, self._budget, self._n_steps = device, budget, n_steps
        self.seconds: list[float] = []
        self.losses: list[float] = []

    def time(self, steps: Iterator[Any]) -> None:
        """Take steps, each of which gives its loss or nothing, until the time is over."""
        if self._n_steps:
            self.losses = [float(loss) for _, loss in zip(range(self._n_steps), steps, strict=False)]
            return
        for _ in range(WARM_STEPS[self._device]):
            next(steps)
        while sum(self.seconds) * STEPS_AT_ONCE[self._device] < self._budget or len(self.seconds) < 3:
            with self._block():
                for _ in range(STEPS_AT_ONCE[self._device]):
                    next(steps)

    @contextmanager
    def _block(self) -> Iterator[None]:
        self._wait()
        began = time.perf_counter()
        yield
        self._wait()
        self.seconds.append((time.perf_counter() - began) / STEPS_AT_ONCE[self._device])

    def _wait(self) -> None:
        if self._device == "cuda":
            import torch

            torch.cuda.synchronize()


if __name__ == "__main__":
    main()
