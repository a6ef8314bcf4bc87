"""A trace of a few training steps, as torch's profiler sees them."""

import contextlib
import errno
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from omnishot.errors import UnavailableError
from omnishot.store.atomic_write import write_for_user

_PROFILED_STEPS = 10


@dataclass(frozen=True, slots=True)
class StepProfiler:
    """Follows the steps of a run, if there is anything to write."""

    _profile: torch.profiler.profile | None

    def after_step(self) -> None:
        """Tell torch that a step is over."""
        if self._profile:
            self._profile.step()


@contextlib.contextmanager
def profiled(path: Path | None, tell: Callable[[str], None]) -> Iterator[StepProfiler]:
    """Write a trace of a few of the steps that the block takes.

    Args:
        path: The file, for chrome://tracing or Perfetto; None profiles nothing.
        tell: Takes what the user should know.

    Raises:
        UnavailableError: The file cannot be written.
    """
    if path is None:
        yield StepProfiler(None)
        return
    seen = list[int]()
    _refuse_unwritable(path)

    def write(profile: torch.profiler.profile) -> None:
        if profile.step_num > 2:
            _write(profile, path)
            seen.append(profile.step_num)

    # The first step allocates and looks for kernels, the second one warms the profiler up.
    plan = torch.profiler.schedule(wait=1, warmup=1, active=_PROFILED_STEPS, repeat=1)
    with torch.profiler.profile(schedule=plan, on_trace_ready=write, record_shapes=True) as profile:
        yield StepProfiler(profile)
    if seen:
        tell(f"Profiled steps 3 to {seen[0]}: open {path} in https://ui.perfetto.dev or chrome://tracing")
    else:
        tell("Nothing was profiled: that takes a run of three steps")


def _refuse_unwritable(path: Path) -> None:
    """Look before the training whether the trace can be written after it."""
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
    except OSError as error:
        raise UnavailableError(f"--profile {path} cannot be written: {error}", hint="Name another file.") from None


def _write(profile: torch.profiler.profile, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / f"trace{path.suffix}"  # Which decides whether torch packs it.
        profile.export_chrome_trace(str(aside))
        write_for_user(path, aside.read_bytes())
