"""What all benches share: rows that appear as they are known, processes with their cost, facts of the machine.

A row is a line of a Markdown table, aligned, or with `--json` one JSON object a line with the values as they were
measured: seconds, bytes and counts, never rounded. Linux only, like the other benches.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from omnishot.machine import cores, processor

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]

_NARROWEST = 8
_TAIL = 2000

# A process counts as peak memory what its parent had when it was started; a bench with torch in it has half a gigabyte.
# So a small process stands between the two. The figures below its own 10 MB mean nothing.
_LAUNCHER = """
import json, os, signal, sys, time
report = int(sys.argv[1])
os.set_inheritable(report, False)
began = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
_, status, usage = os.wait4(pid, 0)
cost = {
    "seconds": time.perf_counter() - began,
    "cpu_seconds": usage.ru_utime + usage.ru_stime,
    "peak_bytes": 1024 * usage.ru_maxrss,
    "exit_status": os.waitstatus_to_exitcode(status),
}
os.write(report, json.dumps(cost).encode())
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: What the value is called in a row, and in JSON.
        show: Turns a value into what the table says.
        title: Heading; by default the name with spaces.
        width: Letters at least.
        is_text: Aligns to the left.
    """

    name: str
    show: Callable[[Any], str] = str
    title: str = ""
    width: int = _NARROWEST
    is_text: bool = False

    @property
    def heading(self) -> str:
        """What stands above the column."""
        return self.title or self.name.replace("_", " ")

    def text(self, value: object) -> str:
        """Return what the table says of a value; nothing of None."""
        return "" if value is None else self.show(value).replace("|", "\\|")

    def cell(self, text: str) -> str:
        """Return a text at the width of the column."""
        width = max(self.width, len(self.heading))
        return f"{text:{'<' if self.is_text else '>'}{width}}"

    @property
    def rule(self) -> str:
        """What stands between heading and cells."""
        return self.cell("").replace(" ", "-") + ("-" if self.is_text else ":")


class Rows:
    """Prints rows to stdout, each as soon as it is known."""

    def __init__(self, columns: Sequence[Column], *, as_json: bool) -> None:
        """Choose what the rows hold and how they look."""
        self._columns, self._as_json, self._has_heading = columns, as_json, False

    def facts(self, **facts: Mapping[str, Any]) -> None:
        """Print what holds for all rows, before the first: in JSON an object with the name of each group."""
        if self._as_json:
            print(json.dumps(facts), flush=True)
            return
        for name, group in facts.items():
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in group.items()), end="\n\n", flush=True)

    def row(self, **values: Any) -> None:
        """Print one row.

        Args:
            values: A value for each column; None where there is none.

        Raises:
            ValueError: The values are not those of the columns.
        """
        if missing := {column.name for column in self._columns} ^ values.keys():
            raise ValueError(f"a row and its columns differ in {', '.join(sorted(missing))}")
        if self._as_json:
            print(json.dumps({column.name: values[column.name] for column in self._columns}), flush=True)
            return
        if not self._has_heading:
            self._print([column.cell(column.heading) for column in self._columns])
            print("|-" + "|-".join(column.rule for column in self._columns) + "|")
            self._has_heading = True
        self._print([column.cell(column.text(values[column.name])) for column in self._columns])

    def _print(self, cells: list[str]) -> None:
        print("| " + " | ".join(cells) + " |", flush=True)


def count(number: int) -> str:
    """Return 1350000 as 1,350,000."""
    return f"{number:,}"


def figures(number: float) -> str:
    """Return a number with three figures or, if it is large, all before the point: 0.0123, 1.23, 12.3, 12,345."""
    digits = next((digits for digits, limit in ((0, 100), (1, 10), (2, 1), (3, 0.1)) if abs(number) >= limit), 4)
    return f"{number:,.{digits}f}"


def megabytes(size: float) -> str:
    """Return bytes as millions of them."""
    return f"{figures(size / 1e6)} MB"


class CommandError(RuntimeError):
    """A command that was to be measured failed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command cost and said.

    Attributes:
        seconds: From its start to its end.
        cpu_seconds: Of all cores, with the processes it waited for.
        peak_bytes: Most resident memory; where it has waited for others, of the largest process, not of all together.
        exit_status: Exit code, or the signal as a negative number.
        stdout: What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    exit_status: int
    stdout: str


def run_measured(
    command: Sequence[str | Path], env: Mapping[str, str] | None = None, *, check: bool = True
) -> Measured:
    """Run a command as a process of its own.

    Args:
        command: Program and arguments.
        env: Its environment; by default that of this process.
        check: Refuse a command that fails.

    Raises:
        CommandError: It could not be started or, with `check`, failed; the message ends with what it last said.
    """
    receiving, sending = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(sending), *map(str, command)]
    with os.fdopen(receiving) as on_progress:
        try:
            process = subprocess.Popen(
                launcher,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                env=env,
                pass_fds=[sending],
                start_new_session=True,
            )
        finally:
            os.close(sending)
        stdout, stderr = _until_it_ends(process)
        text = on_progress.read()
    if not text or (check and json.loads(text)["exit_status"] != 0):
        what = f"ended with {json.loads(text)['exit_status']}" if text else "could not be started"
        raise CommandError(f"{' '.join(map(str, command))} {what}:\n{stderr[-_TAIL:]}")
    return Measured(**json.loads(text), stdout=stdout)


def _until_it_ends(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Return stdout and stderr; if this one is interrupted, the command ends with its launcher."""
    try:
        return process.communicate()
    except BaseException:
        os.killpg(process.pid, 9)
        process.wait()
        raise


@dataclass(frozen=True, slots=True)
class Timing(Generic[T]):
    """How long calls took.

    Attributes:
        least: Seconds of the fastest.
        median: Seconds of the one in the middle.
        result: What the last one returned.
    """

    least: float
    median: float
    result: T


def timed(call: Callable[[], T], *, repeats: int) -> Timing[T]:
    """Call something again and again, once at least."""
    seconds = []
    for _ in range(max(1, repeats)):
        began = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - began)
    return Timing(min(seconds), statistics.median(seconds), result)


def machine(device: str = "cpu") -> dict[str, Any]:
    """Return where, and of which code, a measurement is.

    Args:
        device: `cpu` or `cuda`; torch is imported for the latter only.
    """
    commit = _git("rev-parse", "HEAD")
    return {
        "processor": processor(),
        "cores": cores(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "device": _device_name(device),
        "torch": importlib.metadata.version("torch"),
        "python": platform.python_version(),
        "commit": commit,
        "dirty": None if commit is None else _is_dirty(),
    }


def _device_name(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch  # Deferred: it takes seconds.

    return str(torch.cuda.get_device_name(device))


def _git(*arguments: str) -> str | None:
    """Return what git says of the repository, or None where there is neither."""
    command = ["git", "-C", str(REPOSITORY), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _is_dirty() -> bool:
    """Tell whether what runs is not what was committed: files were changed, or an older copy is installed."""
    return _git("status", "--porcelain", "--", "omnishot", "tests/bench") != "" or not _runs_the_tree()


def _runs_the_tree() -> bool:
    found = importlib.util.find_spec("omnishot")
    if found is None or found.origin is None:
        return False
    tree, package = (_contents(folder) for folder in (REPOSITORY / "omnishot", Path(found.origin).parent))
    return tree == package


def _contents(package: Path) -> dict[Path, bytes]:
    return {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}
