"""Where a step's pixels come from: from the device, or from a file, ahead of the device and in bounded memory."""

import multiprocessing
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from omnishot.config import DataSettings
from omnishot.data.pixels import Pixels
from omnishot.errors import OmnishotError, UnavailableError, brief
from omnishot.model.device import Compute
from omnishot.training.objective import Objective

_AHEAD = 2
"""Batches that each reader keeps ready."""


class Images(Protocol):
    """Gives each step its pixels."""

    def take(self, images: Tensor, *, epoch: int, step: int) -> Tensor:
        """Return the pixels of a step on the device.

        Args:
            images: Image indices of the step's batch, shape (n,).
            epoch: Counted from 0.
            step: Step within the epoch, counted from 0.

        Returns:
            Shape (n, h, h), uint8.
        """

    def close(self) -> None:
        """Release what is held for later steps."""


class ResidentImages:
    """All images on the device: a step gathers its own there."""

    def __init__(self, pixels: Tensor) -> None:
        """Take all images, shape (n, h, h), uint8, on the device."""
        self._pixels = pixels

    def take(self, images: Tensor, *, epoch: int, step: int) -> Tensor:
        """Return the pixels of a step on the device; see `Images`."""
        return self._pixels[images.to(self._pixels.device, non_blocking=True)]

    def close(self) -> None:
        """Do nothing."""


class StreamedImages:
    """Images that other processes read ahead of the device, at most a few batches each."""

    def __init__(self, pixels: Pixels, objective: Objective, settings: DataSettings, compute: Compute) -> None:
        """Start nothing yet: the first step decides where the stream begins.

        Args:
            pixels: Where to read; it is sent to the readers.
            objective: Knows the batches to come; its image indices are in main memory.
            settings: How many readers, and how they start.
            compute: The device.
        """
        self._pixels, self._objective, self._settings, self._compute = pixels, objective, settings, compute
        self._stream: Iterator[Any] | None = None

    def take(self, images: Tensor, *, epoch: int, step: int) -> Tensor:
        """Return the pixels of a step on the device; steps have to come in their order.

        Raises:
            OmnishotError: A reader could not read.
            RuntimeError: A reader ended; torch may raise it at any moment of a run. See `lost_reader`.
        """
        if self._stream is None:
            self._stream = self._started(epoch, step)
        found, pixels = next(self._stream)
        if isinstance(pixels, OmnishotError):
            raise pixels
        if found != (epoch, step):
            raise RuntimeError(f"step {(epoch, step)} was given the images of step {found}")
        return torch.from_numpy(pixels).to(self._compute.device, non_blocking=True)

    def _started(self, epoch: int, step: int) -> Iterator[Any]:
        loader = DataLoader(
            _Reading(self._pixels),
            batch_size=None,
            collate_fn=_unchanged,
            sampler=_Upcoming(self._objective, epoch, step),
            num_workers=self._settings.readers,
            prefetch_factor=_AHEAD,
            multiprocessing_context=self._settings.start_method,
            generator=torch.Generator(),  # Else it draws from the global one.
            worker_init_fn=_end_with_parent,
        )
        # Signals may reach the readers too, but it is this process that ends them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            return iter(loader)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def close(self) -> None:
        """End the readers."""
        self._stream = None


def lost_reader(error: RuntimeError) -> UnavailableError | None:
    """Return what to tell the user if the error is torch's way to say that a reader ended, else None."""
    if "DataLoader worker" not in str(error):
        return None
    return UnavailableError(
        f"A process that reads images ended: {brief(str(error).partition(chr(10))[0])}",
        hint="If memory was short, fewer readers take less: --set data.readers=1. --resume continues from the last "
        "checkpoint, if there is one.",
    )


def _end_with_parent(reader: int) -> None:
    """Have a reader end at once when the training does, however that ends; torch looks every five seconds only."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _unchanged(batch: Any) -> Any:
    return batch


class _Upcoming(Sampler[tuple[tuple[int, int], Tensor]]):
    """The images of every step from one on, without an end."""

    def __init__(self, objective: Objective, epoch: int, step: int) -> None:
        self._objective, self._start = objective, (epoch, step)

    def __iter__(self) -> Iterator[tuple[tuple[int, int], Tensor]]:
        epoch, step = self._start
        while True:
            yield (epoch, step), self._objective.batch(epoch, step).images
            epoch, step = (epoch, step + 1) if step + 1 < self._objective.steps_per_epoch else (epoch + 1, 0)


class _Reading(Dataset[tuple[tuple[int, int], NDArray[np.uint8] | OmnishotError]]):
    """What a reader does; it sends arrays, as tensors would need shared memory, of which containers have little."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    def __getitem__(
        self, wanted: tuple[tuple[int, int], Tensor]
    ) -> tuple[tuple[int, int], NDArray[np.uint8] | OmnishotError]:
        place, images = wanted
        try:
            return place, self._pixels[images].numpy()
        except OmnishotError as error:  # As a value: else it would arrive with this process's traceback as its text.
            return place, error
