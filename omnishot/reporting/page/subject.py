"""What a page is about: evaluations, the models they measured, what both descend from, and how to make what lacks."""

from dataclasses import dataclass
from typing import Any

from omnishot.config import EvalSettings, PrepareSettings
from omnishot.presets import preset_names
from omnishot.reporting.results import measured_in
from omnishot.reporting.tables import Measured, is_baseline
from omnishot.settings_text import check
from omnishot.store.artifact import Artifact
from omnishot.store.lineage import Ancestor, lineage
from omnishot.store.reference import parse
from omnishot.store.remake import command_line, evaluation_words, prepare_words
from omnishot.store.store import Store
from omnishot.vocabulary import BUILT_IN_SOURCES


@dataclass(frozen=True, slots=True)
class Reported:
    """The material of a page.

    Attributes:
        store: Where the artifacts are.
        evaluations: What is reported, the oldest first.
        measured: Every result in them.
        models: References of the networks that were measured, those of the latest evaluation first.
        artifacts: All there are in the store.
    """

    store: Store
    evaluations: list[Artifact]
    measured: list[Measured]
    models: list[str]
    artifacts: list[Artifact]

    @classmethod
    def of(cls, store: Store, evaluations: list[Artifact]) -> "Reported":
        """Collect the material.

        Raises:
            DamagedFileError: The figures of an evaluation cannot be read.
        """
        measured = measured_in(evaluations)
        latest_first = sorted(measured, key=lambda item: -_place(item, evaluations))
        models = dict.fromkeys(item.result.model for item in latest_first if not is_baseline(item.result.model))
        return cls(store, evaluations, measured, list(models), store.artifacts())

    def artifact(self, reference: str) -> Artifact | None:
        """Return an artifact, or None if it is no longer in the store."""
        return next((artifact for artifact in self.artifacts if str(artifact.reference) == reference), None)

    def made_from(self, artifact: Artifact, kind: str) -> Artifact | None:
        """Return what an artifact was made from, or what stands for it; None if it is no longer in the store."""
        parent = artifact.manifest.parent(kind)
        return self.store.parent(parent, among=self.artifacts, contents=False) if parent else None

    def data_of(self, evaluation: Artifact) -> Artifact | None:
        """Return the images that an evaluation was measured on."""
        return self.made_from(evaluation, "pairs") or self.made_from(evaluation, "images")

    def evaluation(self, item: Measured) -> Artifact | None:
        """Return the evaluation that a result is from."""
        return next((artifact for artifact in self.evaluations if str(artifact.reference) == item.evaluation), None)

    def ancestors(self) -> list[Ancestor]:
        """Return the evaluations and all they descend from once, parents before children, else the oldest first."""
        found: dict[str, Ancestor] = {}
        for evaluation in self.evaluations:
            for ancestor in lineage(self.store, evaluation, among=self.artifacts):
                before = found.get(ancestor.reference)
                if before is None or before.depth < ancestor.depth:
                    found[ancestor.reference] = ancestor
        return sorted(found.values(), key=_age)

    def trained_on(self, model: str) -> dict[str, Any]:
        """Return what the evaluations say of a model's training."""
        found = (dict(item.trained_on) for item in self.measured if item.result.model == model and item.trained_on)
        return next(found, {})

    def prepare_line(self, said: dict[str, Any]) -> str:
        """Return the command that makes a pair dataset again, as far as the evaluations know it."""
        if "source" not in said:
            return command_line(self.store.root, "prepare")
        source = said["source"] if said["source"] in BUILT_IN_SOURCES else "PATH"
        values = {"split": said["split"], "holdout": said["holdout"], "affine": said["affine"]}
        settings = check(PrepareSettings, {**values, "pairs": said["train_pairs"]}, origin=said["pairs"] or "pairs")
        return command_line(self.store.root, "prepare", "--source", source, *prepare_words(settings, said["source"]))

    def train_line(self, model: str) -> str:
        """Return a command that makes a model of that name again; its settings are known no more."""
        said, name = self.trained_on(model), parse(model).name
        words = [said["pairs"]] if said.get("pairs") else []
        words += ["--preset", name] if name in preset_names() else ["--name", name]
        words += ["--set", f"seed={said['seed']}"] if said.get("seed") else []
        return command_line(self.store.root, "train", *words)

    def eval_line(self, model: str | None, settings: EvalSettings, *, source: str | None = None) -> str:
        """Return the command that measures, after those that make what it needs and the store does not hold.

        Args:
            model: Reference, or None where there is no model yet.
            settings: What to measure.
            source: Images other than those of the model's pair dataset.
        """
        steps = []
        if model is None:
            steps.append(command_line(self.store.root, "train"))
        else:
            found, said = self.artifact(model), self.trained_on(model)
            if not (self.made_from(found, "pairs") if found else self.artifact(str(said.get("pairs")))):
                steps.append(self.prepare_line(said))
            if not found:
                steps.append(self.train_line(model))
        words = ([model] if model else []) + (["--source", source] if source else [])
        return " &&\n".join([*steps, command_line(self.store.root, "eval", *words, *evaluation_words(settings))])


def _age(ancestor: Ancestor) -> tuple[int, str]:
    return -ancestor.depth, ancestor.artifact.manifest.created if ancestor.artifact else ""


def _place(item: Measured, evaluations: list[Artifact]) -> int:
    return [str(artifact.reference) for artifact in evaluations].index(item.evaluation)


def number_in(summary: dict[str, Any], name: str) -> float | None:
    """Return a number of a manifest's summary, which may hold anything, or None."""
    value = summary.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value is not None else None
