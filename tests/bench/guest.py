"""Give omnishot artifacts that somebody made to harm it, with right digests: nothing may come of it but one sentence.

    python tests/bench/guest.py --guests 1000 [--seed 0] [--json]
    python tests/bench/guest.py --only models --case 17        # One guest again, with what the command printed.

A guest is decided by seed, sort and number alone. Each is put into a copy of a small store, and one command that reads
it is run there in a process of its own. Columns: guests, and how their commands ended: done (0), refused (2 to 6, one
sentence); all others are findings: a traceback, a native crash, something outside the store that was written, more than
1 GB, more than 20 seconds of a processor or 180 in all.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))  # For `tests.…`.

from guests import leftovers
from guests.artifacts import CHANGES
from guests.sealing import seal

from tests.fork_server import import_everything

GOLDEN = Path(__file__).parents[1] / "golden" / "v2"
MOST_KB = 1_000_000
CPU_SECONDS = 20
SECONDS = 180
SORTS = (*CHANGES, "states", "leftovers")
PLACES = {
    "images": "golden",
    "pairs": "golden-20-affine1",
    "models": "golden",
    "evals": "golden-lake",
    "galleries": "golden",
}
_SMALL = (
    "twin=conv4 precision=fp32 epochs=2 objective.batches_per_epoch=2 objective.classes_per_batch=2 "
    "validation_trials=0 optimizer.kind=adam"
)
TRAIN = ["train", "--preset", "quick", "--device", "cpu", "--name", "new"]
TRAIN += [word for change in _SMALL.split(" ") for word in ("--set", change)]
_EVERYWHERE = ("ls", "show {}", "show {} --json", "check --all", "gc --keep 1 --dry-run", "diff {} {}", "check {}",
               "check --from-elsewhere STORE", "check --from-elsewhere STORE")  # fmt: skip
COMMANDS: dict[str, tuple[str, ...]] = {
    "images": ("check images/golden", "report --out OUT.html", "eval --protocol within --trials 20"),
    "pairs": ("TRAIN", "figure pairs --out OUT.svg", "eval --protocol within --trials 20",
              "eval --protocol verification", "figure embedding --out OUT.png", "report --out OUT.html"),
    "models": ("eval --protocol within --trials 20", "eval --protocol verification", "figure filters --out OUT.svg",
               "figure activations --out OUT.svg", "figure curves --out OUT.svg", "figure embedding --out OUT.svg",
               "report --out OUT.html", "TRAIN --init-from models/golden"),
    "evals": ("report", "report --out OUT.html", "report --out OUT.tsv", "report --out OUT.md", "report --json",
              "figure trials --out OUT.svg", "report --fail-under 2-way=0.5"),
    "galleries": ("gallery ls", "gallery show golden", "gallery show golden --json", "gallery remove golden alpha",
                  "enroll golden --again --model models/golden", "eval --gallery golden --queries STORE"),
    "states": ("TRAIN", "TRAIN --resume", "TRAIN --resume"),
    "leftovers": ("TRAIN", "eval --protocol within --trials 20", "gc --keep 1", "ls", "gc --keep 1 --unfinished"),
}  # fmt: skip


def main() -> int:
    """Run the guests and print the table; 1 if there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guests", type=int, default=1000, help="in all; default: 1000")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--only", choices=SORTS, help="one sort of guests")
    parser.add_argument("--case", type=int, help="one guest of that sort, and show what its command printed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    os.environ |= {"OMNISHOT_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    import_everything()
    with tempfile.TemporaryDirectory(prefix="omnishot-guest-") as name:
        base = Path(name)
        _make_state(base / "interrupted")
        if asked.case is not None:
            print(json.dumps(_outcome(asked.only or SORTS[0], asked.seed, asked.case, base, shows=True), indent=1))
            return 0
        chosen = [sort for sort in SORTS if asked.only in {None, sort}]
        tallies = {sort: _run(sort, asked.seed, -(-asked.guests // len(chosen)), base) for sort in chosen}
    _print(tallies, as_json=asked.json)
    return 1 if any(tally["findings"] for tally in tallies.values()) else 0


def _run(sort: str, seed: int, n_guests: int, base: Path) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    findings, slowest, largest = [], 0.0, 0.0
    for case in range(n_guests):
        found = _outcome(sort, seed, case, base)
        counts[found["outcome"]] += 1
        slowest, largest = max(slowest, found["cpu s"]), max(largest, found["MB"])
        if found["outcome"] not in {"done", "refused"}:
            findings.append(
                f"{found['outcome']}: {found['command']} (--seed {seed} --only {sort} --case {case}): {found['said']}"
            )
            print(findings[-1], file=sys.stderr, flush=True)
    return {"counts": counts, "findings": findings, "slowest": slowest, "largest": largest}


def _outcome(sort: str, seed: int, case: int, base: Path, *, shows: bool = False) -> dict[str, Any]:
    rng = random.Random(f"{seed}/{sort}/{case}")
    work = base / "work"
    shutil.rmtree(work, ignore_errors=True)
    for name in ("outside/folder", "home", "here", "out"):
        (work / name).mkdir(parents=True)
    (work / "outside" / "victim").write_text("precious")
    store = work / "store"
    command = _guest(sort, store, rng)
    before = _seen(work)
    result = _spawn(
        [word.replace("OUT", str(work / "out" / "x")).replace("STORE", str(store)) for word in command], work
    )
    said = result.pop("said")
    changed = sorted(set(before) ^ set(_seen(work)))
    outcome = _judged(result, said, changed=bool(changed))
    if outcome == "outside":
        said = f"{changed[0]}"
    if shows:
        print(said)
    return {"outcome": outcome, "command": " ".join(command)[:200], "said": said[-300:], **result}


def _guest(sort: str, store: Path, rng: random.Random) -> list[str]:
    """Make a store with a guest in it; return the command that reads it."""
    source = store.parents[1] / "interrupted" if sort == "states" else GOLDEN
    shutil.copytree(source, store)
    command = rng.choice(COMMANDS[sort])
    if sort == "states":
        (path,) = store.glob(".unfinished/*/checkpoint.pt")
        leftovers.spoil_state(path, rng)
    elif sort == "leftovers":
        rng.choice(leftovers.LEFT)(store, store.parent / "outside")
    else:
        folder = store / sort / PLACES[sort] / "v1"
        rng.choice(CHANGES[sort])(folder, rng)
        if rng.random() < 0.5:
            command = rng.choice(_EVERYWHERE)
        command = command.replace("{}", f"{sort}/{PLACES[sort]}:v1")
    words = command.split()
    return [*TRAIN, *words[1:]] if words[0] == "TRAIN" else words


def _seen(work: Path) -> list[tuple[str, int, int]]:
    """Return what lies outside the store and the folder for results: names, sizes, times of change."""
    found = []
    for place in ("outside", "home", "here"):
        for path in sorted((work / place).rglob("*")):
            status = path.lstat()
            found.append(
                (str(path), status.st_size if path.is_file() else 0, status.st_mtime_ns if path.is_file() else 0)
            )
    return found


def _spawn(command: list[str], work: Path) -> dict[str, Any]:
    """Run a command in a fork of this process, within limits."""
    output = work / "out" / "said"
    pid = os.fork()
    if not pid:
        _become(["omnishot", *command, *(["--store", str(work / "store")])], work, output)
    deadline = time.monotonic() + SECONDS
    peak, is_late = 0, False
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _peak_kb(pid))
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            is_late = True
        time.sleep(0.02)
    cpu = usage.ru_utime + usage.ru_stime
    said = output.read_bytes().decode("utf-8", "replace")
    return {"code": os.waitstatus_to_exitcode(status), "cpu s": round(cpu, 2), "late": is_late,
            "MB": round(max(peak, usage.ru_maxrss) / 1000), "said": said}  # fmt: skip


def _peak_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _become(arguments: list[str], work: Path, output: Path) -> None:
    """Be the command from here on; never returns."""
    code = 99
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.environ["HOME"] = str(work / "home")
        os.chdir(work / "here")
        sys.argv = arguments
        from omnishot.cli import main as command

        command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _judged(result: dict[str, Any], said: str, *, changed: bool) -> str:
    if result["late"] or result["code"] in {-signal.SIGXCPU, -signal.SIGKILL}:
        return "hang"
    if result["code"] < 0:
        return "crash"
    if changed:
        return "outside"
    if result["MB"] * 1000 > MOST_KB:
        return "memory"
    if "Traceback" in said or result["code"] not in {0, 2, 3, 4, 5, 6}:
        return "traceback"
    return "refused" if result["code"] else "done"


def _make_state(store: Path) -> None:
    """Leave a store with the state of an interrupted training in it."""
    work = store.parent
    shutil.copytree(GOLDEN, store)
    for folder in store.glob("*/*/v1"):
        seal(folder)
    (work / "home").mkdir()
    (work / "here").mkdir()
    (work / "out").mkdir()
    pid = os.fork()
    if not pid:
        from omnishot.training.loop import Trainer

        steps, original = [0], Trainer._step

        def step(trainer: Trainer) -> None:
            original(trainer)
            steps[0] += 1
            if steps[0] == 3:
                os.kill(os.getpid(), signal.SIGTERM)

        Trainer._step = step  # type: ignore[method-assign, assignment]
        _become(["omnishot", *TRAIN, "--store", str(store)], work, work / "out" / "said")
    os.waitpid(pid, 0)
    if not list(store.glob(".unfinished/*/checkpoint.pt")):
        raise RuntimeError((work / "out" / "said").read_text("utf-8"))


def _print(tallies: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    columns = ("done", "refused", "traceback", "crash", "outside", "memory", "hang")
    rows = [
        {"guests of": sort, "guests": tally["counts"].total(), **{name: tally["counts"][name] for name in columns},
         "slowest s": round(tally["slowest"], 1), "peak MB": round(tally["largest"])}
        for sort, tally in tallies.items()
    ]  # fmt: skip
    total: dict[str, Any] = {"guests of": "all"}
    for name in list(rows[0])[1:]:
        values = [row[name] for row in rows]
        total[name] = max(values) if name in {"slowest s", "peak MB"} else sum(values)
    if as_json:
        findings = [finding for tally in tallies.values() for finding in tally["findings"]]
        print(json.dumps({"guests": rows, "all": total, "findings": findings}, indent=1))
        return
    for row in [dict.fromkeys(total), *rows, total]:
        cells = [str(name if value is None else value) for name, value in row.items()]
        print(f"{cells[0]:10}" + "".join(f"{cell:>11}" for cell in cells[1:]))


if __name__ == "__main__":
    sys.exit(main())
