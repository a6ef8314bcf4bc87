"""Downloads that are complete and verified, or not there at all."""

import hashlib
import http.client
import os
import secrets
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnishot.errors import UnavailableError
from omnishot.progress import OnProgress, Progress, silent

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Download:
    """A file on the web.

    Attributes:
        url: Where it is.
        md5: Its checksum, hexadecimal; the one its publisher or the usual libraries give.
        size: Bytes, roughly; for the progress bar where the server does not say.
    """

    url: str
    md5: str
    size: int


def download(source: Download, target: Path, *, on_progress: OnProgress = silent, patience_seconds: float = 10) -> None:
    """Download a file to `target`, which appears only when its checksum is right.

    Args:
        source: What to download.
        target: Where to put it; its folder is made.
        on_progress: Receives the bytes so far.
        patience_seconds: How long to wait for the server to answer, and for each block.

    Raises:
        UnavailableError: There is no answer, the connection breaks, the disk is full or the checksum is wrong.
    """
    try:
        response = _answer(source.url, patience_seconds)
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        with response, path.open("xb") as aside:
            try:
                _copy(response, aside, source, target.name, on_progress)
                os.fsync(aside.fileno())
                path.replace(target)
            finally:
                path.unlink(missing_ok=True)
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{source.url}: {getattr(error, 'reason', error) or type(error).__name__}") from None


def _answer(url: str, seconds: float) -> Any:
    """Open the address in a thread of its own: looking up a name cannot be given a time limit otherwise."""
    outcome: list[Any] = []

    def attempt() -> None:
        try:
            outcome.append(urllib.request.urlopen(url, timeout=seconds))
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds + 1)
    if not outcome:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _copy(response: Any, aside: Any, source: Download, name: str, on_progress: OnProgress) -> None:
    total = int(response.headers.get("Content-Length") or source.size)
    digest, done = hashlib.md5(usedforsecurity=False), 0
    while block := response.read(_BLOCK):
        aside.write(block)
        digest.update(block)
        done += len(block)
        on_progress(Progress(f"Downloading {name}", done, total, "bytes"))
    if digest.hexdigest() != source.md5:
        raise UnavailableError(f"{source.url}: {done} bytes arrived with MD5 {digest.hexdigest()}, not {source.md5}")
    aside.flush()
