"""What a page is about: evaluations, the models they measured, and what both descend from."""

from dataclasses import dataclass

from omnishot.formats.evaluation import TrainedOn
from omnishot.reporting.results import Measured, is_baseline, measured_in
from omnishot.reporting.tables import Tables, tables_of
from omnishot.store.artifact import Artifact
from omnishot.store.lineage import Ancestor, ancestors
from omnishot.store.store import Store
from omnishot.vocabulary import PROTOCOLS

_ORDER: tuple[str, ...] = PROTOCOLS


@dataclass(frozen=True, slots=True)
class Subject:
    """The material of a page.

    Attributes:
        store: Where the artifacts are.
        evaluations: What is reported, the oldest first.
        measured: Every result in them.
        tables: Those that the results fill.
        models: References of the networks that were measured, those of the latest evaluation first.
        artifacts: All in the store that can be read.
    """

    store: Store
    evaluations: list[Artifact]
    measured: list[Measured]
    tables: Tables
    models: list[str]
    artifacts: list[Artifact]

    @classmethod
    def of(cls, store: Store, evaluations: list[Artifact]) -> "Subject":
        """Collect the material.

        Raises:
            DamagedFileError: The results of an evaluation cannot be read.
        """
        measured = measured_in(evaluations)
        place = {str(artifact.reference): place for place, artifact in enumerate(evaluations)}
        latest_first = sorted(measured, key=lambda item: -place[item.evaluation])
        models = dict.fromkeys(item.result.model for item in latest_first if not is_baseline(item.result.model))
        return cls(store, evaluations, measured, tables_of(measured), list(models), store.artifacts(damaged={}))

    @property
    def first_model(self) -> str | None:
        """The network that was measured last, and first in its evaluation; None where there is none."""
        return self.models[0] if self.models else None

    def artifact(self, reference: str) -> Artifact | None:
        """Return an artifact, or None if it is no longer in the store, be it that another has its name now."""
        meant = [
            parent for item in self.evaluations for parent in item.manifest.parents if parent.reference == reference
        ]
        named = (artifact for artifact in self.artifacts if str(artifact.reference) == reference)
        return next((artifact for artifact in named if all(map(artifact.is_meant_by, meant))), None)

    def model_artifacts(self) -> list[Artifact]:
        """Return the networks that are still in the store."""
        return [artifact for model in self.models if (artifact := self.artifact(model))]

    def made_from(self, artifact: Artifact, kind: str) -> Artifact | None:
        """Return what an artifact was made from, or what stands for it; None if it is no longer in the store.

        Raises:
            DamagedFileError: It is there but cannot be read.
        """
        parent = artifact.manifest.parent(kind)
        return self.store.parent(parent, among=self.artifacts, contents=False) if parent else None

    def data_of(self, evaluation: Artifact) -> Artifact | None:
        """Return the images that an evaluation was measured on."""
        return self.made_from(evaluation, "pairs") or self.made_from(evaluation, "images")

    def evaluation(self, item: Measured) -> Artifact:
        """Return the evaluation that a result is from."""
        return next(artifact for artifact in self.evaluations if str(artifact.reference) == item.evaluation)

    def ancestors(self) -> list[Ancestor]:
        """Return the evaluations and all they descend from once, parents before children."""
        found = ancestors(self.store, self.evaluations, among=self.artifacts)
        return sorted(found, key=lambda ancestor: -ancestor.depth)

    def trained_on(self, model: str) -> TrainedOn | None:
        """Return what the evaluations say of a model's training, or None if they say nothing."""
        return next((item.trained_on for item in self.measured if item.result.model == model and item.trained_on), None)

    def widest(self) -> list[Measured]:
        """Return for each network, protocol, part and data the result with the most ways, in reading order."""
        found: dict[tuple[object, ...], Measured] = {}
        for item in self.measured:
            result = item.result
            if not is_baseline(result.model):
                key = (result.model, result.protocol, result.on, result.shots, item.data, item.seed, result.trials)
                if key not in found or (result.ways or 0) > (found[key].result.ways or 0):
                    found[key] = item
        return sorted(found.values(), key=self._rank)

    def _rank(self, item: Measured) -> tuple[int, bool, int]:
        result = item.result
        return self.models.index(result.model), result.on != "test", _ORDER.index(result.protocol)
