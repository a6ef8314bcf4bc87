"""omnishot doctor."""

from typing import Any

from omnishot.cli.options import DeviceOption
from omnishot.cli.session import Session, with_session

_MEMORY = {"total": "in all", "available": "free", "limit": "is the container's limit"}


@with_session()
def doctor_command(session: Session, device: DeviceOption = "auto") -> None:
    """Print what this machine offers: device, precision, speed, memory, data. Creates: nothing.

    Examples:
      omnishot doctor --device cpu
    """
    from omnishot.maintenance.doctor import examine  # Deferred: torch takes seconds.

    facts = examine(session.store, device=device)
    session.console.result(facts, "".join(f"{name:10}{text}\n" for name, text in _lines(facts)))


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
        ("code", ", ".join(f"{kind} {digest[:12]}" for kind, digest in facts["code"].items())),
        ("data", f"{data['omniglot']}: {', '.join(data['found']) or 'no Omniglot'}{missing}"),
    ]
