"""What somebody could leave in the other folders of a store: links, pipes, and states of runs that are none."""

import hashlib
import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fuzzing import mutations

_DIGEST = 65


def spoil_state(path: Path, rng: random.Random) -> None:
    """Put something else in the place of a checkpoint; the digest before it is right."""
    content = path.read_bytes()[_DIGEST:]
    path.unlink()
    match rng.randrange(7):
        case 0:
            os.mkfifo(path)
        case 1:
            path.touch()
            os.truncate(path, 1 << 40)
        case 2:
            path.symlink_to(rng.choice(("/dev/zero", "/dev/stdin", "nowhere")))
        case 3:
            _sealed(path, _packed(content))
        case 4:
            _sealed(path, mutations.blindly(content, rng))
        case _:
            state = torch.load(io.BytesIO(content), weights_only=True)
            _change(state, rng)
            changed = io.BytesIO()
            torch.save(state, changed)
            _sealed(path, changed.getvalue())


def _sealed(path: Path, content: bytes) -> None:
    path.write_bytes(f"{hashlib.sha256(content).hexdigest()}\n".encode() + content)


def _packed(content: bytes) -> bytes:
    """Return an archive of torch with the same pickle, whose records are a thousand times as large unpacked."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, bytes(50_000_000) if "/data/" in name else before.read(name))
    return target.getvalue()


def _change(state: Any, rng: random.Random) -> None:
    """Change a tensor or a value somewhere in a state: another shape, type, layout or number."""
    place, key = state, rng.choice(list(state))
    while isinstance(place[key], dict | list) and len(place[key]) and rng.random() < 0.9:
        place = place[key]
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
    value = place[key]
    odd: list[Any] = [None, -1, 2**62, 0.5, float("nan"), "x", [], {}, torch.zeros(3, 3), torch.zeros(())]
    if isinstance(value, torch.Tensor):
        odd += [value.double(), value.reshape(-1)[:1].expand(1 << 20), value.to_sparse(), value.half(), value * 1e38]
        odd += [torch.zeros(1).expand(value.shape), value.reshape(-1), torch.full_like(value, -1), value[..., None]]
    if rng.random() < 0.1:
        del place[key]
    else:
        place[key] = rng.choice(odd)


def _link(name: str) -> Callable[[Path, Path], None]:
    def leave(store: Path, outside: Path) -> None:
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        if (store / name).is_dir():
            (store / name).rename(outside / "moved")
        (store / name).unlink(missing_ok=True)
        (store / name).symlink_to(outside / ("moved" if (outside / "moved").exists() else "folder"))

    return leave


def _file(name: str) -> Callable[[Path, Path], None]:
    def leave(store: Path, outside: Path) -> None:
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).unlink(missing_ok=True)
        (store / name).symlink_to(outside / "victim")

    return leave


def _pipe(name: str) -> Callable[[Path, Path], None]:
    def leave(store: Path, outside: Path) -> None:
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).unlink(missing_ok=True)
        os.mkfifo(store / name)

    return leave


LEFT: tuple[Callable[[Path, Path], None], ...] = (
    *map(_link, (".locks", ".staging", ".unfinished", "evals", "models", "models/new")),
    *map(_file, (".locks/versions.lock", ".locks/versions.holder", ".locks/versions.holder.new", "models/.current",
                 "models/.current.new", "evals/.current", "evals/.current.new")),
    *map(_pipe, ("models/.current", "pairs/.current", ".locks/versions.holder", ".locks/versions.lock")),
)  # fmt: skip
"""Each takes a store and a folder outside, in which nothing may change."""
