"""Which bytes of a file serve what: the fields of a text, the parts of an HDF5 file, the tensors of a model."""

import json
import re
from pathlib import Path

import h5py

Classes = dict[str, list[range]]
"""The places of the bytes of each class."""

_FIELD = re.compile(rb"^([A-Za-z_]+):", re.MULTILINE)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.\w]+|[^-+.\w"]+')
_HDF5_BLOCK = re.compile(rb"TREE|HEAP|SNOD|GCOL|OHDR|OCHK|FRHP|FHDB|BTHD|BTLF|FAHD|FADB|EAHD|EAIB|BTIN")
_SUPERBLOCK_BYTES = 96


def byte_classes(path: Path) -> Classes:
    """Return the classes of a file's bytes, by the file's name; every byte is in one."""
    content = path.read_bytes()
    if path.suffix == ".yaml":
        return _fields(content)
    if path.suffix == ".h5":
        return _hdf5_parts(path, content)
    if path.suffix == ".safetensors":
        return _tensors(content)
    if path.suffix in {".json", ".jsonl"}:
        return _tokens(content)
    return _lines(content)


def _fields(content: bytes) -> Classes:
    """Return a YAML mapping's bytes by its outermost keys."""
    starts = [(match.start(), match[1].decode()) for match in _FIELD.finditer(content)]
    ends = [*(start for start, _ in starts[1:]), len(content)]
    return {name: [range(start, end)] for (start, name), end in zip(starts, ends, strict=True)}


def _tokens(content: bytes) -> Classes:
    found: Classes = {}
    for match in _TOKEN.finditer(content):
        token = match[0]
        is_key = token.startswith(b'"') and content[match.end() : match.end() + 1] == b":"
        is_word = token.startswith(b'"') or token in {b"null", b"true", b"false"}
        name = "keys" if is_key else "words" if is_word else "numbers" if re.match(rb"[-+.\w]", token) else "between"
        found.setdefault(name, []).append(range(*match.span()))
    return found


def _lines(content: bytes) -> Classes:
    last = content[:-1].rfind(b"\n") + 1
    parts = {"references": [range(last)], "digest": [range(last, len(content))]}
    return {name: places for name, places in parts.items() if places[0]}


def _tensors(content: bytes) -> Classes:
    size = int.from_bytes(content[:8], "little")
    found: Classes = {"header length": [range(8)], "header": [range(8, 8 + size)]}
    for name, tensor in json.loads(content[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = tensor["data_offsets"]
            found[f"tensor {name}"] = [range(8 + size + start, 8 + size + end)]
    return found


def _hdf5_parts(path: Path, content: bytes) -> Classes:
    """Return the superblock, data by data set, blocks by their signatures, and the headers that have none."""
    stored: list[tuple[int, int, str]] = []

    def note(name: str, item: object) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.chunks is None:
            stored.append((item.id.get_offset() or 0, item.id.get_storage_size(), f"data {name}"))
            return
        chunks = (item.id.get_chunk_info(i) for i in range(item.id.get_num_chunks()))
        stored.extend((chunk.byte_offset, chunk.size, f"data {name}") for chunk in chunks)

    with h5py.File(path) as file:
        file.visititems(note)
    marks = sorted([(0, "superblock"), (_SUPERBLOCK_BYTES, "headers")])
    marks += [(match.start(), f"block {match[0].decode()}") for match in _HDF5_BLOCK.finditer(content)]
    found: Classes = {}
    place, part = 0, "superblock"
    for start, size, name in sorted([*((start, 0, name) for start, name in marks), *stored]):
        if start > place:
            found.setdefault(part, []).append(range(place, start))
        place = max(place, start)
        if size:
            found.setdefault(name, []).append(range(start, start + size))
            place, part = max(place, start + size), "headers"
        elif start >= place:
            part = name
    if len(content) > place:
        found.setdefault(part, []).append(range(place, len(content)))
    return found
