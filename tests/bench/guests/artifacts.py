"""Hostile artifacts: what somebody could put into a store on purpose, each by one function.

A function takes the folder of a sound artifact and a source of chance, and changes files; digests are made right after
it. Where it says so, it seals the artifact by itself.
"""

import io
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from fuzzing import hostile_hdf5, mutations
from guests.sealing import entry_of, manifest_of, seal, seal_text, text_of, write

from omnishot.store.identity import content_of

Change = Callable[[Path, random.Random], None]

EVIL = ("--profile=~/.bashrc", "$(touch pwned)", "=cmd|' /C calc'!A0", "@SUM(1+1)", "\u202egnp.exe", "\x1b]0;x\x07",
        "-1+1", "../../../outside/victim", "models/x:v1 --out=../outside/victim", "x" * 5000)  # fmt: skip


def _field(folder: Path, rng: random.Random) -> None:
    """Change one field of the manifest, or something below it."""
    values = manifest_of(folder)
    name = rng.choice(list(values))
    if isinstance(values[name], dict | list) and values[name] and rng.random() < 0.7:
        values[name] = mutations.in_a_tree(values[name], rng)
    else:
        values[name] = rng.choice((mutations.odd_value(rng), rng.choice(EVIL)))
    _write_yaml(folder, values)


def _write_yaml(folder: Path, values: dict[str, Any]) -> None:
    try:
        seal(folder, values)
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError):
        write(folder / "manifest.yaml", json.dumps(values).encode("utf-8", "replace"))


def _manifest_text(folder: Path, rng: random.Random) -> None:
    seal_text(folder, mutations.yaml_text(text_of(folder), rng).decode("utf-8", "replace"))


def _large_manifest(folder: Path, rng: random.Random) -> None:
    more = rng.choice(
        ("x: " + "[" * 100_000, "x: " + "- 1\n" * 400_000, "#" * 20_000_000, "x:\n" + "  - {}\n" * 120_000)
    )
    seal_text(folder, text_of(folder) + more)


def _words(folder: Path, rng: random.Random) -> None:
    """Put words that act elsewhere where a manifest has words of its own."""
    values = manifest_of(folder)
    evil = rng.choice(EVIL)
    values["argv"] = ["omnishot", "prepare", "--source", evil, "--pairs", evil, evil]
    values["environment"] = {"omnishot": evil[:900], "device": evil[:900]}
    values["settings"] |= {"unknown": evil} if rng.random() < 0.5 else {}
    if isinstance(values["summary"].get("source"), str):
        values["summary"]["source"] = evil[:900]
    seal(folder, values)
    first = folder / next(iter(values["files"]))
    if rng.random() < 0.5:  # Damaged besides, so that a command to make it again is printed.
        write(first, first.read_bytes()[:-1])


def _parents(folder: Path, rng: random.Random) -> None:
    values = manifest_of(folder)
    own = {
        "reference": f"{values['kind']}/{values['name']}:v1",
        "recipe": values["recipe"],
        "content": values["content"],
    }
    parents = values["parents"] or [own]
    values["parents"] = rng.choice(([own], [*parents, own], parents * 40, [own] * 3000, [*parents * 500], []))
    seal(folder, values)


def _doubled(folder: Path, rng: random.Random) -> None:
    """Add forty generations, each of which names the one before twice, or one that names itself at its end."""
    values = manifest_of(folder)
    empty = content_of({})
    named = [
        {"reference": f"{values['kind']}/generation{number}:v1", "recipe": "0" * 64, "content": empty}
        for number in range(40)
    ]
    ends_in_itself = rng.random() < 0.5
    for number in range(40):
        place = folder.parents[1] / f"generation{number}" / "v1"
        place.mkdir(parents=True)
        parents = [named[number - 1]] * 2 if number or ends_in_itself else []  # The first one names the last.
        seal(place, {**values, "name": f"generation{number}", "parents": parents, "files": {}})
    seal(folder, {**values, "parents": values["parents"] + [named[-1]] * 2})


def _files(folder: Path, rng: random.Random) -> None:
    """Have the manifest name something that is no file of the artifact's own."""
    values = manifest_of(folder)
    first = next(iter(values["files"]))
    outside = folder.parents[3] / "outside" / "victim"
    match rng.randrange(6):
        case 0:
            values["files"][rng.choice(("../../x", "/etc/passwd", "..", "", "a/b", ".current"))] = {
                "sha256": "0" * 64,
                "size": 1,
            }
        case 1:
            (folder / first).unlink()
            (folder / first).symlink_to(rng.choice((outside, Path("/dev/zero"), Path("/proc/self/mem"), folder)))
        case 2:
            (folder / first).unlink()
            os.mkfifo(folder / first)
        case 3:
            (folder / first).chmod(0o644)
            os.truncate(folder / first, rng.choice((0, 1 << 40)))
        case 4:
            (folder / "extra.bin").touch()
            os.truncate(folder / "extra.bin", 1 << 40)
            values["files"]["extra.bin"] = entry_of(folder / "extra.bin")
        case _:
            (folder / first).unlink()
            (folder / first).mkdir()
    seal(folder, values)


def _special_manifest(folder: Path, rng: random.Random) -> None:
    path = folder / "manifest.yaml"
    text = path.read_bytes()
    path.unlink()
    match rng.randrange(4):
        case 0:
            os.mkfifo(path)
        case 1:
            path.symlink_to("/dev/zero")
        case 2:
            path.touch()
            os.truncate(path, 1 << 40)
        case _:
            (folder.parents[3] / "outside" / "manifest.yaml").write_bytes(text)
            path.symlink_to(folder.parents[3] / "outside" / "manifest.yaml")


def _hdf5(folder: Path, rng: random.Random) -> None:
    (path,) = folder.glob("*.h5")
    path.chmod(0o644)
    hostile_hdf5.change(path, folder.parents[3] / "outside", rng)
    seal(folder)


def _bomb(folder: Path, rng: random.Random) -> None:
    """Let a data set be far larger than its file, as gzip allows."""
    (path,) = folder.glob("*.h5")
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        numeric = [name for name in found if file[name].dtype.kind in "iufb"]
        name = rng.choice(numeric)
        shape, dtype = file[name].shape, file[name].dtype
        del file[name]
        side = int(rng.choice((2e6, 2e7)) / max(1, np.prod(shape[1:]) * dtype.itemsize) * 16)
        how = {
            "chunks": (min(side, rng.choice((1 << 12, 1 << 24))), *shape[1:]),
            "compression": "gzip",
            "compression_opts": 9,
        }
        stored = file.create_dataset(name, (side, *shape[1:]), dtype, **how)
        for start in range(0, side, stored.chunks[0]):
            stored.id.write_direct_chunk((start, *[0] * (len(shape) - 1)), _packed_zeros(stored))
    seal(folder)


def _packed_zeros(stored: h5py.Dataset) -> bytes:
    import zlib

    return zlib.compress(bytes(int(np.prod(stored.chunks)) * stored.dtype.itemsize), 9)


def _bytes(folder: Path, rng: random.Random) -> None:
    path = rng.choice(sorted(path for path in folder.iterdir() if path.name != "manifest.yaml"))
    write(path, mutations.blindly(path.read_bytes(), rng))
    seal(folder)


def _weights(folder: Path, rng: random.Random) -> None:
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    match rng.randrange(4):
        case 0:
            content = mutations.safetensors_header(content, rng)
        case 1:
            content = _scaled(content, rng.choice((1e10, 1e30, 3e38, -3e38, float("nan"), float("inf"), 0.0)))
        case 2:
            length = rng.choice((99_000_000, 1 << 40, 1 << 63))
            content = struct.pack("<Q", length) + b" " * min(length, 5_000_000)
        case _:
            names = ",".join(f'"{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(60_000))
            content = struct.pack("<Q", len(names) + 2) + f"{{{names}}}".encode()
    write(path, content)
    seal(folder)


def _scaled(content: bytes, factor: float) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["dtype"] == "F32" and not name.endswith("running_var"):
            start, end = tensor["data_offsets"]
            with np.errstate(all="ignore"):
                values = np.frombuffer(bytes(data[start:end]), "<f4") * np.float32(factor)
            values = np.clip(values, -3.4e38, 3.4e38) if np.isfinite(factor) else values
            data[start:end] = values.astype("<f4").tobytes()
    return content[: 8 + length] + bytes(data)


def _config(folder: Path, rng: random.Random) -> None:
    text = (folder / "config.yaml").read_text("utf-8")
    large = "twin: koch\narchitecture: {filters: [256, 256, 256, 256], filter_sizes: [9, 3, 2, 2], dense_units: 4096}\n"
    content = large.encode() if rng.random() < 0.2 else mutations.yaml_text(text, rng)
    write(folder / "config.yaml", content)
    seal(folder)


def _history(folder: Path, rng: random.Random) -> None:
    line = json.loads((folder / "history.jsonl").read_text("utf-8").splitlines()[0])
    match rng.randrange(3):
        case 0:
            text = json.dumps(mutations.in_a_tree(line, rng)) + "\n"
        case 1:
            text = "\n" * 300_000 if rng.random() < 0.5 else (json.dumps(line) + "\n") * 150_000
        case _:
            odd = rng.choice((1e308, -1e308, 2**53, 0, -1, 0.5))
            text = "".join(json.dumps(line | {rng.choice(list(line)): odd}) + "\n" for _ in range(3))
    write(folder / "history.jsonl", text.encode("utf-8", "replace"))
    seal(folder)


def _summary(folder: Path, rng: random.Random) -> None:
    values = json.loads((folder / "summary.json").read_text("utf-8"))
    match rng.randrange(4):
        case 0:
            values = mutations.in_a_tree(values, rng)
        case 1:
            (trained,) = values["models"].values()
            trained |= {
                rng.choice(("pairs", "twin", "objective", "source", "split", "holdout")): rng.choice(EVIL)[:900]
            }
        case 2:
            result = rng.choice(values["results"])
            result |= {rng.choice(("model", "protocol", "on")): rng.choice((*EVIL, "lake", "verification"))[:900]}
        case _:
            values |= {rng.choice(("source", "device", "data")): rng.choice(EVIL)[:900]}
    write(folder / "summary.json", json.dumps(values).encode("utf-8", "replace"))
    seal(folder)


def _gallery(folder: Path, rng: random.Random) -> None:
    values = mutations.in_a_tree(json.loads((folder / "gallery.json").read_text("utf-8")), rng)
    write(folder / "gallery.json", json.dumps(values).encode("utf-8", "replace"))
    seal(folder)


def _deep_json(folder: Path, rng: random.Random) -> None:
    deep = "[" * 200_000 if rng.random() < 0.5 else '{"results":' * 100_000
    write(folder / "summary.json", deep.encode())
    seal(folder)


def _scores(folder: Path, rng: random.Random) -> None:
    with h5py.File(io.BytesIO((folder / "scores.h5").read_bytes()), "r") as before:
        arrays: dict[str, Any] = {}
        before.visititems(
            lambda name, item: arrays.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None
        )
    write(folder / "scores.h5", b"")
    with h5py.File(folder / "scores.h5", "w") as file:
        for name, values in arrays.items():
            with np.errstate(all="ignore"):
                odd = rng.choice((float("nan"), float("inf"), 3e38, -1.0, 0.0))
                changed = np.full_like(values, np.array(odd).astype(values.dtype)) if rng.random() < 0.4 else values
            file[name] = changed
    seal(folder)


_OF_ALL = (
    _field,
    _field,
    _field,
    _manifest_text,
    _large_manifest,
    _words,
    _parents,
    _doubled,
    _files,
    _files,
    _special_manifest,
    _bytes,
)

CHANGES: dict[str, tuple[Change, ...]] = {
    "images": (*_OF_ALL, _hdf5, _hdf5, _hdf5, _bomb),
    "pairs": (*_OF_ALL, _hdf5, _hdf5, _hdf5, _hdf5, _bomb, _bomb),
    "models": (*_OF_ALL, _weights, _weights, _weights, _config, _history),
    "galleries": (*_OF_ALL, _hdf5, _hdf5, _bomb, _gallery, _gallery),
    "evals": (*_OF_ALL, _summary, _summary, _summary, _deep_json, _scores, _hdf5, _bomb),
}
"""By kind of artifact, what is done to it; what stands twice is done twice as often."""
