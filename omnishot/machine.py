"""What the operating system says of this machine: processor, cores, memory, and the limits of a container."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
"""Where `proc` and `sys` are."""


def processor() -> str:
    """Return what the processor calls itself; Linux says it in a file, others in what Python knows."""
    named = [line.partition(":")[2].strip() for line in _lines("proc/cpuinfo") if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def cores(root: Path = _ROOT) -> int:
    """Return how many cores this process may use: those it is bound to, and no more than its container's share."""
    return max(1, min([bound_cores(), *(int(share + 0.5) for share in _shares(root))]))


def bound_cores() -> int:
    """Return how many cores this process is bound to."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(root: Path) -> Iterator[float]:
    """Yield the cores' worth of time that each enclosing group allows."""
    for group in _groups(root, "cpu"):
        limits = [
            _words(group / "cpu.max"),
            [*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")],
        ]
        for limit in limits:
            if len(limit) == 2 and limit[0].isdigit() and limit[1].isdigit() and int(limit[1]):
                yield int(limit[0]) / int(limit[1])


def memory(root: Path = _ROOT) -> dict[str, int | None]:
    """Return bytes of memory by name: the machine's `total`, what is `available`, a container's `limit`; or None."""
    facts: dict[str, int | None] = {"total": None, "available": None, "limit": None}
    said = dict(line.partition(":")[::2] for line in _lines("proc/meminfo", root))
    for name, key in {"total": "MemTotal", "available": "MemAvailable"}.items():
        if (words := said.get(key, "").split()) and words[0].isdigit():
            facts[name] = 1024 * int(words[0])
    limits = []
    for group in _groups(root, "memory"):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            allowed, taken = _words(group / limit), _words(group / used)
            # An old kernel writes a number near 2^63 for no limit.
            if allowed and allowed[0].isdigit() and int(allowed[0]) < 1 << 60:
                limits.append(int(allowed[0]))
                if taken and taken[0].isdigit() and facts["available"] is not None:
                    facts["available"] = min(facts["available"], max(0, limits[-1] - int(taken[0])))
    facts["limit"] = min(limits, default=None)
    return facts


def with_home(path: Path) -> Path:
    """Return a path whose first part was `~`, or `~` and a user's name, below that user's home folder.

    Shells do it only where a word begins with it, and not in `--store=~/x`. Where there is no such user it stays.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def peak_memory() -> int | None:
    """Return the most bytes of main memory that this process has held so far, or None where that is not known."""
    # Not getrusage: there a process has, from its start on, what its parent had.
    said = dict(line.partition(":")[::2] for line in _lines("proc/self/status"))
    words = said.get("VmHWM", "").split()
    return 1024 * int(words[0]) if words and words[0].isdigit() else None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the control groups around this process, innermost first, of the kernel's second kind, then of its first."""
    for line in _lines("proc/self/cgroup", root):
        _, _, named = line.partition(":")
        controllers, _, place = named.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if controllers else "")
        inner = top / place.lstrip("/")
        # Inside a container the name is often that of the outside, and only the top can be seen.
        yield from (group for group in (inner, *inner.parents) if group.is_relative_to(top) and group.is_dir())


def _lines(name: str, root: Path = _ROOT) -> list[str]:
    try:
        return (root / name).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []  # Another system, or an older one.


def _words(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").split()
    except OSError:
        return []
