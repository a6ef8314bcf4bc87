"""doctor: what this machine offers, and what omnishot will use."""

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import torch

from omnishot.data.location import usual_data_folder
from omnishot.data.sources.omniglot import ARCHIVES, place_of
from omnishot.machine import cores, memory, processor
from omnishot.model.device import choose_compute
from omnishot.model.peak import matmul_peak
from omnishot.store.code import code_digest
from omnishot.store.store import Store
from omnishot.vocabulary import KINDS, DeviceName


def examine(store: Store, *, data_folder: Path | None = None, device: DeviceName = "auto") -> dict[str, dict[str, Any]]:
    """Return facts about the machine, the store and the data.

    They stand under `versions`, `device`, `memory`, `store`, `data` and `code`, by name; sizes are in bytes, speeds per
    second. Under `code` is the digest of what decides the content of each kind of artifact.
    Without a folder, Omniglot is looked for where data sets usually are.

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
            "processor": processor(),
            "cores": cores(),
            "threads": torch.get_num_threads(),
            "precision": described["precision"],
            "matmul_flops": round(matmul_peak(compute)),
        },
        "memory": memory(),
        "store": _store(store),
        "data": _data(data_folder or usual_data_folder()),
        "code": {kind: code_digest(kind) for kind in KINDS},
    }


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
