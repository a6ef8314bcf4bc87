"""The images of a file as if they were in memory: an index reads what it needs."""

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from omnishot.formats.hdf5 import open_hdf5, reading_from
from omnishot.formats.images import pixels_of


class StoredPixels:
    """Images of an `images.h5` or `pairs.h5`; sent to another process, it opens the file there.

    Attributes:
        device: Where pixels are read to, main memory.
    """

    device = torch.device("cpu")

    def __init__(self, path: Path) -> None:
        """Remember the file; the first index opens it."""
        self._path = path
        self._stored: h5py.Dataset | None = None
        self._process = os.getpid()
        self._open_files = contextlib.ExitStack()

    def __getitem__(self, images: Tensor) -> Tensor:
        """Read the pixels of images, shape (n, side, side), uint8, by their indices, shape (n,).

        Raises:
            DamagedFileError: An image cannot be read.
        """
        stored = self._opened_pixels()
        pixels = np.empty((len(images), *stored.shape[1:]), dtype=np.uint8)
        with reading_from(stored.file):
            for place, image in enumerate(images.tolist()):  # h5py is slow with lists of indices.
                pixels[place] = stored[image]
        return torch.from_numpy(pixels)

    def _opened_pixels(self) -> h5py.Dataset:
        if self._stored is None or self._process != os.getpid():  # A fork must not share the position in a file.
            self._process = os.getpid()
            self._stored = pixels_of(self._open_files.enter_context(open_hdf5(self._path)))
        return self._stored

    def __reduce__(self) -> tuple[type["StoredPixels"], tuple[Path]]:
        """Pickle as the path: an open file cannot go to another process."""
        return StoredPixels, (self._path,)
