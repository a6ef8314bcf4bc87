"""MNIST's 10,000 test digits, for the transfer measurement of Koch et al. 2015, section 4.4.

Source: LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist.
"""

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omnishot.data.image_set import ImageSet, Labels
from omnishot.data.sources.decoding import SIDE
from omnishot.data.sources.download import Download, download
from omnishot.errors import DamagedFileError, UnavailableError, brief
from omnishot.progress import OnProgress, Progress, silent

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
_DOWNLOADS = {
    IMAGES: Download(f"{_MIRROR}/{IMAGES}", md5="9fb629c4189551a2d022fa330f9573f3", size=1_648_877),
    LABELS: Download(f"{_MIRROR}/{LABELS}", md5="ec29112dd5afa0611ce80d1b7f02629c", size=4_542),
}
_N, _SIDE = 10_000, 28
_UPSAMPLED = 35
_HEADERS = {IMAGES: struct.pack(">4I", 0x803, _N, _SIDE, _SIDE), LABELS: struct.pack(">2I", 0x801, _N)}
_SIZES = {IMAGES: _N * _SIDE * _SIDE, LABELS: _N}


@dataclass(frozen=True, slots=True)
class Mnist:
    """The test digits, read but not upsampled.

    Attributes:
        pixels: Shape (10000, 28, 28), uint8, ink 255 on 0.
        digits: What they show, shape (10000,).
        digest: Digest of both.
    """

    pixels: NDArray[np.uint8]
    digits: NDArray[np.uint8]
    digest: str

    def read(self, on_progress: OnProgress) -> ImageSet:
        """Bring every digit to 105 x 105 pixels, by way of 35 x 35, at which the paper measured.

        A network for 35 x 35 pixels gets exactly the upsampled digits, as it averages blocks of 3 x 3. Nobody knows who
        wrote which digit: the drawers of a digit are its images in the order of the file.
        """
        order = np.argsort(self.digits, kind="stable")
        pixels = np.empty((_N, SIDE, SIDE), dtype=np.uint8)
        block = SIDE // _UPSAMPLED
        for place, number in enumerate(order):
            digit = Image.fromarray(self.pixels[number]).resize((_UPSAMPLED, _UPSAMPLED), Image.Resampling.BILINEAR)
            pixels[place] = np.asarray(digit).repeat(block, axis=0).repeat(block, axis=1)
            if place % 1000 == 0:
                on_progress(Progress("Reading MNIST", place, _N, "images"))
        digits = self.digits[order]
        first = np.searchsorted(digits, digits)
        names = [f"MNIST/{digit}" for digit in digits]
        return ImageSet(pixels, Labels.from_names(["MNIST"] * _N, names, np.arange(_N) - first))


def find(folder: Path, *, offline: bool, on_progress: OnProgress = silent) -> Mnist:
    """Find the two files of the test set, and download those that are missing.

    Args:
        folder: Where they lie, or are put.
        offline: Forbids the download.
        on_progress: Receives the progress of a download.

    Raises:
        UnavailableError: A file is missing and cannot be downloaded.
        DamagedFileError: A file is damaged.
    """
    for name, source in _DOWNLOADS.items():
        if (folder / name).exists():
            continue
        try:
            if offline:
                raise UnavailableError("OMNISHOT_OFFLINE forbids the download")
            download(source, folder / name, on_progress=on_progress)
        except UnavailableError as error:
            raise UnavailableError(
                f"{name} of MNIST is not in {folder} and could not be downloaded: {error}",
                hint=f"Put {IMAGES} and {LABELS} there.",
            ) from None
    pixels, digits = (_read(folder / name) for name in _DOWNLOADS)
    if digits.max() > 9 or np.bincount(digits, minlength=10).min() < 2:
        raise DamagedFileError(f"{folder / LABELS} does not hold two of each of the ten digits")
    digest = hashlib.sha256(pixels.tobytes() + digits.tobytes()).hexdigest()
    return Mnist(pixels.reshape(_N, _SIDE, _SIDE), digits, digest)


def _read(path: Path) -> NDArray[np.uint8]:
    """Unpack a file, no more of it than it should hold."""
    header, size = _HEADERS[path.name], _SIZES[path.name]
    try:
        if not path.is_file():
            raise OSError("it is no regular file")
        with gzip.open(path) as file:
            content = file.read(len(header) + size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedFileError(f"{path} cannot be unpacked: {brief(error)}", hint="Fetch it again.") from None
    if not content.startswith(header) or len(content) != len(header) + size:
        raise DamagedFileError(f"{path} is not MNIST's test set of {_N:,} digits", hint="Fetch it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=len(header))
