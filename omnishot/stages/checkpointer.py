"""A trainer at work: its state is kept now and then, a signal stops it in order, and its steps can be profiled."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from omnishot.errors import DamagedFileError, InputError, StoppedError, UnavailableError
from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint
from omnishot.progress import OnProgress, silent
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store
from omnishot.training.loop import Trainer

_PROFILED_STEPS = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """How often the state of a run is saved: one of the two.

    Attributes:
        seconds: Between two checkpoints, saving not counted.
        steps: Between two checkpoints.
    """

    seconds: float | None = None
    steps: int | None = None


EVERY_MINUTE = Interval(seconds=60)
"""The usual interval: a second of writing costs two percent, a kill at most a minute."""


class Checkpointer:
    """Keeps the state of a run aside, so that it can be resumed."""

    def __init__(self, trainer: Trainer, store: Store, recipe: Recipe, every: Interval, *, resumed: bool) -> None:
        """Look at what is kept already.

        Args:
            trainer: Whose state is kept.
            store: Where.
            recipe: What the run makes.
            every: How often.
            resumed: Whether the run continues what is kept.
        """
        self._trainer, self._store, self._recipe, self._every = trainer, store, recipe, every
        self._kept = (0, 0) if resumed else _progress_kept(store.resume_folder(recipe))
        self._saved_at, self._steps = time.monotonic(), 0

    def save(self) -> None:
        """Save the state, unless one is kept that is further."""
        # The state of an interrupted run is worth more than that of the same run started over, until this is as far.
        if (self._trainer.position.epoch, self._trainer.position.step) >= self._kept:
            write_checkpoint(self._store.prepare_resume_folder(self._recipe), self._trainer.state())

    def after_step(self) -> None:
        """Save the state where the interval is over."""
        self._steps += 1
        if self._every.steps and self._steps % self._every.steps == 0:
            self.save()
        elif self._every.seconds is not None and time.monotonic() - self._saved_at >= self._every.seconds:
            self.save()
            self._saved_at = time.monotonic()


def _progress_kept(folder: Path) -> tuple[int, int]:
    """Return epoch and step of the state that is kept, or zeros where there is none that could be read."""
    try:
        position = read_checkpoint(folder)["position"]
        return int(position["epoch"]), int(position["step"])
    except (InputError, KeyError, TypeError, ValueError):
        return 0, 0


def restore(trainer: Trainer, folder: Path) -> None:
    """Continue from the state that is kept in a folder.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: It is none of this run.
    """
    try:
        trainer.load_state(read_checkpoint(folder))
    except (KeyError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "Run without --resume."
        raise DamagedFileError(f"{folder / CHECKPOINT} is no state of this run: {reason}", hint=hint) from None


def run_to_end(
    trainer: Trainer,
    checkpointer: Checkpointer,
    *,
    on_progress: OnProgress = silent,
    stopped_by: Callable[[], int | None],
    after_steps: Iterable[Callable[[], None]],
) -> None:
    """Train until the end.

    Args:
        trainer: Ready to run.
        checkpointer: Keeps its state.
        on_progress: Receives progress.
        stopped_by: Returns the number of the signal that asked the run to stop, or None.
        after_steps: Called after each step, in order.

    Raises:
        StoppedError: A signal came; the state is kept.
    """
    stopped: dict[str, Any] = {}

    def should_stop() -> bool:
        stopped["signal"] = stopped_by()
        return stopped["signal"] is not None

    def save() -> None:
        checkpointer.after_step()
        for after_step in after_steps:
            after_step()

    if not trainer.run(on_progress=on_progress, should_stop=should_stop, save=save):
        checkpointer.save()
        position = trainer.position
        raise StoppedError(
            f"Stopped in epoch {position.epoch + 1} after {position.seconds:.0f} seconds of training",
            signal_number=stopped["signal"] or signal.SIGTERM,  # Or it came to another process.
            hint="The state is kept: the same command with --resume continues exactly.",
        )


@contextlib.contextmanager
def profiled(path: Path | None, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Write a trace of a few steps of what runs in the block.

    Args:
        path: The file, for chrome://tracing or Perfetto; None profiles nothing.
        tell: Takes what the user should know.

    Yields:
        What has to be called after each step.

    Raises:
        UnavailableError: The file cannot be written.
    """
    if path is None:
        yield lambda: None
        return
    is_new, seen = not path.exists(), list[int]()
    _refuse_unwritable(path)

    def write(profiler: torch.profiler.profile) -> None:
        if profiler.step_num > 2:
            profiler.export_chrome_trace(str(path))
            seen.append(profiler.step_num)

    # The first step allocates and looks for kernels, the second one warms the profiler up.
    plan = torch.profiler.schedule(wait=1, warmup=1, active=_PROFILED_STEPS, repeat=1)
    try:
        with torch.profiler.profile(schedule=plan, on_trace_ready=write, record_shapes=True) as profiler:
            yield profiler.step
    finally:
        if is_new and not seen:
            path.unlink(missing_ok=True)
    if seen:
        tell(f"Profiled steps 3 to {seen[0]}: open {path} in https://ui.perfetto.dev or chrome://tracing")
    else:
        tell("Nothing was profiled: that takes a run of three steps")


def _refuse_unwritable(path: Path) -> None:
    try:
        path.open("ab").close()
    except OSError as error:
        raise UnavailableError(f"--profile {path} cannot be written: {error}", hint="Name another file.") from None
