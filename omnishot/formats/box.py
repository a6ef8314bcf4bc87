"""What the manifest of a model in the box says besides: what it was trained on, and how it was measured."""

import json
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from omnishot.errors import DamagedFileError
from omnishot.formats.evaluation import Result, TrainedOn
from omnishot.store.manifest import Manifest
from omnishot.store.validation import Line, first_problem


class BoxFacts(BaseModel):
    """Where a model in the box comes from; its ancestors are not in the box.

    Attributes:
        trained_on: What it was trained on.
        data_digest: Content digest of the source behind it.
        commit: Commit of omnishot that trained it.
        note: What was done otherwise than its preset says, or an empty string.
        results: Every accuracy on its card.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    trained_on: TrainedOn
    data_digest: Line
    commit: Line
    note: Line = ""
    results: tuple[Result, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Return the facts of a model in the box.

        Raises:
            DamagedFileError: The manifest lacks one of them.
        """
        try:
            return cls.model_validate_json(json.dumps(manifest.summary.get("box")))
        except ValidationError as error:
            raise DamagedFileError(
                f"The manifest of {manifest.reference} is damaged: {first_problem(error)}",
                hint="Install omnishot again.",
            ) from None

    def as_written(self) -> dict[str, object]:
        """Return what a manifest holds of them."""
        values = self.model_dump(mode="json")
        return {**values, "trained_on": self.trained_on.as_written()}
