"""Mix every command in many processes on one store, kill and stop some, and verify what is left.

    OMP_NUM_THREADS=1 python tests/bench/crowd.py --minutes 20 --processes 8

Which commands a process runs, and which of them it disturbs, is decided by the seed; what that meets is decided by the
machine. Afterwards nothing of it may be alive, every stage has to succeed, and `verifying.py`, which knows nothing of
omnishot, reads the store; `check` has to say of the same parents that they are gone.

Columns: runs; those that ended well, that did not find what they need, and that were ended or stopped for a moment;
then what must not be: tracebacks, hangs, and wrong endings, such as damage that is reported though nothing damages.
"""

import argparse
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))  # For `tests.…`.

from blots import draw_blots
from crash import ended
from crowd_mix import WEIGHTS, commands
from verifying import determined, read_sealed, verify

import omnishot.cli.app
from tests.fork_server import freeze, import_everything

LONGEST_SECONDS = 180
"""A command that takes longer hangs, whatever it waits for."""

DISTURBANCES = [signal.SIGKILL] * 4 + [signal.SIGTERM] * 2 + [signal.SIGINT, signal.SIGSTOP, signal.SIGSTOP]
ABSENT = re.compile(
    r"There (is|are) (no|nothing) |was removed by another process|no longer in the store|is not noted"
    r"|no network was measured|is a search with other pairs"
)
"""What is said where something that a command needs is not there, or not any more."""

COUNTS = ("runs", "done", "absent", "ended or stopped", "traceback", "hang", "wrong")


class Process:
    """One of the crowd: runs a command after the other in forks, and notes how each ended."""

    def __init__(self, number: int, asked: argparse.Namespace, folder: Path) -> None:
        self.rng = random.Random(f"{asked.seed}/{number}")
        self.folder, self.number = folder, number
        self.mix = commands(str(folder / "pictures"), str(folder / f"drawn-{number}"))

    def work(self, until: float) -> None:
        """Run commands until a time of the monotonic clock, and write what came of them."""
        names = [name for name in self.mix for _ in range(WEIGHTS.get(name, 1))]
        with (self.folder / f"records-{self.number}.jsonl").open("w", encoding="utf-8") as records:
            while time.monotonic() < until:
                record = self.run(self._filled(self.rng.choice(self.mix[self.rng.choice(names)])), disturbed=True)
                print(json.dumps(record), file=records, flush=True)

    def _filled(self, command: list[str]) -> list[str]:
        kinds = [path.name for path in sorted((self.folder / "artifacts").glob("[!.]*"))] or ["images"]
        kind = self.rng.choice(kinds)
        there = [path.name for path in sorted((self.folder / "artifacts" / kind).glob("[!.]*"))] or ["none"]
        drawn = {"kind": kind, "newest": self.rng.choice(there), "pairs": self.rng.choice(["20", "40"])}
        drawn |= {name: self.rng.choice("01") for name in ("affine", "seed", "name")}
        return [word.format_map(drawn) if "{" in word else word for word in command]

    def run(self, command: list[str], *, disturbed: bool) -> dict[str, Any]:
        """Run a command, perhaps ending or stopping it, and return how it ended."""
        out, err = self.folder / f"out-{self.number}", self.folder / f"err-{self.number}"
        sent = self.rng.choice(DISTURBANCES) if disturbed and self.rng.random() < 0.3 else None
        delay, began = self.rng.uniform(0, 1.5), time.monotonic()
        pid = started([*command, "--store", str(self.folder / "artifacts")], out, err)
        code, hung = awaited(pid, sent, delay)
        said = err.read_text("utf-8", "replace")
        record = {"command": command, "code": code, "sent": sent and sent.name, "seconds": time.monotonic() - began}
        record["outcome"] = "hang" if hung else outcome_of(command[0], code, sent, said)
        if record["outcome"] in {"traceback", "wrong", "hang"}:
            record["said"] = said[-3000:]
        if code == 0 and "--json" in command and command[0] in {"prepare", "train", "eval"}:
            record |= self._made(json.loads(out.read_text("utf-8"))["artifact"])
        return record

    def _made(self, reference: str) -> dict[str, Any]:
        """Return what a reference that was printed stands for; nothing where another process has removed it."""
        kind, _, rest = reference.partition("/")
        try:
            manifest = read_sealed(self.folder / "artifacts" / kind / rest.replace(":", "/"))
        except FileNotFoundError:
            return {}
        models = [parent["reference"] for parent in manifest["parents"] if parent["reference"].startswith("models/")]
        key = " ".join([manifest["recipe"], *models])
        return {"reference": reference, "content": manifest["content"], "recipe": key, "files": determined(manifest)}


def started(arguments: list[str], out: Path, err: Path) -> int:
    """Run a command line in a forked process; return its process number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for number, path in ((0, Path(os.devnull)), (1, out), (2, err)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), number)
        sys.argv = ["omnishot", *arguments]
        omnishot.cli.main()
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 1
    except KeyboardInterrupt:  # Before the command line took over.
        code = 128 + signal.SIGINT
    except BaseException as error:
        os.write(2, f"Traceback: {error!r}".encode())
    finally:
        sys.stdout.flush()
        os._exit(code)


def awaited(pid: int, sent: signal.Signals | None, delay: float) -> tuple[int, bool]:
    """Wait for a process, sending it a signal after some seconds; return its exit code, and whether it hung."""
    began = time.monotonic()
    while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        seconds = time.monotonic() - began
        if seconds > LONGEST_SECONDS:
            os.kill(pid, signal.SIGKILL)
            return ended(pid), True
        if sent and seconds > delay:
            os.kill(pid, sent)
            if sent == signal.SIGSTOP:
                time.sleep(delay)
                os.kill(pid, signal.SIGCONT)
            sent = None
        time.sleep(0.01)
    return ended(pid), False


def outcome_of(name: str, code: int, sent: signal.Signals | None, said: str) -> str:
    """Return which column a run belongs to."""
    if "Traceback" in said or code == 1:
        return "traceback"
    if sent and code in {-sent, 128 + sent}:
        return "ended or stopped"
    if code in {2, 4} and ABSENT.search(said) and "damaged" not in said:
        return "absent"
    if "damaged" in said or not (code == 0 or (code == 3 and name == "report")):
        return "wrong"
    return "ended or stopped" if sent == signal.SIGSTOP else "done"


def aftermath(folder: Path, records: list[dict[str, Any]], sessions: list[int]) -> Iterator[str]:
    """Yield what is wrong when the crowd has gone."""
    yield from (f"a process of session {session} is still alive" for session in sessions if _lives(session))
    last, store = Process(-1, argparse.Namespace(seed=0), folder), folder / "artifacts"
    for name in ("prepare", "train", "eval", "gc"):
        record = last.run(
            [word.format(pairs=20, affine=0, seed=0, name=0) for word in last.mix[name][0]], disturbed=False
        )
        if record["code"]:
            yield f"afterwards {name} ended with {record['code']}: {record.get('said')}"
    if last.run(["check", "--all"], disturbed=False)["code"]:
        yield f"afterwards check finds: {(folder / 'out--1').read_text('utf-8')}"
    said = set(re.findall(r"(\S+) was made from (\S+), which is no longer", (folder / "err--1").read_text("utf-8")))
    found = verify(store)
    yield from found.problems
    yield from (f"{child} lacks {parent}, and check does not say so" for child, parent in found.missing - said)
    yield from (f"check says that {child} lacks {parent}, which is there" for child, parent in said - found.missing)
    yield from (f"{path} was left behind" for path in sorted(store.glob(".staging/*")))
    yield from _contradictions(records)


def _contradictions(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield references that stood for two contents, and recipes that gave two, over all the time."""
    by_reference: dict[str, str] = {}
    by_recipe: dict[str, dict[str, str]] = {}
    for record in records:
        if "reference" in record:
            if by_reference.setdefault(record["reference"], record["content"]) != record["content"]:
                yield f"{record['reference']} was two artifacts"
            if by_recipe.setdefault(record["recipe"], record["files"]) != record["files"]:
                yield f"{record['reference']} has other files than what was made of its recipe before"


def _lives(session: int) -> bool:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[3]) == session and after_name[0] != "Z":
            return True
    return False


def crowd(asked: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Let a crowd loose on a new store; return a record per command, and what is wrong afterwards."""
    draw_blots(folder / "pictures")
    freeze()
    until, sessions = time.monotonic() + 60 * asked.minutes, []
    for number in range(asked.processes):
        pid = os.fork()
        if not pid:
            try:
                os.setsid()
                Process(number, asked, folder).work(until)
                os._exit(0)
            finally:
                os._exit(1)
        sessions.append(pid)
    problems = [f"process {pid} of the crowd died" for pid in sessions if ended(pid)]
    lines = [path.read_text("utf-8").splitlines() for path in sorted(folder.glob("records-*.jsonl"))]
    records = [json.loads(line) for part in lines for line in part]
    problems += aftermath(folder, records, sessions)
    bad = [record for record in records if record["outcome"] in {"traceback", "hang", "wrong"}]
    problems += [f"{record['outcome']}: {' '.join(record['command'])}: {record.get('said')}" for record in bad]
    return records, problems


def table(records: list[dict[str, Any]]) -> Iterator[str]:
    yield "| command | " + " | ".join(COUNTS) + " | slowest s |"
    yield "|---" * (len(COUNTS) + 2) + "|"
    for name in [*sorted({record["command"][0] for record in records}), "all"]:
        chosen = [record for record in records if name in {"all", record["command"][0]}]
        counted = Counter(record["outcome"] for record in chosen) | Counter(runs=len(chosen))
        slowest = max((record["seconds"] for record in chosen), default=0)
        yield f"| {name} | " + " | ".join(str(counted[column]) for column in COUNTS) + f" | {slowest:.1f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="default: 20")
    parser.add_argument("--processes", type=int, default=8, help="default: 8")
    parser.add_argument("--seed", type=int, default=0, help="of the commands and what disturbs them; default: 0")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for the store, which stays")
    asked = parser.parse_args()
    import_everything()
    with tempfile.TemporaryDirectory(prefix="crowd-") as name:
        folder = asked.keep or Path(name)
        records, problems = crowd(asked, folder)
        n_artifacts = len(verify(folder / "artifacts").contents)
    if asked.json:
        print(json.dumps({"records": records, "artifacts": n_artifacts, "problems": problems}))
    else:
        print(
            *table(records),
            f"{n_artifacts} artifacts were left; {len(problems)} things are wrong.",
            *problems,
            sep="\n",
        )
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
