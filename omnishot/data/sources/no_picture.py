"""What a file is that is no picture, and what its owner can do about it."""

import re

from PIL import UnidentifiedImageError

from omnishot.errors import DamagedFileError, brief

_REMOVE = "Remove what is no picture, or begin its name with a dot to have it passed over."
_FETCH = "Fetch again what is empty, cut off or damaged."
_CONVERT = "Convert to PNG or JPEG what is of another kind."

_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (rb"version https://git-lfs", "is a Git LFS pointer, not the picture", "Fetch the pictures with `git lfs pull`."),
    (rb"\S*/annex/objects/", "is a git-annex pointer, not the picture", "Fetch the pictures with `git annex get`."),
    (rb"(?s).{4}ftyp(hei|hev|mif1|msf1)", "is HEIC", _CONVERT),
    (rb"(?s).{4}ftypavi", "is AVIF", _CONVERT),
    (rb"(?s).{4}ftypcrx", "is a camera's raw picture", _CONVERT),
    (rb"(?s).{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", "is a video", _REMOVE),
    (rb"FUJIFILMCCD-RAW|IIU\0|IIRO|IIRS|MMOR|II\x1a\0\0\0HEAPCCDR", "is a camera's raw picture", _CONVERT),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "is JPEG XL", _CONVERT),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", "is JPEG 2000", _CONVERT),
    (rb"8BPS", "is a Photoshop file", _CONVERT),
    (rb"gimp xcf", "is a GIMP file", _CONVERT),
    (rb"\0\0[\x01\x02]\0[\x01-\xff]\0|icns", "is an icon file", _CONVERT),
    (rb"%PDF", "is a PDF document", _CONVERT),
    (rb"%!|\xc5\xd0\xd3\xc6", "is PostScript", _CONVERT),
    (rb"v/1\x01|DDS |qoif|AT&TFORM|#\?RADIANCE|\x0a[\0-\5]\x01|\x01\xda[\0\1]|\x59\xa6\x6a\x95|SIMPLE  =|"
     rb"/\* XPM|(?s:.{128})DICM", "is a picture of a kind that is not read", _CONVERT),
    (rb"\x89HDF|\x93NUMPY|MATLAB 5", "holds arrays, not a picture", _CONVERT),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "is an archive", "Unpack archives."),
    (rb"L\0\0\0\x01\x14\x02", "is a Windows shortcut, not the picture", "Copy the pictures that shortcuts lead to."),
    (rb"book\0\0\0\0mark", "is a macOS alias, not the picture", "Copy the pictures that aliases lead to."),
    (rb"\0\x05\x16[\0\x07]", "holds what macOS knows of a file, not the picture", _REMOVE),
    (rb"(?is)[\xef\xbb\xbf\s]*(<\?xml.{,900})?(<!--.{,900})?<svg", "is SVG, a drawing without pixels", _CONVERT),
    (rb"(?is)[\xef\xbb\xbf\s]*(<\?xml.{,900})?(<!--.{,900})?<(!doctype html|html|head|body)",
     "is an HTML page, not a picture", "Fetch again what was saved as a page."),
)  # fmt: skip
_IMAGES = (
    (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
    (b"RIFF", "WebP"), (b"BM", "BMP"),
)  # fmt: skip
_CUT = re.compile(r"truncated|not enough image data|unexpected end|end of file|broken data stream", re.IGNORECASE)


def no_picture(content: bytes, place: str, error: Exception) -> DamagedFileError:
    """Say what a file is that could not be read as a picture, and what to do.

    Args:
        content: Its bytes.
        place: What to call it.
        error: What reading it ended with.
    """
    if content.count(0) == len(content):
        return DamagedFileError(f"{place} {'holds nothing but zeros' if content else 'is empty'}", hint=_FETCH)
    for start, is_what, remedy in _OTHERS:
        if re.match(start, content[:4096]):
            return DamagedFileError(f"{place} {is_what}", hint=remedy)
    if content.endswith(b"TRUEVISION-XFILE.\0"):
        return DamagedFileError(f"{place} is TGA", hint=_CONVERT)
    kind = next((name for start, name in _IMAGES if content.startswith(start)), "")
    if kind and _CUT.search(str(error)):
        return DamagedFileError(f"{place} is cut off: {kind} of {len(content):,} bytes", hint=_FETCH)
    if kind:
        words = "" if isinstance(error, UnidentifiedImageError) else f": {brief(error)}"
        return DamagedFileError(f"{place} is a damaged {kind} file{words}", hint=_FETCH)
    if _is_text(content[:4096]):
        return DamagedFileError(f"{place} is text, not a picture", hint=_REMOVE)
    reason = "its content is of no known kind" if isinstance(error, UnidentifiedImageError) else brief(error)
    return DamagedFileError(f"{place} is not a readable image: {reason}", hint=_REMOVE)


def _is_text(start: bytes) -> bool:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 with its mark.
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) > len(start) - 4 and all(letter.isprintable() or letter.isspace() for letter in text)
