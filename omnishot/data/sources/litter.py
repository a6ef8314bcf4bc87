"""What lies among pictures and is none: one list of names, for folders and archives alike."""

import fnmatch
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from omnishot.vocabulary import KINDS

_SYSTEM = (
    ".*", "?*.*~", "~$*.*", "#*.*#",  # Hidden files and folders, and what editors keep.
    "thumbs.db*", "ehthumbs*.db", "desktop.ini", "autorun.inf", "albumart*.jpg", "$recycle.bin", "recycler", "recycled",
    "s-1-5-*", "system volume information", "found.[0-9][0-9][0-9]", "_vti_cnf", "*:zone.identifier",
    "pagefile.sys", "hiberfil.sys", "swapfile.sys",  # Windows
    "__macosx", "icon\r", "network trash folder", "temporary items", "thevolumesettingsfolder",
    "thefindbycontentfolder", "*.lrdata",  # macOS
    "lost+found", "nohup.out", "__pycache__",  # Linux, Python
    "@eadir", "#recycle", "#snapshot", "@tmp", "@recycle", "@recently-snapshot", "~snapshot", "*@synoeastream",
    "*@synoresource", "@appledouble", "@database", "@sharebin", "~uploads", ":2e_*", "aquota.*",  # File servers
    "zbthumbnail.info", "picasa.ini", "pspbrwse.jbf", "captureone", "_gsdata_", "nc_fllst.dat", "nikon[0-9]*.dsc",
    "index.btf", "avf_info", "autprint.mrk", "canonmsc", "m[0-9][0-9][0-9][0-9].ctg",  # Cameras and synchronisation
)  # fmt: skip
"""Patterns of names, in lower case, of what systems, cameras, file servers, archivers and synchronisation leave."""

_NO_PICTURE = (
    "txt text md markdown rst rtf pdf doc docx odt pages xls xlsx ods numbers ppt pptx odp tex bib "
    "csv tsv json jsonl ndjson xml xsd yaml yml toml ini cfg conf log lock htm html xhtml mht css js url webloc "
    "py pyc ipynb r m mat sh bat cmd ps1 c cpp h java npy npz pkl pickle h5 hdf5 parquet db sqlite sqlite3 dvc "
    "pt pth ckpt safetensors onnx zip tar gz tgz bz2 xz zst 7z rar iso dmg exe dll msi "
    "md5 sha1 sha256 sha512 sfv asc sig tmp temp bak orig rej xmp aae thm pp3 dop cos on1 nksc arp lrcat mrk ctg lrv "
    "mov mp4 m4v avi mkv webm wmv mts 3gp wav mp3 m4a aac flac ogg srt"
)
"""Endings of documents, programs, archives, recordings and side files: by their names they are no pictures."""

_NO_PICTURE_ENDINGS = frozenset(_NO_PICTURE.split())
_BARE = re.compile(
    r"(readme|licen[cs]e|copying|copyright|notice|authors|changelog|citation|makefile|dockerfile|checksums|\w+sums)"
    r"([-_][^.]*)?"
)
_SYSTEM_NAME = re.compile("|".join(fnmatch.translate(pattern) for pattern in _SYSTEM), re.DOTALL)
_ARTIFACT = re.compile(rf"(?P<kind>(?:.*/)?(?:{'|'.join(KINDS)})/)[^/]+/v[0-9]+/manifest\.yaml")


@cache
def is_litter(name: str) -> bool:
    """Tell whether a file or folder of this name was put there by a system and not by a person."""
    return _SYSTEM_NAME.fullmatch(name.lower()) is not None


def is_no_picture(name: str) -> bool:
    """Tell whether a file's name says that it is a document or a recording, not a picture."""
    stem, dot, ending = name.lower().rpartition(".")
    return ending in _NO_PICTURE_ENDINGS if dot and stem else _BARE.fullmatch(name.lower()) is not None


def is_placeholder(name: str) -> bool:
    """Tell whether a file stands for a picture that iCloud keeps elsewhere; its name is hidden, the picture is not."""
    return name.startswith(".") and name.lower().endswith(".icloud")


def is_own_output(folder: Path) -> bool:
    """Tell whether a folder holds the artifacts of one kind in a store of omnishot's; what lies beside it is read."""
    try:
        return folder.name in KINDS and any(
            re.fullmatch(r"v[0-9]+", found.parent.name) for found in folder.glob("*/v*/manifest.yaml")
        )
    except OSError:  # What may not be looked into is named by whoever reads it.
        return False


def may_be_figure(name: str) -> bool:
    """Tell whether a file has the name of a figure that `is_own_figure` can tell from a picture."""
    return name.lower().endswith((".png", ".svg"))


def is_own_figure(start: bytes) -> bool:
    """Tell whether a file is a figure that omnishot drew: its title and description are in its first 4,096 bytes."""
    if start.startswith(b"\x89PNG"):
        return all(word in start for word in (b"Software\0Matplotlib", b"Title\0", b"Description\0"))
    return b"<svg" in start and b"<dc:title>Matplotlib" in start


def own_folders(names: Iterable[str]) -> set[str]:
    """Return the folders of an archive that are own output, a `/` after each, from the names of all files in it."""
    return {found["kind"] for name in names if (found := _ARTIFACT.fullmatch(name))}
