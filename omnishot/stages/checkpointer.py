"""The state of a run: saved at intervals while it trains, and restored to continue it."""

import time
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import DamagedFileError, InputError
from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store
from omnishot.training.loop import Trainer


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
    """Saves the state of a run, so that it can be resumed."""

    def __init__(self, trainer: Trainer, store: Store, recipe: Recipe, every: Interval, *, resumed: bool) -> None:
        """Look for an earlier checkpoint of the recipe, which is kept until a run that did not resume it is as far."""
        self._trainer, self._store, self._recipe, self._every = trainer, store, recipe, every
        self._kept = (0, 0) if resumed else _progress_kept(trainer, store.resume_folder(recipe))
        self._saved_at, self._steps = time.monotonic(), 0

    def save(self) -> None:
        """Save the state, unless an earlier checkpoint is further."""
        # The state of an interrupted run is worth more than that of the same run started over, until this is as far.
        if (self._trainer.position.epoch, self._trainer.position.step) >= self._kept:
            write_checkpoint(self._store.prepare_resume_folder(self._recipe), self._trainer.state())

    def after_step(self) -> None:
        """Save the state if the interval is over."""
        self._steps += 1
        if self._every.steps and self._steps % self._every.steps == 0:
            self.save()
        elif self._every.seconds is not None and time.monotonic() - self._saved_at >= self._every.seconds:
            self.save()
            self._saved_at = time.monotonic()


def _progress_kept(trainer: Trainer, folder: Path) -> tuple[int, int]:
    """Return epoch and step of a checkpoint, or zeros where there is none of this run that can be read."""
    try:
        state = read_checkpoint(folder, most_bytes=trainer.state_rules.most_bytes)
        trainer.state_rules.check(state)
        return state["position"]["epoch"], state["position"]["step"]
    except (InputError, ValueError):
        return 0, 0


def restore(trainer: Trainer, folder: Path) -> None:
    """Continue from the checkpoint in a folder.

    Raises:
        NotFoundError: There is none.
        DamagedFileError: It is none of this run.
    """
    state = read_checkpoint(folder, most_bytes=trainer.state_rules.most_bytes)
    try:
        trainer.load_state(state)
    except ValueError as error:
        hint = "Run without --resume."
        raise DamagedFileError(f"{folder / CHECKPOINT} is no state of this run: {error}", hint=hint) from None
