"""omnishot doctor."""

import json
from typing import Any

from omnishot.cli.console import Console
from omnishot.cli.options import (
    DEFAULT_STORE,
    JsonOption,
    NoProgressOption,
    QuietOption,
    StoreOption,
    VerboseOption,
    data_folder,
    open_store,
)
from omnishot.cli.train import DeviceOption

_MEMORY = {"total": "in all", "available": "free", "limit": "is the container's limit"}


def doctor_command(
    device: DeviceOption = "auto",
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Print what this machine offers: device, precision, speed, memory, data. Creates: nothing.

    Examples:
      omnishot doctor --device cpu
    """
    from omnishot.maintenance.doctor import examine  # Deferred: torch takes seconds.

    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    facts = examine(open_store(console, store), data_folder=data_folder(), device=device)
    if as_json:
        console.text(json.dumps(facts) + "\n")
        return
    console.text("".join(f"{name:10}{text}\n" for name, text in _lines(facts)))


def _lines(facts: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    versions, device, memory, store, data = (facts[name] for name in ("versions", "device", "memory", "store", "data"))
    named = [f"{name} {value}" for name, value in versions.items() if value]
    place = f"{device['processor']}, {device['threads']} threads on {device['cores']} cores"
    sizes = [f"{memory[name] / 1e9:.1f} GB {word}" for name, word in _MEMORY.items() if memory[name] is not None]
    writable = "" if store["writable"] else ", cannot be written"
    damaged = f", {store['damaged']} damaged" if store["damaged"] else ""
    missing = f"; {', '.join(data['missing'])} missing" if data["missing"] else ""
    return [
        ("versions", ", ".join(named)),
        ("device", place if device["name"] == "cpu" else f"{device['name']}; {place}"),
        ("precision", device["precision"]),
        ("speed", f"{device['matmul_flops'] / 1e9:,.0f} GFLOP/s in a large matrix product, measured now"),
        ("memory", ", ".join(sizes) or "unknown"),
        (
            "store",
            f"{store['folder']}: {store['artifacts']} artifacts{damaged}, {store['bytes'] / 1e6:.1f} MB; "
            f"{store['free'] / 1e9:.1f} GB free{writable}",
        ),
        ("data", f"{data['omniglot']}: {', '.join(data['found']) or 'no Omniglot'}{missing}"),
    ]
