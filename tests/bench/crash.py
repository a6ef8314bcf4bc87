"""Kill omnishot at random moments and see whether its store survives.

    python tests/bench/crash.py --kills 200

Each stage runs as a process of its own, forked from one that has imported torch already, so that the kills fall into
the work rather than into the imports. A killed run is followed by a look at the store and by a next run, which is left
alone. What that one makes is compared, file by file, with what a run makes that was never interrupted.

A gallery is enrolled only from a folder of images: `--source FOLDER`.

Columns: runs that were killed; those of the next runs that resumed from a checkpoint; damaged artifacts that were
listed; next runs, those that succeeded, and those whose files are the same; folders that were left behind afterwards.
"""

import argparse
import gc
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch._dynamo  # noqa: F401  # The first optimizer of a process imports it.

import omnishot.cli.app
import omnishot.recognition.enrollment
import omnishot.stages.evaluate
import omnishot.stages.train  # Imported, so that the forked processes need not.
from omnishot.store.store import Store

SIGNALS = [signal.SIGKILL] * 6 + [signal.SIGTERM] * 2 + [signal.SIGINT] * 2
WRITES = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod"}
SMALLEST_LIMIT = 4000  # Bytes, more than the log of a run, which the limit also meets.
TRAIN = ["--device", "cpu", "--checkpoint-every", "3", "--set", "validation_trials=40"]
QUICK = ["--preset", "quick", "--set", "max_minutes=null", "--set", "objective.batches_per_epoch=8"]


@dataclass(frozen=True)
class Stage:
    """A command to kill, what has to be in the store before it, and the kind of what it makes."""

    name: str
    command: list[str]
    needs: list[list[str]]
    makes: str


@dataclass
class Outcome:
    """What the kills of one stage did."""

    stage: str
    kills: int = 0
    resumed: int = 0
    damaged: int = 0
    next_runs: int = 0
    succeeded: int = 0
    identical: int = 0
    leftovers: int = 0
    failures: list[str] = field(default_factory=list)


def stages(source: str, *, small: bool) -> list[Stage]:
    pairs, affine, epochs = ("60", "1", "2") if small else ("200", "4", "2")
    images = ["prepare", "--source", source, "--pairs", "20", "--affine", "0", "--name", "first"]
    data = ["prepare", "--source", source, "--pairs", pairs, "--affine", affine, "--name", "data"]
    length = ["--set", f"epochs={epochs}"]
    quick = ["train", "data", *TRAIN, *QUICK, *length]
    koch35 = ["train", "data", *TRAIN, "--preset", "koch35", *length]
    if small:
        quick += ["--set", "objective.classes_per_batch=10", "--set", "objective.batches_per_epoch=4"]
        koch35 += ["--set", "objective.batch_size=20"]
    trials = ["--protocol", "within", "--ways", "1..5", "--trials", "100" if small else "2000"]
    # Classes that are there are replaced, so that the next run may follow one that was killed after all was done.
    enroll = Stage("enroll", ["enroll", "staff", source, "--replace"], [data, quick], "galleries")
    return [
        Stage("prepare", data, [], "pairs"),
        Stage("prepare --materialize", [*data, "--materialize"], [images], "pairs"),
        Stage("train --preset koch35", koch35, [data], "models"),
        Stage("train --preset quick", quick, [data], "models"),
        Stage("eval", ["eval", *trials], [data, quick], "evals"),
        *([enroll] if Path(source).exists() else []),
    ]


def start(arguments: list[str], store: Path, log: Path, *, before: Callable[[], None] = lambda: None) -> int:
    """Run a command line in a forked process, after `before`; return its process number."""
    log.write_bytes(b"")
    pid = os.fork()
    if pid:
        return pid
    code = 1
    # Whoever started this in the background may have had Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with log.open("wb", buffering=0) as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.argv = ["omnishot", *arguments, "--store", str(store)]
        before()
        omnishot.cli.main()
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 1
    except KeyboardInterrupt:  # Before the command line took over.
        code = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a process; return its exit code, or its signal as a negative number."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_after(seconds: float, number: signal.Signals, pid: int) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(0.0005)
    os.kill(pid, number)
    return ended(pid)


def at_changes(store: Path, act: Callable[[int], None]) -> Callable[[], None]:
    """Return what makes a process act right before each of its changes of the store, which are counted from 1."""
    done = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        if event not in WRITES or not str(arguments[0]).startswith(str(store)):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        done += 1
        act(done)

    return lambda: sys.addaudithook(hook)


def limit_files(size: int) -> Callable[[], None]:
    """Return what makes a process's disk full: no file of it may become larger."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def digests(store: Path, kind: str) -> dict[str, str]:
    """Return the digests of the newest artifact's files, leaving out what tells the time it took."""
    files = Store(store).newest(kind).manifest.files
    return {name: entry.sha256 for name, entry in files.items() if name not in {"history.jsonl", "summary.json"}}


def damage(store: Path) -> list[str]:
    """Return what is listed in a store but is not whole."""
    unreadable: dict[Path, object] = {}
    artifacts = Store(store).artifacts(damaged=unreadable)  # type: ignore[arg-type]
    return [*map(str, unreadable), *(str(artifact.path) for artifact in artifacts if not artifact.is_sound())]


class Crashes:
    """Kills one stage again and again, each time in a fresh copy of the same store."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder, self.log = stage, folder, folder / "log"
        self.template, self.store = folder / "template", folder / "artifacts"
        self.template.mkdir(parents=True)
        for needed in stage.needs:
            self._run(needed, self.template)
        whole = shutil.copytree(self.template, folder / "whole")
        began = time.monotonic()
        self._run(stage.command, whole)
        self.seconds = time.monotonic() - began
        self.expected = digests(whole, stage.makes)
        self.largest = max(path.stat().st_size for path in whole.rglob("*.*"))
        self.outcome = Outcome(stage.name)

    def _run(self, arguments: list[str], store: Path) -> None:
        if code := ended(start(arguments, store, self.log)):
            sys.exit(f"{arguments} ended with {code}:\n{self.log.read_text()}")

    def fresh(self) -> Path:
        shutil.rmtree(self.store, ignore_errors=True)
        return Path(shutil.copytree(self.template, self.store))

    def follow(self, what: str, code: int, expected_codes: set[int]) -> bool:
        """Look at the store after a run that did not end well, run again, and compare; False if it had ended well."""
        if code == 0:
            return False
        outcome, before = self.outcome, len(self.outcome.failures)
        outcome.kills += 1
        log = self.log.read_text()
        if code not in expected_codes:
            outcome.failures.append(f"ended with {code}")
        if found := damage(self.store):
            outcome.damaged += len(found)
            outcome.failures.append(f"damaged: {found}")
        again = list(self.stage.command)
        if again[0] == "train" and list(self.store.glob(".unfinished/*/checkpoint.pt")):
            again.append("--resume")
            outcome.resumed += 1
        outcome.next_runs += 1
        if code := ended(start(again, self.store, self.log)):
            outcome.failures.append(f"the next run ended with {code}")
        elif found := damage(self.store):
            outcome.failures.append(f"damaged after the next run: {found}")
        else:
            outcome.succeeded += 1
            outcome.identical += digests(self.store, self.stage.makes) == self.expected
        left = [*self.store.glob(".staging/*"), *self.store.glob(".unfinished/*")]
        outcome.leftovers += len(left)
        log += self.log.read_text()
        if "Traceback" in log:
            outcome.failures.append(f"a traceback: {log[log.index('Traceback') :]}")
        outcome.failures[before:] = [f"{what}: {failure}" for failure in outcome.failures[before:]]
        return True

    def at_random(self, kills: int, rng: random.Random) -> None:
        while self.outcome.kills < kills:
            seconds, number = rng.uniform(0, self.seconds), rng.choice(SIGNALS)
            code = kill_after(seconds, number, start(self.stage.command, self.fresh(), self.log))
            expected = {-number, 128 + number}  # The former also where Python had not taken the signal over yet.
            self.follow(f"{number.name} after {seconds:.3f} s", code, expected)

    def at_operations(self, kills: int, rng: random.Random) -> None:
        def kill(number: int) -> None:
            if number == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

        for wanted in sorted(rng.sample(range(1, self._changes() + 1), kills)):
            fresh = self.fresh()
            code = ended(start(self.stage.command, fresh, self.log, before=at_changes(fresh, kill)))
            self.follow(f"SIGKILL before change {wanted}", code, {-signal.SIGKILL})

    def _changes(self) -> int:
        """Return how often a whole run changes the store."""
        counted, fresh = self.folder / "changes", self.fresh()
        counted.touch()

        def count(number: int) -> None:
            counted.write_text(str(number))

        ended(start(self.stage.command, fresh, self.log, before=at_changes(fresh, count)))
        return int(counted.read_text())

    def on_a_full_disk(self, kills: int, rng: random.Random) -> None:
        for _ in range(kills):
            size = int(max(SMALLEST_LIMIT, self.largest ** rng.uniform(0.3, 1)))
            code = ended(start(self.stage.command, self.fresh(), self.log, before=limit_files(size)))
            self.follow(f"files limited to {size} bytes", code, {6})


def table(outcomes: list[Outcome]) -> Iterator[str]:
    names = [name for name in asdict(Outcome("")) if name != "failures"]
    total = Outcome("total")
    for name in names[1:]:
        setattr(total, name, sum(getattr(outcome, name) for outcome in outcomes))
    yield "| " + " | ".join(name.replace("_", " ") for name in names) + " |"
    yield "|---" * len(names) + "|"
    for outcome in [*outcomes, total]:
        yield "| " + " | ".join(str(getattr(outcome, name)) for name in names) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="in all, shared among the stages; default: 200")
    parser.add_argument(
        "--at",
        choices=["random", "operations", "full-disk"],
        default="random",
        help="kill at random moments, or right before a change of the store; or limit the size of files instead, "
        "where runs that fit end well and are not counted; default: random",
    )
    parser.add_argument("--stage", action="append", help="only stages with this in their names")
    parser.add_argument("--source", default="auto", help="as for `omnishot prepare`")
    parser.add_argument("--small", action="store_true", help="few pairs, few steps")
    parser.add_argument("--seed", type=int, default=0, help="of moments and signals; default: 0")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    chosen = stages(arguments.source, small=arguments.small)
    if arguments.stage:
        chosen = [stage for stage in chosen if any(part in stage.name for part in arguments.stage)]
    rng, outcomes = random.Random(arguments.seed), []
    gc.collect()
    gc.freeze()  # A collection in a forked process would copy what it looks at.
    for i, stage in enumerate(chosen):
        kills = arguments.kills * (i + 1) // len(chosen) - arguments.kills * i // len(chosen)
        with tempfile.TemporaryDirectory(prefix="crash-") as folder:
            crashes = Crashes(stage, Path(folder))
            print(f"{stage.name}: {crashes.seconds:.1f} s when left alone", file=sys.stderr, flush=True)
            if arguments.at == "random":
                crashes.at_random(kills, rng)
            elif arguments.at == "operations":
                crashes.at_operations(kills, rng)
            else:
                crashes.on_a_full_disk(kills, rng)
        outcomes.append(crashes.outcome)
        print(*crashes.outcome.failures, sep="\n", end="\n", file=sys.stderr, flush=True)
    print(json.dumps([asdict(outcome) for outcome in outcomes]) if arguments.json else "\n".join(table(outcomes)))
    sys.exit(any(outcome.failures for outcome in outcomes))


if __name__ == "__main__":
    main()
