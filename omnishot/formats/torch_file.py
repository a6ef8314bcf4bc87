"""What a file of `torch.save` may hold, looked at before torch opens it: stored records, tensors and plain values.

Even where torch loads nothing but weights, records could be packed a thousandfold, and a pickle could call other
functions of torch, or nest keys whose hash does not come to an end.
"""

import io
import pickletools
import struct
import zipfile
from collections.abc import Iterator

_MOST_RECORDS = 10_000
_MOST_DIRECTORY = 2_000_000
_LONGEST_END = 22 + 65_535
_KEYS = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"}
_VALUES = {"BINFLOAT", "NEWTRUE", "NEWFALSE", "NONE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_TO_MARK = {"TUPLE", "APPENDS", "SETITEMS"}
_CALLED = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2"}
_STORAGES = {f"torch {kind}Storage" for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Bool", "Byte")}
_MARK = "MARK"


def refuse_other_content(content: bytes) -> None:
    """Check the content of a file of `torch.save`.

    Raises:
        ValueError: It is none, claims more than it holds, or holds something other than tensors and plain values.
    """
    _refuse_long_directory(content)
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise ValueError(f"it is no archive of torch: {error}") from None
    try:
        with opened as archive:
            records = archive.infolist()
            if len(records) > _MOST_RECORDS:
                raise ValueError(f"it has {len(records):,} records; {_MOST_RECORDS:,} is the limit")
            is_stored = all(record.compress_type == zipfile.ZIP_STORED for record in records)
            if not is_stored or sum(record.file_size for record in records) > len(content):
                raise ValueError("its records claim more than the file holds")
            pickles = [record for record in records if record.filename.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise ValueError(f"its records hold {len(pickles)} pickles")
            (pickled,) = pickles
            _refuse_other_values(archive.read(pickled))
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise ValueError(f"it is no archive of torch: {error}") from None


def _refuse_long_directory(content: bytes) -> None:
    """Look at the length of the list of records, before a Python object is made of each."""
    end = content.rfind(b"PK\5\6", -_LONGEST_END)
    if end < 0 or end + 22 > len(content):
        raise ValueError("it is no archive of torch: it does not end as one")
    (size,) = struct.unpack_from("<I", content, end + 12)
    long_end = content.rfind(b"PK\6\6", max(0, end - 4096), end)
    if size == 0xFFFFFFFF and 0 <= long_end <= len(content) - 48:
        (size,) = struct.unpack_from("<Q", content, long_end + 40)
    if size > _MOST_DIRECTORY:
        raise ValueError(f"the list of its records has {size:,} bytes; {_MOST_DIRECTORY:,} is the limit")


def _refuse_other_values(pickled: bytes) -> None:
    stack: list[str] = []
    memo: dict[int, str] = {}
    for name, argument in _operations(pickled):
        if name in {"BINPUT", "LONG_BINPUT"}:
            memo[int(str(argument))] = stack[-1]
        elif name in {"BINGET", "LONG_BINGET"}:
            stack.append(memo[int(str(argument))])
        elif name == "GLOBAL":
            if argument not in _CALLED | _STORAGES:
                raise ValueError(f"it names {argument}")
            stack.append(str(argument))
        elif name in _KEYS | _VALUES | {_MARK}:
            stack.append("key" if name in _KEYS else name)
        else:
            _apply(name, stack)


def _operations(pickled: bytes) -> Iterator[tuple[str, object]]:
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name not in {"PROTO", "STOP"}:
            yield operation.name, argument


def _apply(name: str, stack: list[str]) -> None:
    """Do to the kinds of what is on the stack what an operation does to the values."""
    if name in _TO_MARK:
        taken = []
        while (kind := stack.pop()) != _MARK:
            taken.append(kind)
        if name == "SETITEMS":
            _refuse_other_keys(taken[1::2])  # The last value is taken first.
        elif name == "TUPLE":
            stack.append("value")
    elif name in _TUPLES:
        del stack[-_TUPLES[name] :]
        stack.append("value")
    elif name == "REDUCE":
        arguments, called = stack.pop(), stack.pop()
        if called not in _CALLED or (called == "collections OrderedDict" and arguments != "EMPTY_TUPLE"):
            raise ValueError(f"it calls {called} with values")
        stack.append("value")
    elif name in {"SETITEM", "APPEND", "BUILD"}:
        taken = [stack.pop() for _ in range(2 if name == "SETITEM" else 1)]
        _refuse_other_keys(taken[1:])
    elif name == "BINPERSID":
        stack[-1] = "value"
    else:
        raise ValueError(f"its pickle holds {name}")


def _refuse_other_keys(kinds: list[str]) -> None:
    if any(kind != "key" for kind in kinds):
        raise ValueError("it holds a key that is neither a word nor a whole number")
