"""Flip one bit of every class of bytes of every file of a store, and run every command that reads the file.

    OMP_NUM_THREADS=1 python tests/bench/flips.py [--runs 3000] [--seed 0] [--processes 2]

Each run gets a copy of one store, made of tiny pictures by every stage, in which one bit is another. The command has to
give what it gives where nothing is damaged, or to end with exit code 4 and the name of what is; commands that list may
go on and name it. A stage that makes again what is damaged has to make the same files. Which bit of a class it is, and
with --runs which of all runs there are, is decided by the seed; commands that take seconds get a share of the flips.
Which files a command reads is what the system says of a run without damage.

Columns: runs; correct ones, those that were refused, and those that went on and named what is damaged; then what must
not be: another output without a word, a traceback, a command that hangs.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))  # For `tests.…`.

from blots import draw_blots
from byte_classes import byte_classes
from flip_commands import Command, commands, making
from opened import opened_below
from verifying import determined, read_sealed

from tests.fork_server import ForkServer

SECONDS = 60
"""A command that takes longer hangs."""

COUNTS = ("runs", "correct", "refused", "named", "silent", "traceback", "hang")
Counted = dict[tuple[str, str, str], Counter[str]]
"""What came of the runs, by file, class of bytes and command."""

OF_EVERY_KIND = "manifest.yaml", ".current"

UNSTEADY = {"seconds", "path", "reused", "artifact", "created", "training_seconds", "peak_memory", "freed_bytes"}
RATES = "per_second"


@dataclass(frozen=True)
class Flip:
    """A bit of a file of the store, and what the byte serves."""

    path: str
    byte_class: str
    place: int
    bit: int


class Bench:
    """A store of its own for one thread, and the process in whose forks its commands run."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.root, self.template, self.server = folder / "artifacts", template, ForkServer()
        self.out = str(folder / "drawn")
        self.environment = {**os.environ, "OMNISHOT_STORE": str(self.root), "OMNISHOT_OFFLINE": "1"}

    def run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return self.server.run(["-m", "omnishot", *arguments], self.environment, timeout=SECONDS)

    def damaged(self, flip: Flip | None) -> None:
        """Make the store a copy of the template but for one bit; whatever is the same is linked."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root, copy_function=os.link, ignore=shutil.ignore_patterns(".locks"))
        for drawn in Path(self.out).parent.glob("drawn.*"):
            drawn.unlink()
        if flip:
            path = self.root / flip.path
            content = bytearray(path.read_bytes())
            content[flip.place] ^= 1 << flip.bit
            path.unlink()
            path.write_bytes(content)

    def seen(self, command: Command) -> tuple[int, str, str]:
        """Run a command; return its exit code, what it gives that a user counts on, and all it says."""
        done = self.run([word.replace("OUT", self.out) for word in command.arguments])
        given = [steady(done.stdout.replace(self.out, "OUT").replace(str(self.root), "STORE"))]
        for drawn in sorted(Path(self.out).parent.glob("drawn.*")):
            content = drawn.read_bytes().replace(str(self.root).encode(), b"STORE")
            given.append(hashlib.sha256(content).hexdigest())
        if command.arguments[0] in {"prepare", "train", "eval"} and done.returncode == 0:
            given.append(json.dumps(self._made(json.loads(done.stdout)["artifact"])))
        return done.returncode, "\n".join(given), done.stdout + done.stderr

    def _made(self, reference: str) -> dict[str, str]:
        kind, _, rest = reference.partition("/")
        folder = self.root / kind / rest.replace(":", "/")
        try:
            names = determined(read_sealed(folder))
        except ValueError as error:
            return {"unreadable": str(error)}
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def steady(text: str) -> str:
    """Return an output without what says how long it took, or which version was made."""
    try:
        return json.dumps(_steady(json.loads(text)))
    except ValueError:
        return text


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in UNSTEADY and RATES not in key}
        return {key: _steady(item) for key, item in kept.items()}
    return [_steady(item) for item in value] if isinstance(value, list) else value


def judged(bench: Bench, command: Command, flip: Flip, expected: tuple[int, str, str]) -> tuple[str, str]:
    """Return which column a run belongs to, and all it said."""
    bench.damaged(flip)
    try:
        code, given, said = bench.seen(command)
    except subprocess.TimeoutExpired:
        return "hang", ""
    if "Traceback" in said or code == 1 or code < 0:
        return "traceback", said
    if (code, given) == expected[:2]:
        return "correct", said
    folder = Path(flip.path).parent
    names = {str(folder), flip.path, f"{folder.parent}:{folder.name}"}
    if any(name in said.replace("\n", "") for name in names):
        if code == 4:
            return "refused", said
        if command.lists and code == expected[0]:
            return "named", said
    return "silent", f"exit code {code}: {said}"


def flips_of(template: Path, rng: random.Random) -> Iterator[Flip]:
    """Yield one flip of each class of bytes of each file."""
    for path in sorted(template.rglob("*")):
        name = path.relative_to(template)
        if path.is_file() and (name.name == ".current" or not str(name).startswith(".")):
            for byte_class, places in byte_classes(path).items():
                place = rng.choice(rng.choices(places, [len(part) for part in places])[0])
                yield Flip(str(name), byte_class, place, rng.randrange(8))


def runs_of(
    template: Path, known: list[Command], reads: Sequence[set[str]], asked: argparse.Namespace
) -> list[tuple[Flip, int]]:
    """Return flips with commands that read their files, shuffled; over again where more are asked for."""
    rng, found = random.Random(asked.seed), []
    while True:
        one_round = [
            (flip, i)
            for flip in flips_of(template, rng)
            for i, command in enumerate(known)
            if flip.path in reads[i] and rng.random() < command.share
        ]
        rng.shuffle(one_round)
        found += one_round
        if asked.runs is None or len(found) >= asked.runs:
            return found[: asked.runs]


def table(counts: Counted, by: str) -> Iterator[str]:
    """Yield the lines of a table with a row per file, or per file and class of bytes, or per file and command."""
    rows: dict[tuple[str, ...], Counter[str]] = {}
    for (file, byte_class, command), counted in sorted(counts.items()):
        row = {"file": (file,), "bytes": (file, byte_class), "command": (file, command)}[by]
        rows.setdefault(row, Counter()).update(counted)
    first = ("file",) if by == "file" else ("file", by)
    yield "| " + " | ".join([*first, *COUNTS]) + " |"
    yield "|---" * (len(first) + len(COUNTS)) + "|"
    for row, counted in [*rows.items(), (("all", "")[: len(first)], sum(rows.values(), Counter()))]:
        yield "| " + " | ".join([*row, *(str(counted[column]) for column in COUNTS)]) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, help="default: one of each flip and command")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--processes", type=int, default=1, help="default: 1")
    parser.add_argument("--by", choices=["file", "bytes", "command"], default="file", help="what has a row of its own")
    parser.add_argument("--only", action="append", default=[], help="only commands with this in their names")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flips-") as name:
        counts, findings = flipped(asked, Path(name))
    names = ("file", "bytes", "command")
    rows = [dict(zip(names, row, strict=True)) | counted for row, counted in sorted(counts.items())]
    lines = [*table(counts, asked.by), *findings]
    print(json.dumps({"rows": rows, "findings": findings}) if asked.json else "\n".join(lines))
    return bool(findings)


def flipped(asked: argparse.Namespace, folder: Path) -> tuple[Counted, list[str]]:
    """Make the store, run everything, and return what came of it, and what must not be."""
    pictures, template = str(draw_blots(folder / "pictures")), folder / "template"
    benches: SimpleQueue[Bench] = SimpleQueue()
    for number in range(asked.processes):
        (folder / f"bench-{number}").mkdir()
        benches.put(Bench(folder / f"bench-{number}", template))
    first = benches.get()
    for made in making(pictures):
        if (done := first.run(made)).returncode:
            sys.exit(f"{made} ended with {done.returncode}: {done.stderr}")
    shutil.rmtree(first.root / ".locks")
    first.root.rename(template)
    before = {path: path.read_bytes() for path in template.rglob("*") if path.is_file()}
    known = commands(pictures, "OUT", sorted(path.name for path in template.glob("[!.]*")))
    known = [command for command in known if not asked.only or any(part in command.name for part in asked.only)]
    expected, reads = zip(*(_expected(first, command) for command in known), strict=True)
    benches.put(first)

    def run(flip: Flip, number: int) -> tuple[str, str]:
        bench = benches.get()
        try:
            return judged(bench, known[number], flip, expected[number])
        finally:
            benches.put(bench)

    runs = runs_of(template, known, reads, asked)
    with ThreadPoolExecutor(asked.processes) as threads:
        outcomes = list(threads.map(lambda item: run(*item), runs))
    while not benches.empty():
        benches.get().server.close()
    findings = [f"{path} was written in place" for path, content in before.items() if path.read_bytes() != content]
    counts: Counted = {}
    for (flip, number), (outcome, said) in zip(runs, outcomes, strict=True):
        kind, file = flip.path.split("/")[0], flip.path.split("/")[-1]
        row = f"{kind}, {file}" if file in OF_EVERY_KIND else file, flip.byte_class, known[number].name
        counts.setdefault(row, Counter()).update([outcome, "runs"])
        if outcome in {"silent", "traceback", "hang"}:
            findings.append(f"{outcome}: {flip}: {known[number].name}: {said[-1500:]}")
    return counts, findings


def _expected(bench: Bench, command: Command) -> tuple[tuple[int, str, str], set[str]]:
    """Return what a command gives where nothing is damaged, the same both times, and which files it opens for it."""
    bench.damaged(None)
    seen = bench.seen(command)
    bench.damaged(None)
    with opened_below(bench.root) as files:
        again = bench.seen(command)
    if seen[:2] != again[:2] or seen[0] not in {0, 3}:
        sys.exit(f"{command.name} gives {seen}, and then {again}")
    return again, files


if __name__ == "__main__":
    sys.exit(main())
