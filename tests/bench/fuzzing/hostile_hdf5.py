"""HDF5 files that are wrong on purpose: other types, shapes and values, and every way to point elsewhere."""

import random
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CANARY = 0xC5
"""Every byte of the files that lie outside; no picture of the samples holds it."""


def write_canaries(folder: Path) -> None:
    """Write the files that a hostile one points at: raw bytes, and an HDF5 file of all data sets."""
    (folder / "canary.raw").write_bytes(bytes([CANARY]) * 105 * 105 * 64)
    with h5py.File(folder / "canary.h5", "w") as file:
        file["images/pixels"] = np.full((36, 105, 105), CANARY, np.uint8)


def change(path: Path, canaries: Path, rng: random.Random) -> None:
    """Change one to three data sets of a file.

    Args:
        path: The file.
        canaries: Folder of the files outside.
        rng: The only source of chance.
    """
    with h5py.File(path, "r+", libver="v110") as file:
        found: list[str] = []
        file.visit(found.append)
        for name in rng.sample(found, rng.randint(1, 3)):
            if name in file:
                stored = file[name]
                rng.choice(_CHANGES if isinstance(stored, h5py.Dataset) else _CHANGES_OF_GROUPS)(
                    file, name, canaries, rng
                )


def _again(file: h5py.File, name: str, **how: Any) -> None:
    del file[name]
    file.create_dataset(name, **how)


def _values(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    values = file[name][...]
    if values.dtype == object:
        odd: Any = rng.choice((b"\xff\xfe", b"\x1b[31m", b"x" * 2000, b"", values.flat[0]))
        values.flat[rng.randrange(values.size)] = odd
        _again(file, name, data=values, dtype=h5py.string_dtype())
        return
    odd = rng.choice((-1, 0, 1, 36, 2**31 - 1, float("nan"), float("inf"), 1e30))
    with np.errstate(all="ignore"):
        values.flat[rng.randrange(values.size)] = np.array(odd).astype(values.dtype)
    file[name][...] = values


def _shape(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    values = file[name][...]
    kind = h5py.string_dtype() if values.dtype == object else values.dtype
    changed = rng.choice((values[:-1], values[None], values[:0], values.reshape(-1), values[..., :1], values[::-1]))
    _again(file, name, data=changed, dtype=kind)


def _kind(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    n = len(file[name])
    plain = ("f8", "i8", ">i4", "u1", "f2", "S5", "?", "c8", "V7", [("a", "i4"), ("b", "f8")])
    pointing = (h5py.ref_dtype, h5py.regionref_dtype, h5py.vlen_dtype(np.int32), h5py.enum_dtype({"A": 1}))
    kinds = (*plain, *pointing, h5py.string_dtype("ascii"))
    _again(file, name, shape=(n,), dtype=rng.choice(kinds))


def _claim(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    kind, n_dimensions = file[name].dtype, file[name].ndim
    shape = rng.choice(((2**40,), (2**20, 105, 105), (2**12, 2**12, 2**12), (2**31, 105, 105)))[:n_dimensions]
    shape += (7,) * (n_dimensions - len(shape))
    how = rng.choice(({}, {"chunks": True}, {"chunks": tuple(min(side, 2**10) for side in shape), "compression": 1}))
    _again(file, name, shape=shape, dtype=kind, **how)


def _storage(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    shape, kind = file[name].shape, file[name].dtype
    if kind.hasobject:
        kind = np.dtype("S8")
    where = [(str(canaries / "canary.raw"), 0, h5py.h5f.UNLIMITED)]
    _again(file, name, shape=shape, dtype=kind, external=where)


def _virtual(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    shape = file[name].shape
    layout = h5py.VirtualLayout(shape, file[name].dtype)
    layout[...] = h5py.VirtualSource(str(canaries / "canary.h5"), "images/pixels", shape=shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _packed(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    values = file[name][...]
    if values.dtype != object and values.size:
        how = rng.choice(({"compression": "lzf"}, {"scaleoffset": 2}, {"fletcher32": True}, {"shuffle": True}))
        _again(file, name, data=values.astype(np.int32), chunks=True, **how)


def _link(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    del file[name]
    file[name] = rng.choice(
        (
            h5py.ExternalLink(str(canaries / "canary.h5"), "images/pixels"),
            h5py.ExternalLink(str(canaries / "canary.raw"), "/"),
            h5py.SoftLink(f"/{name}"),
            h5py.SoftLink("/images/pixels"),
            h5py.SoftLink("/nowhere"),
        )
    )


def _other(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    del file[name]
    match rng.randrange(4):
        case 0:
            file.create_group(name)
        case 1:
            file[name] = np.dtype("i4")
        case 2:
            file[name] = h5py.Empty("i4")
        case _:
            file[name] = 3


def _loop(file: h5py.File, name: str, canaries: Path, rng: random.Random) -> None:
    group = file[name] if isinstance(file[name], h5py.Group) else file[name].parent
    group["loop"] = file["/"]
    group.attrs["odd"] = rng.choice(("x" * 1000, 3, [1, 2]))


_CHANGES = (_values, _values, _values, _shape, _shape, _kind, _kind, _claim, _storage, _virtual, _packed, _link, _other)
_CHANGES_OF_GROUPS = (_link, _other, _loop)
