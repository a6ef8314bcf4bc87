"""`history.jsonl`: how a training went, one line per epoch."""

import json
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from omnishot.config import MOST_EPOCHS
from omnishot.errors import DamagedFileError
from omnishot.store.atomic_write import write_new
from omnishot.store.text_file import read_text
from omnishot.store.validation import first_problem
from omnishot.training.history import EpochRecord, TrainingHistory

_MOST_BYTES = 64_000_000
_LINE = TypeAdapter(EpochRecord)


def write_history(path: Path, history: TrainingHistory) -> None:
    """Write a history, each line with the attributes of `EpochRecord` in their order."""
    lines = [json.dumps(asdict(record), allow_nan=False) + "\n" for record in history]
    write_new(path, "".join(lines).encode())


def read_history(path: Path) -> TrainingHistory:
    """Read a history.

    Raises:
        DamagedFileError: A line is not what an epoch should be.
    """
    history = []
    lines = read_text(path, most_bytes=_MOST_BYTES).splitlines()
    if len(lines) > MOST_EPOCHS:
        raise DamagedFileError(f"{path} has {len(lines):,} lines; {MOST_EPOCHS:,} epochs are the most there are")
    for number, line in enumerate(lines, start=1):
        try:
            history.append(_LINE.validate_json(line, strict=True))
        except ValidationError as error:
            raise DamagedFileError(f"{path} is no history: line {number}: {first_problem(error)}") from None
    return history
