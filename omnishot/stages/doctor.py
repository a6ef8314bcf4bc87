"""doctor: what this machine offers, and what of it omnishot will use."""

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import torch

from omnishot.artifacts.store import Store
from omnishot.data.sources.omniglot import ARCHIVES, place_of
from omnishot.model.device import DeviceName, choose_compute
from omnishot.model.peak import matmul_peak


def examine(store: Store, *, data_folder: Path, device: DeviceName = "auto") -> dict[str, dict[str, Any]]:
    """Look at the machine, the store and the data.

    Args:
        store: The store to look at.
        data_folder: Where Omniglot is looked for.
        device: The device to examine.

    Returns:
        Facts by name, under `versions`, `device`, `memory`, `store` and `data`; sizes in bytes, speeds per second.

    Raises:
        UnavailableError: CUDA is asked for and absent.
    """
    compute = choose_compute(device, "auto")
    described = compute.describe()
    return {
        "versions": {
            "omnishot": version("omnishot"),
            "python": platform.python_version(),
            "torch": described["torch"],
            "cuda": described["cuda"],
            "hdf5": h5py.version.hdf5_version,
        },
        "device": {
            "name": described["device"],
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "threads": torch.get_num_threads(),
            "precision": described["precision"],
            "matmul_flops": round(matmul_peak(compute)),
        },
        "memory": _memory(),
        "store": _store(store),
        "data": _data(data_folder),
    }


def _processor() -> str:
    """Return what the processor calls itself; Linux says it in a file, others in what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _memory() -> dict[str, int | None]:
    """Return the machine's memory, what of it is free, and the limit of the container where there is one."""
    facts: dict[str, int | None] = {"total": None, "available": None, "limit": None}
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        facts |= {
            name: 1024 * int(lines[key].split()[0])
            for name, key in {"total": "MemTotal", "available": "MemAvailable"}.items()
        }
        limit = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
        facts["limit"] = None if limit == "max" else int(limit)
    except (OSError, ValueError, KeyError, IndexError):
        pass  # Another system, or an older one: what could be read is in the facts.
    return facts


def _store(store: Store) -> dict[str, Any]:
    damaged: dict[Path, Any] = {}
    artifacts = store.artifacts(damaged=damaged)
    existing = next(path for path in (store.root.absolute(), *store.root.absolute().parents) if path.exists())
    return {
        "folder": str(store.root),
        "artifacts": len(artifacts),
        "damaged": len(damaged),
        "bytes": sum(artifact.size for artifact in artifacts),
        "writable": os.access(existing, os.W_OK),
        "free": shutil.disk_usage(existing).free,
    }


def _data(folder: Path) -> dict[str, Any]:
    found = [name for name in ARCHIVES if place_of(folder / "omniglot", name).exists()]
    return {"omniglot": str(folder / "omniglot"), "found": found, "missing": [n for n in ARCHIVES if n not in found]}
