"""Ways to damage a file: blindly, byte by byte, and knowing what is inside."""

import json
import random
import struct
import zlib
from typing import Any

import yaml

ODD_TEXTS = (
    "", " ", "x" * 10_000, "\x1b[31mred\x1b[0m", "line\nbreak", "../../etc/passwd", "/etc/passwd", "a/b", "..", "\x00",
    "[bold]markup[/bold]", "models/x:v1", "models/x:v0", "٣", "é\u202e", "true", "1e3", "-.5", ".5e3", "=", "~",
    "2001-99-99", "2026-01-01T00:00:00", "nan", "0" * 64, "verification", "\U0001f600",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2, 255, 2**31, 2**63, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"))
WORDS = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\xff" * 8,
    b"\xc0\x80",
    b"\n",
    b"{",
    b"[",
)

_SNIPPETS = ("&a [*a]", "*a", "!!python/object/apply:os.system [true]", "? ", "[" * 3000, "{a: " * 999, "\n---\n",
             "a: 1\na: 2\n", "9" * 10_000, "<<: {a: 1}", "!!binary aGk=", "\x85", "\ufeff", "%YAML 3.0\n", '"\\ud800"',
             "2001-99-99", "1e999", "- " * 2000, "\t", ": ", "'")  # fmt: skip


def blindly(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, insert, repeat, swap or overwrite bytes, one to four times."""
    mutable = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(mutable) + 1)
        length = min(rng.choice((1, 2, 4, 8, 64, 1024)), len(mutable) - start)
        match rng.randrange(7):
            case 0 if start < len(mutable):
                mutable[start] ^= 1 << rng.randrange(8)
            case 1:
                del mutable[start:]
            case 2:
                del mutable[start : start + length]
            case 3:
                mutable[start:start] = rng.choice(WORDS) * rng.choice((1, 3, 1000))
            case 4:
                mutable[start:start] = mutable[start : start + length]
            case 5:
                other = rng.randrange(len(mutable) + 1)
                mutable[start : start + length] = mutable[other : other + length]
            case _:
                mutable[start : start + length] = rng.choice(WORDS) * rng.choice((1, 2))
    return bytes(mutable)


def odd_value(rng: random.Random, depth: int = 0) -> Any:
    """Return a value that a careful reader would not expect."""
    match rng.randrange(8):
        case 0 | 1:
            return rng.choice(ODD_TEXTS)
        case 2 | 3:
            return rng.choice(ODD_NUMBERS)
        case 4:
            return rng.choice((None, True, False))
        case 5:
            return [odd_value(rng, depth + 1) for _ in range(rng.randrange(3))] if depth < 3 else []
        case 6:
            names = rng.sample(ODD_TEXTS, rng.randrange(3))
            return {name: odd_value(rng, depth + 1) for name in names} if depth < 3 else {}
        case _:
            nested: Any = "deep"
            for _ in range(rng.choice((5, 60, 120))):
                nested = [nested] if rng.random() < 0.5 else {"a": nested}
            return nested


def in_a_tree(tree: Any, rng: random.Random) -> Any:
    """Delete, replace, rename, add or wrap a value at a random place of nested lists and mappings."""
    copied = json.loads(json.dumps(tree))
    for _ in range(rng.randint(1, 3)):
        place = copied
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7:
                place = place[key]
                continue
            _change(place, key, rng)
            break
    return copied


def _change(place: Any, key: Any, rng: random.Random) -> None:
    match rng.randrange(6):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place[rng.choice(ODD_TEXTS)] = place.pop(key)
        case 2 if isinstance(place, dict):
            place[rng.choice(ODD_TEXTS)] = odd_value(rng)
        case 3:
            place[key] = [place[key]]
        case 4:
            place[key] = str(place[key])
        case _:
            place[key] = odd_value(rng)


def yaml_text(text: str, rng: random.Random) -> bytes:
    """Damage a YAML text blindly, in what it holds, or by something that YAML can do and nobody needs."""
    match rng.randrange(3):
        case 0:
            return blindly(text.encode(), rng)
        case 1:
            tree = in_a_tree(yaml.safe_load(text), rng)
            return yaml.safe_dump(tree, allow_unicode=rng.random() < 0.5, sort_keys=False).encode()
        case _:
            start = rng.choice([0, len(text), *(i + 1 for i, letter in enumerate(text) if letter in "\n ")])
            return (text[:start] + rng.choice(_SNIPPETS) + text[start:]).encode()


def safetensors_header(content: bytes, rng: random.Random) -> bytes:
    """Change the header of a safetensors file, or its length, or put odd numbers among the weights."""
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    match rng.randrange(4):
        case 0:
            claimed = rng.choice((0, 1, length - 1, length + 1, 2**32, 2**63, 2**64 - 1))
            return struct.pack("<Q", claimed) + content[8:]
        case 1:
            place = 4 * rng.randrange(len(data) // 4)
            data[place : place + 4] = rng.choice((b"\x00\x00\xc0\x7f", b"\x00\x00\x80\xff", b"\x00\x00\x80\xbf"))
        case 2:
            one, other = rng.sample(sorted(header), 2)
            header[one], header[other] = header[other], header[one]
        case _:
            header = in_a_tree(header, rng)
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + bytes(data)


def png_chunks(content: bytes, rng: random.Random) -> bytes:
    """Change the chunks of a PNG and give every one the right checksum again."""
    chunks, start = [], 8
    while start + 12 <= len(content):
        (length,) = struct.unpack(">I", content[start : start + 4])
        chunks.append((content[start + 4 : start + 8], content[start + 8 : start + 8 + length]))
        start += 12 + length
    match rng.randrange(5):
        case 0:
            size = struct.pack(">II", *(rng.choice((0, 1, 105, 1000, 30_000, 2**31 - 1)) for _ in range(2)))
            kind = bytes((rng.choice((1, 2, 4, 8, 16, 99)), rng.choice((0, 2, 3, 4, 6, 7)), 0, 0, rng.choice((0, 1))))
            chunks[0] = (b"IHDR", size + kind)
        case 1:
            name = rng.choice(
                (b"eXIf", b"tRNS", b"iCCP", b"zTXt", b"iTXt", b"PLTE", b"acTL", b"fcTL", b"gAMA", b"pHYs")
            )
            chunks.insert(rng.randint(1, len(chunks)), (name, rng.randbytes(rng.choice((0, 1, 4, 26, 300)))))
        case 2:
            chunks.pop(rng.randrange(len(chunks)))
        case 3:
            rng.shuffle(chunks)
        case _:
            place = rng.randrange(len(chunks))
            chunks[place] = (chunks[place][0], blindly(chunks[place][1], rng))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def jpeg_segments(content: bytes, rng: random.Random) -> bytes:
    """Insert a segment of garbage, or change the lengths and sizes that a JPEG's segments claim."""
    mutable = bytearray(content)
    places = [place for place in range(2, len(content) - 20) if content[place] == 0xFF and content[place + 1] > 0xBF]
    place = rng.choice(places)
    if rng.random() < 0.5:
        body = rng.choice((b"Exif\x00\x00II*\x00", b"Adobe\x00d\x00", b"ICC_PROFILE\x00\x01\x01", b"MPF\x00MM\x00*"))
        body += rng.randbytes(rng.choice((0, 2, 12, 200)))
        marker = rng.choice((0xE1, 0xE2, 0xEE, 0xDB, 0xC4, 0xC0, 0xDD))
        mutable[place:place] = bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
    else:
        field = place + rng.randint(2, 10)
        mutable[field : field + 2] = struct.pack(">H", rng.choice((0, 1, 2, 105, 255, 30_000, 65_535)))
    return bytes(mutable)
