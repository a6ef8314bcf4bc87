"""Run the measurements that want a CUDA device, one by one, within a budget of time.

    python tests/bench/gpu.py --minutes 9 --out results.jsonl
    python tests/bench/gpu.py --minutes 9 --out results.jsonl     # Goes on with what is not finished.
    python tests/bench/gpu.py --list
    python tests/bench/gpu.py --device cpu --tiny --minutes 3 --out /tmp/proof.jsonl

A measurement is a command of the program or of another bench. Each line of JSON that it prints is appended to the file
as soon as it is known, with the measurement's name, the commit, and the seconds since it started; a last line says that
it is finished. Finished measurements of the same commit, device and size are not run again. One that would, by its
usual time, not fit into what is left of the budget is not started; one that outlives the budget is ended, and its lines
stay. `--tiny` shortens every measurement to seconds, which proves the way and measures nothing.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from measuring import REPOSITORY, machine

BENCH = REPOSITORY / "tests" / "bench"
OMNISHOT = [sys.executable, "-m", "omnishot"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command that prints lines of JSON.

    Attributes:
        name: What it is called in the file.
        minutes: How long it usually takes.
        command: Program and arguments.
    """

    name: str
    minutes: float
    command: list[str]


def measurements(arguments: argparse.Namespace) -> list[Measurement]:
    """Return what there is to measure, the most important first."""
    tiny, device, folder = arguments.tiny, arguments.device, str(arguments.folder)
    store = ["--store", str(arguments.folder / "artifacts")]
    source = ["--source", arguments.source]
    seconds = ["--seconds", "0.1" if tiny else "10"]
    workers = ["--workers", str(arguments.workers)]
    twin = "conv4" if tiny else "koch"

    def throughput(name: str, minutes: float, *options: str) -> Measurement:
        shared = ["--device", device, "--folder", folder, "--json", *source, *seconds, *workers]
        shared += ["--pairs", "200" if tiny else "30000"]
        command = [sys.executable, str(BENCH / "throughput.py"), *shared, *options]
        return Measurement(name, 0.1 if tiny else minutes, command)

    def only(*names: str) -> list[str]:
        return [word for name in names for word in ("--only", name)]

    def batches(*sizes: int) -> list[str]:
        return [word for size in (sizes[:1] if tiny else sizes) for word in ("--batch", str(size))]

    train = ["train", "--device", device, "--preset", "koch35" if tiny else "koch", "--set", "validation_trials=0"]
    train += ["--set", "epochs=1", "--json", "--force", "--no-progress", *store]
    evaluate = ["--device", device, "--json", *source, "--twin", twin, "--share-seconds", "1" if tiny else "20"]
    for trials in ("100",) if tiny else ("100", "10000", "100000"):
        evaluate += ["--trials", trials]
    graphs = ["no graphs"] if device == "cuda" else []
    return [
        Measurement("doctor", 0.2, [*OMNISHOT, "doctor", "--device", device, "--json", *store]),
        throughput("headline", 1.5, "--twin", twin, *batches(128), *only("engine", "usual")),
        throughput("batches", 1.5, "--twin", twin, *batches(64, 128, 256, 512, 1024, 2048), *only("engine")),
        throughput("options", 3, "--twin", twin, *batches(128), *only("engine", "no compile", *graphs)),
        throughput("parts", 3, "--twin", twin, *batches(128)),
        throughput("koch35", 1.5, "--twin", "koch35", *batches(128, 1024), *only("engine", "usual", *graphs)),
        throughput("conv4", 1.5, "--twin", "conv4", *batches(128, 1024), *only("engine", "usual", *graphs)),
        throughput("curve", 1, "--twin", twin, *batches(128), "--curve", "3" if tiny else "100"),
        Measurement("prepare", 0.3, [*OMNISHOT, "prepare", "--json", "--no-progress", *source, *store, "--pairs",
                                     "100" if tiny else "30k", "--affine", "1"]),
        Measurement("profile", 0.6, [*OMNISHOT, *train, "--profile", str(arguments.trace)]),
        Measurement("sweep", 2, [sys.executable, str(BENCH / "evaluate.py"), *evaluate]),
    ]  # fmt: skip


def main() -> None:
    """Run what fits into the budget."""
    arguments = parsed()
    wanted = [m for m in measurements(arguments) if not arguments.only or m.name in arguments.only]
    if arguments.list:
        for measurement in wanted:
            print(f"{measurement.name:10} {measurement.minutes:4} minutes")
        return
    deadline = time.monotonic() + 60 * arguments.minutes
    about = {**machine(arguments.device), "tiny": arguments.tiny}
    about["commit"] = about["commit"] or arguments.commit
    arguments.folder.mkdir(parents=True, exist_ok=True)
    done = finished(arguments.out, about)
    for measurement in wanted:
        left = (deadline - time.monotonic()) / 60
        if measurement.name in done:
            print(f"{measurement.name}: finished before")
        elif measurement.minutes > left:
            print(f"{measurement.name}: left for the next call, as it takes {measurement.minutes} minutes")
        else:
            with arguments.out.open("a", encoding="utf-8") as out:
                print(f"{measurement.name}: {run(measurement, about, out, deadline)}", flush=True)


def parsed() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"))
    parser.add_argument("--trace", type=Path, default=Path("trace.json.gz"), help="of the measurement `profile`")
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--commit", help="what is measured, where there is no git to ask")
    parser.add_argument("--source", default="omniglot")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="of the usual loop")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/omnishot-gpu"), help="scratch, kept between calls")
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


def finished(out: Path, about: dict[str, Any]) -> set[str]:
    """Return the names of the measurements that need not be run again."""
    if not out.exists():
        return set()
    lines = map(json.loads, out.read_text("utf-8").splitlines())
    return {line["measurement"] for line in lines if line.get("finished") and line["about"] == about}


def run(measurement: Measurement, about: dict[str, Any], out: IO[str], deadline: float) -> str:
    """Run one measurement, append its lines, and return how it ended in words."""
    began = time.monotonic()

    def append(**line: Any) -> None:
        seconds = round(time.monotonic() - began, 1)
        json.dump({"measurement": measurement.name, "seconds": seconds, **line}, out)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())

    process = subprocess.Popen(
        measurement.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or []))
    reader.start()
    watch = threading.Timer(max(0, deadline - began), end, (process,))
    watch.start()
    n_rows = 0
    try:
        for row in rows(process):
            append(row=row)
            n_rows += 1
        code = process.wait()
    finally:
        watch.cancel()
        end(process)
        reader.join()
    if code:
        append(failed=code, stderr="".join(said)[-2000:])
        why = "out of time" if time.monotonic() >= deadline else f"failed with exit code {code}"
        return f"{why}, {n_rows} lines kept"
    append(finished=True, about=about)
    return f"{n_rows} lines in {time.monotonic() - began:.0f} s"


def end(process: "subprocess.Popen[str]") -> None:
    """Interrupt a process, which ends those it has started, and kill what does not listen."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def rows(process: "subprocess.Popen[str]") -> Iterator[Any]:
    """Yield what the process prints that is JSON."""
    for line in process.stdout or []:
        try:
            yield json.loads(line)
        except ValueError:
            continue


if __name__ == "__main__":
    main()
