"""Which folder is a class, with what lies elsewhere named.

Images lie in `class/image` or `alphabet/class/image`, below folders that are called train, test and the like in either.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from omnishot.data.sources.files import File
from omnishot.data.splits import are_named_parts
from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.wording import counted, listed

_SHOWN = 3
_TAKE_AWAY_IN_ARCHIVE = "Unpack it and give a folder below it to --source, or take a level of folders away."
_ONE_FOLDER_PER_CLASS = "Make one folder per class, or alphabet/class, and put the images there."


@dataclass(frozen=True, slots=True)
class Layout:
    """Files of which each lies in the folder of its class.

    Attributes:
        files: The files, their names all beginning with `class/`, `alphabet/class/` or `part/alphabet/class/`.
        wrapping: Names of folders that hold nothing but the next, and were gone through.
        strays: Why files that lie elsewhere cannot be used, one error for each number of folders.
    """

    files: list[File]
    wrapping: tuple[str, ...]
    strays: list[DamagedFileError]


def laid_out(files: Sequence[File], place: str, *, is_archive: bool) -> Layout:
    """Find the classes.

    Args:
        files: All files, named from the source.
        place: What to call the source.
        is_archive: Whether it is an archive, whose files usually lie in one folder.

    Raises:
        NotFoundError: There are no class folders.
        DamagedFileError: Most files lie in no class folder.
    """
    depths = Counter(_depth(file) for file in files)
    if set(depths) <= {0}:
        raise NotFoundError(
            f"{place} holds no class folders ({len(files)} files lie in it directly)",
            hint=_ONE_FOLDER_PER_CLASS,
        )
    usual = max(depths, key=lambda depth: (depths[depth], depth))
    inner, wrapping = [file for file in files if _depth(file) == usual], list[str]()
    shallowest = 1 if is_archive else 2
    while len(tops := {file.name.split("/")[0] for file in inner}) == 1 and usual - len(wrapping) > shallowest:
        wrapping += tops
        inner = [replace(file, name=file.name.partition("/")[2]) for file in inner]
        shallowest = 2
    if not 1 <= usual - len(wrapping) <= (3 if are_named_parts(tops) else 2):
        inside = "/".join([*wrapping, min(tops)])
        raise _unusable(files, usual, place, hint=_TAKE_AWAY_IN_ARCHIVE if is_archive else _take_away(place, inside))
    if usual - len(wrapping) == 1 and are_named_parts(tops):
        raise DamagedFileError(
            f"{place} holds pictures in {listed(sorted(tops), shown=_SHOWN)} themselves, which are parts of a split, "
            "not classes",
            hint="Make one folder per class in each of them, as train/class, and put the images there.",
        )
    used = {file.place for file in inner}
    others = [file for file in files if file.place not in used]
    strays = []
    for depth in sorted({_depth(file) for file in others}):
        group = [file.place for file in others if _depth(file) == depth]
        which = group[0] if len(group) == 1 else f"{len(group):,} files ({listed(group, shown=_SHOWN)})"
        strays.append(
            DamagedFileError(
                f"{which} {'lies' if len(group) == 1 else 'lie'} {counted(depth, 'folder')} deep, "
                f"{'another' if len(inner) == 1 else f'{len(inner):,} others'} {usual}",
                hint="Move what lies elsewhere to the others, or begin its name with a dot.",
            )
        )
    return Layout(inner, tuple(wrapping), strays)


def _depth(file: File) -> int:
    return file.name.count("/")


def _take_away(place: str, inside: str) -> str:
    return f"Give a folder below it, as --source {place}/{inside}, or take a level of folders away."


def _unusable(files: Sequence[File], usual: int, place: str, *, hint: str) -> DamagedFileError:
    """Return what to say where most files lie too deep, or in no folder."""
    example = next(file.place for file in files if _depth(file) == usual)
    odd = [file for file in files if _depth(file) != usual]
    many = f"{len(files) - len(odd):,} of {len(files):,}" if odd else f"All {len(files):,}"
    where, hint = (f"{usual} folders deep", hint) if usual else ("in no folder", _ONE_FOLDER_PER_CLASS)
    few = ""
    if odd:
        which = listed([file.place for file in odd], shown=_SHOWN)
        few = f"; {which} {'lies' if len(odd) == 1 else 'lie'} {counted(_depth(odd[0]), 'folder')} deep"
    return DamagedFileError(
        f"{many} files in {place} lie {where}, as {example}{few}; they must lie in class/ or alphabet/class/", hint=hint
    )
