"""Measure how training and testing scale: with processes, with images, and with the length of the vectors.

    python tests/bench/scaling.py
    python tests/bench/scaling.py --what processes --processes 2 --processes 4 --preset koch --seconds 60
    python tests/bench/scaling.py --what images --images 100k --images 1M --json
    python tests/bench/scaling.py --what dimension --dimension 4096

All on a CPU. Every row is a command of its own, with the peak memory of its largest process; torch alone needs 0.3 GB.

`processes`: `omnishot train` for one epoch of the same pairs, as many as one process with one thread trains on in about
`--seconds`, or `--steps`: with one thread, with all cores as threads, and with N processes that torchrun starts, which
share every batch and have the cores divided among them. Columns: processes; threads of each; pairs per second, also in
proportion to one process with one thread; arithmetic; mean loss of the epoch, the same but for rounding; peak memory.

`images`: synthesised data sets (blots; 20 drawings a class, up to 50 classes an alphabet, the last fifth of which
tests) of more and more images, each with 30,000 pairs. The rows of a size: writing both files, `images.h5` and
`pairs.h5`, the drawing included; training koch35 with all images on the device; the same with 2 readers that stream
them from the file, which is in the system's cache, as it was written a moment ago; 1,000 trials of 1 to 20 ways within
an alphabet of the test images, reading and embedding them included. Columns: images; what was run; seconds; seconds
until the first step is done, from opening the file on; pairs per second, also in proportion to the row with the images
on the device; mean loss of the first 4 steps, the same however the images come; peak memory; what the readers had at
their peaks, together, what they share counted twice; size of `pairs.h5`; images that were embedded. A million images
take minutes and a gigabyte of disk, and on the device nine of memory.

`dimension`: koch35 with vectors of other lengths. Columns: the length; parameters; pairs per second in training; test
images embedded per second, in single precision; seconds to score 10,000 trials of 20 ways from vectors that are there;
peak memory of all that.

Below the first two tables is how far losses that should be the same are apart; the bench ends with 1 if that is more
than rounding: 0.01 %, or 0.2 % where processes compute parts of a batch in bfloat16, that is without --precision fp32.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import Column, Rows, count, figures, machine, megabytes, run_measured

TABLES = ["processes", "images", "dimension"]
SIZES = ["1k", "10k", "100k"]
DIMENSIONS = [64, 256, 1024, 4096]
SWEEP_TRIALS, DIMENSION_TRIALS = 1_000, 10_000
DIMENSION_IMAGES = 1_000
TRIED_STEPS, FEWEST_STEPS = 8, 4
ROUNDING = {"bf16": 2e-3, "fp32": 1e-4}
OMNISHOT = ["-m", "omnishot"]

SPEED = Column("pairs_per_second", figures)
LOSS = Column("loss", lambda loss: f"{loss:.5f}")
PEAK = Column("peak_bytes", megabytes, "peak memory")
PROCESSES = [
    Column("processes", count),
    Column("threads", count, "threads of each"),
    SPEED,
    Column("share", figures, "of 1 process, 1 thread"),
    Column("flops_per_second", lambda value: f"{figures(value / 1e9)} G", "FLOP/s"),
    LOSS,
    PEAK,
]
IMAGES = [
    Column("images", count, width=9),
    Column("run", is_text=True, width=28),
    Column("seconds", figures),
    Column("first_step_seconds", figures, "until first step"),
    SPEED,
    Column("share", lambda share: f"{share:.0%}", "of on the device"),
    LOSS,
    PEAK,
    Column("readers_bytes", megabytes, "readers"),
    Column("file_bytes", megabytes, "file"),
    Column("images_embedded", count, "embedded"),
]
DIMENSION = [
    Column("dimension", count),
    Column("parameters", count, width=10),
    SPEED,
    Column("images_per_second", figures),
    Column("trials_seconds", figures, "10,000 trials, seconds"),
    PEAK,
]
RUNS = {"write": "write", "device": "train, images on the device", "file": "train, images from the file"}
RUNS |= {"trials": "1,000 trials, 1 to 20 ways"}


def main() -> int:
    """Measure what was asked for, or do one measurement for the process that asked; 1 if losses differ."""
    asked = parsed()
    if asked.measure:
        print(json.dumps(measured_here(asked)))
        return 0
    compare = {"processes": compare_processes, "images": compare_images, "dimension": compare_dimensions}
    Rows([], as_json=asked.json).facts(machine=machine())
    agree = True
    for table in asked.what or TABLES:
        with tempfile.TemporaryDirectory(prefix="omnishot-scaling-") as folder:
            groups = compare[table](asked, Path(folder))
        if not asked.json:
            print()
        is_exact = table == "images" or asked.precision == "fp32"
        agree &= tell_differences(groups, ROUNDING["fp32" if is_exact else "bf16"], as_json=asked.json)
    return 0 if agree else 1


def tell_differences(groups: list[list[float]], rounding: float, *, as_json: bool) -> bool:
    """Print how far the losses of a group are apart at most, if there are any; tell whether rounding explains it."""
    if groups:
        largest = max(max(losses) - min(losses) for losses in groups)
        Rows([], as_json=as_json).facts(losses={"largest_difference": largest})
    return all(max(losses) - min(losses) <= rounding * max(losses) for losses in groups)


def parsed() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", action="append", choices=TABLES, help="a table; repeatable; default: all")
    parser.add_argument("--processes", action="append", type=int, help="repeatable; default: 1, 2")
    parser.add_argument("--preset", choices=["koch", "koch35"], default="koch35", help="of `processes`")
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto", help="of `processes`")
    parser.add_argument("--source", default="omniglot", help="of `processes`: omniglot, glyphs or a folder")
    parser.add_argument("--steps", type=int, help="of `processes`; default: as many as fit into --seconds")
    parser.add_argument("--images", action="append", help=f"800, 10k, 1M; repeatable; default: {', '.join(SIZES)}")
    parser.add_argument("--dimension", action="append", type=int, help=f"repeatable; default: {DIMENSIONS}")
    parser.add_argument("--batch", type=int, default=128, help="pairs per step, of all processes; default: 128")
    parser.add_argument("--seconds", type=float, default=20, help="of training for each row; default: 20")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of tables")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--pairs-file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def compare_processes(asked: argparse.Namespace, folder: Path) -> list[list[float]]:
    """Print a row for each number of processes and threads; return the losses, which should be equal."""
    from omnishot.machine import cores

    trainings = Trainings(asked, folder)
    n_steps = asked.steps or trainings.steps_in(asked.seconds)
    wanted = dict.fromkeys([(1, 1), *((n, max(1, cores() // n)) for n in asked.processes or [1, 2])])
    rows = Rows(PROCESSES, as_json=asked.json)
    rows.facts(processes={"preset": asked.preset, "batch": asked.batch, "pairs": n_steps * asked.batch})
    trainings.prepare(n_steps)
    made: list[dict[str, Any]] = []
    for n_processes, threads in wanted:
        made.append(trainings.train(n_processes, threads))
        rows.row(**made[-1], share=made[-1]["pairs_per_second"] / made[0]["pairs_per_second"])
    return [[row["loss"] for row in made]]


class Trainings:
    """Trains one model again and again, with other processes and threads."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        """Keep everything in a folder."""
        self._asked, self._store = asked, ["--store", str(folder / "artifacts"), "--json", "--no-progress"]
        self._data = ""

    def steps_in(self, seconds: float) -> int:
        """Try how many steps one process with one thread takes in some seconds."""
        self.prepare(TRIED_STEPS)
        n_pairs: float = self.train(1, 1)["pairs_per_second"] * seconds
        return max(FEWEST_STEPS, int(n_pairs / self._asked.batch))

    def prepare(self, n_steps: int) -> None:
        """Prepare the pairs of an epoch of so many steps."""
        pairs = ["--source", self._asked.source, "--pairs", str(n_steps * self._asked.batch), "--affine", "0"]
        done = run_measured([sys.executable, "-P", *OMNISHOT, "prepare", *pairs, *self._store])
        self._data = json.loads(done.stdout)["artifact"]

    def train(self, n_processes: int, threads: int) -> dict[str, Any]:
        """Train for an epoch; return the row, but for its share."""
        changes = ["epochs=1", "validation_trials=0"]
        changes += [f"objective.batch_size={self._asked.batch}", f"precision={self._asked.precision}"]
        options = [self._data, "--preset", self._asked.preset, "--device", "cpu", "--force"]
        options += [part for change in changes for part in ("--set", change)]
        several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
        start = [sys.executable, *(several if n_processes > 1 else []), *OMNISHOT]
        # torchrun starts Python without -P.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONSAFEPATH": "1"}
        done = run_measured([*start, "train", *options, *self._store], environment)
        made = json.loads(done.stdout)
        if made["processes"] != n_processes:
            raise RuntimeError(f"{made['processes']} processes trained, not {n_processes}")
        last = Path(made["path"], "history.jsonl").read_text().splitlines()[-1]
        return {
            "processes": n_processes,
            "threads": threads,
            "pairs_per_second": made["pairs_per_second"],
            "flops_per_second": made["flops_per_second"],
            "loss": json.loads(last)["loss"],
            "peak_bytes": done.peak_bytes,
        }


def compare_images(asked: argparse.Namespace, folder: Path) -> list[list[float]]:
    """Print the rows of each number of images; return the losses of each, which should be equal."""
    from omnishot.cli.options import parse_count

    rows = Rows(IMAGES, as_json=asked.json)
    rows.facts(images={"preset": "koch35", "batch": asked.batch})
    groups = []
    for n_images in [parse_count(size, option="--images") for size in asked.images or SIZES]:
        speed, losses = 0.0, []
        for measure, run in RUNS.items():
            found = in_own_process(asked, measure, folder / "pairs.h5", n_images)
            if "loss" in found:
                speed = speed or found["pairs_per_second"]
                found["share"] = found["pairs_per_second"] / speed
                losses.append(found["loss"])
            row: dict[str, Any] = dict.fromkeys(column.name for column in IMAGES)
            rows.row(**{**row, **found, "images": n_images, "run": run})
        groups.append(losses)
    return groups


def compare_dimensions(asked: argparse.Namespace, folder: Path) -> list[list[float]]:
    """Print a row for each length of the vectors; return nothing to compare."""
    rows = Rows(DIMENSION, as_json=asked.json)
    rows.facts(dimension={"preset": "koch35", "batch": asked.batch, "images": DIMENSION_IMAGES})
    in_own_process(asked, "write", folder / "pairs.h5", DIMENSION_IMAGES)
    for dimension in asked.dimension or DIMENSIONS:
        rows.row(dimension=dimension, **in_own_process(asked, "dimension", folder / "pairs.h5", dimension))
    return []


def in_own_process(asked: argparse.Namespace, measure: str, pairs_file: Path, size: int) -> dict[str, Any]:
    """Do one measurement in a process of its own."""
    handed_on = {"measure": measure, "pairs-file": pairs_file, "size": size, "batch": asked.batch}
    options = [f"--{name}={value}" for name, value in {**handed_on, "seconds": asked.seconds}.items()]
    done = run_measured([sys.executable, __file__, *options])
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "peak_bytes": done.peak_bytes}


def measured_here(asked: argparse.Namespace) -> dict[str, Any]:
    """Do the measurement that was asked for, in this process."""
    from omnishot.cli.process import choose_threads, keep_freed_memory

    choose_threads()  # Before torch is imported.
    from engines import sized

    if asked.measure == "write":
        return sized.write_dataset(asked.pairs_file, asked.size)
    if asked.measure == "trials":
        return sized.run_trials(asked.pairs_file, SWEEP_TRIALS)
    keep_freed_memory()
    if asked.measure == "dimension":
        return sized.use_dimension(asked.pairs_file, asked.size, asked.batch, asked.seconds, n_trials=DIMENSION_TRIALS)
    return sized.train_file(asked.pairs_file, asked.batch, asked.seconds, stream=asked.measure == "file")


if __name__ == "__main__":
    sys.exit(main())
