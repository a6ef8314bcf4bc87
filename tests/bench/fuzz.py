"""Feed damaged and hostile files to every reader: each must be read or refused, in bounded time and memory.

    python tests/bench/fuzz.py --inputs 10000 [--seed 0] [--json]
    python tests/bench/fuzz.py --only images.h5 --case 17        # One input again, with its traceback.

An input is decided by seed, reader and number alone. Readers run in processes of their own, so that a crash is counted
and the run goes on. Published files are checked against their SHA-256 before they are opened: random damage never gets
as far as here, only files that somebody published on purpose do.

Columns: inputs; those that were read, and those that were refused with one sentence. All others are findings: another
exception, a message that is too long or not on one line, a dead process, more than ten seconds, a file outside the
folder that was opened, too much memory.
"""

import argparse
import contextlib
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzzing.hostile_hdf5 import write_canaries
from fuzzing.readers import READERS, Escaped, Reader

from omnishot.errors import OmnishotError, is_one_line

SECONDS = 10
"""An input that takes longer hangs."""

EXTRA_BYTES = 4 << 30
"""Address space of a worker beyond what it has when it starts."""

MOST_GROWTH_MB = 700
"""More memory than this for an input of a megabyte at most is a finding; a bomb of 64 MB may be read."""

_LONGEST_MESSAGE = 1000
_IN_OPEN = 0x20
_ADDRESSES = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")


@dataclass
class Tally:
    """What came of one reader's inputs."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0
    growth_mb: float = 0
    findings: list[str] = field(default_factory=list)


def main() -> int:
    """Run the fuzz and print its table; 1 if there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000, help="in all; default: 10000")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--only", choices=[reader.name for reader in READERS], help="feed one reader")
    parser.add_argument("--case", type=int, help="feed that reader one input, and show its traceback")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omnishot-fuzz-") as name:
        folder = Path(name)
        (folder / "outside").mkdir()
        write_canaries(folder / "outside")
        chosen = [reader for reader in READERS if asked.only in {None, reader.name}]
        if asked.case is not None:
            _watch(folder)
            print(json.dumps(_outcome(chosen[0], asked.seed, asked.case, folder, shows_traceback=True), indent=1))
            return 0
        shares = sum(reader.share for reader in chosen)
        tallies = {
            reader.name: _run(reader, asked.seed, max(1, -(-asked.inputs * reader.share // shares)), folder)
            for reader in chosen
        }
    _print(tallies, as_json=asked.json)
    return 1 if any(tally.findings for tally in tallies.values()) else 0


def _run(reader: Reader, seed: int, n_cases: int, folder: Path) -> Tally:
    """Feed all inputs of a reader, with a new worker after each one that died."""
    tally, case = Tally(), 0
    while case < n_cases:
        receiving, sending = os.pipe()
        worker = os.fork()
        if not worker:
            os.close(receiving)
            try:
                _work(reader, seed, range(case, n_cases), folder, sending)
            finally:  # Never on to what the parent does, such as removing the folder.
                os._exit(1)
        os.close(sending)
        with os.fdopen(receiving) as lines:
            for line in lines:
                _count(tally, reader, seed, case, json.loads(line))
                case += 1
        _, status = os.waitpid(worker, 0)
        if status:
            hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
            what = f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "ended"
            _count(tally, reader, seed, case, {"outcome": "hang" if hung else "crash", "said": what})
            case += 1
    return tally


def _count(tally: Tally, reader: Reader, seed: int, case: int, result: dict[str, Any]) -> None:
    tally.counts[result["outcome"]] += 1
    tally.slowest_ms = max(tally.slowest_ms, result.get("ms", 0))
    tally.growth_mb = max(tally.growth_mb, result.get("growth_mb", 0))
    if result["outcome"] not in {"read", "refused"}:
        again = f"--seed {seed} --only {reader.name} --case {case}"
        tally.findings.append(f"{reader.name} {result['outcome']}: {result['said']} ({again})")


def _work(reader: Reader, seed: int, cases: range, folder: Path, sending: int) -> None:
    """Feed inputs until the end, or death; never returns."""
    _limit_memory()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # Ends the process even where it is stuck outside Python.
    _watch(folder)
    # Libraries complain to stderr about damaged files; the table would drown in it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with os.fdopen(sending, "w") as lines:
        for case in cases:
            result = _outcome(reader, seed, case, folder)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    os._exit(0)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + EXTRA_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


_watched: dict[str, Any] = {"reading": False}


def _watch(folder: Path) -> None:
    """Have everything that is opened, started or called outside the folder recorded while a reader runs."""
    code = tuple(
        {sysconfig.get_path("stdlib"), sys.prefix, sys.base_prefix, str(Path.cwd() / "omnishot"), *sys.path[1:]}
    )

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not _watched["reading"] or event not in {"open", *_ADDRESSES}:
            return
        path = arguments[0]
        if event == "open" and not isinstance(path, str | bytes | os.PathLike):
            return
        shown = os.fsdecode(path) if event == "open" else event
        writes = event == "open" and arguments[1] is not None and set(str(arguments[1])) & set("wax+")
        inside = shown.startswith(str(folder)) and not shown.startswith(str(folder / "outside"))
        if not inside and (writes or event != "open" or not shown.startswith((*filter(None, code), "/proc/"))):
            _watched["escape"] = f"{event} {shown}"

    sys.addaudithook(hook)
    # What libraries open by themselves, as libhdf5 does, only the system sees.
    system = ctypes.CDLL(None)
    _watched["inotify"] = system.inotify_init1(os.O_NONBLOCK)
    system.inotify_add_watch(_watched["inotify"], os.fsencode(folder / "outside"), _IN_OPEN)


def _opened_outside() -> bool:
    """Tell whether a file outside was opened since the last call."""
    try:
        return bool("inotify" in _watched and os.read(_watched["inotify"], 1 << 16))
    except BlockingIOError:
        return False


def _outcome(reader: Reader, seed: int, case: int, folder: Path, *, shows_traceback: bool = False) -> dict[str, Any]:
    place = folder / "input"
    signal.alarm(SECONDS)
    _write(reader, f"{seed}/{reader.name}/{case}", place)
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # Peak memory is counted from here.
    before, started = _memory_mb("VmRSS"), time.perf_counter()
    signal.alarm(SECONDS)
    _opened_outside()  # Writing the input may have.
    _watched.update(reading=True, escape="")
    outcome, said = "read", ""
    try:
        reader.read(place)
    except OmnishotError as error:
        outcome, said = "refused", str(error)
        if not is_one_line(said) or not 10 < len(said) < _LONGEST_MESSAGE:
            outcome = "message"
    except Escaped as error:
        outcome, said = "escape", str(error)
    except BaseException as error:  # This is what is looked for.
        outcome, said = "traceback", f"{type(error).__name__}: {str(error)[:200]}"
        if shows_traceback:
            traceback.print_exc()
    _watched["reading"] = False
    signal.alarm(0)
    elapsed, growth = 1000 * (time.perf_counter() - started), _memory_mb("VmHWM") - before
    if _opened_outside() or _watched["escape"]:
        outcome, said = "escape", str(_watched["escape"] or "a file of the folder outside was opened")
    elif growth > MOST_GROWTH_MB and outcome in {"read", "refused"}:
        outcome, said = "memory", f"{growth:.0f} MB"
    return {"outcome": outcome, "said": said, "ms": elapsed, "growth_mb": growth}


def _write(reader: Reader, name: str, place: Path) -> None:
    """Write an input; what h5py or PyYAML refuse to write is drawn again."""
    rng = random.Random(name)
    for _ in range(100):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        with contextlib.suppress(RuntimeError, ValueError, OSError):
            reader.write(place, rng)
            return
    raise RuntimeError(f"no input could be written for {name}")


def _memory_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _print(tallies: dict[str, Tally], *, as_json: bool) -> None:
    columns = ("read", "refused", "traceback", "message", "crash", "hang", "escape", "memory")
    rows = [
        {
            "reader": name,
            "inputs": tally.counts.total(),
            **{column: tally.counts[column] for column in columns},
            "slowest ms": round(tally.slowest_ms),
            "peak MB": round(tally.growth_mb),
        }
        for name, tally in tallies.items()
    ]
    total: dict[str, Any] = {"reader": "all"}
    for name in list(rows[0])[1:]:
        together = [int(str(row[name])) for row in rows]
        total[name] = max(together) if name in {"slowest ms", "peak MB"} else sum(together)
    findings = [finding for tally in tallies.values() for finding in tally.findings]
    if as_json:
        print(json.dumps({"readers": rows, "all": total, "findings": findings}, indent=1))
        return
    for row in [dict.fromkeys(total), *rows, total]:
        cells = [str(name if value is None else value) for name, value in row.items()]
        print(f"{cells[0]:10}" + "".join(f"{cell:>11}" for cell in cells[1:]))
    for finding in findings:
        print(finding)


if __name__ == "__main__":
    sys.exit(main())
