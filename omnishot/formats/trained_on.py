"""What is reported with a model's results: the images it was trained on, and its own settings."""

from omnishot.formats.box import BoxFacts
from omnishot.formats.evaluation import TrainedOn
from omnishot.formats.manifest_fields import ModelFacts, PairsFacts
from omnishot.store.artifact import Artifact
from omnishot.store.box import is_boxed
from omnishot.store.store import Store


def trained_on(store: Store, model: Artifact) -> TrainedOn:
    """Return what is reported with a model's results: the data it was trained on, and its own settings."""
    parent = model.manifest.parent("pairs")
    found = store.parent(parent) if parent else None
    own = ModelFacts.of(model.manifest).settings
    pairs = parent.reference if parent else None
    if found is None and is_boxed(model):
        return BoxFacts.of(model.manifest).trained_on
    if found is None:
        return TrainedOn(pairs=pairs, seed=own.seed, twin=own.twin, objective=own.objective.kind)
    facts = PairsFacts.of(found.manifest)
    return TrainedOn(
        pairs=pairs,
        seed=own.seed,
        twin=own.twin,
        objective=own.objective.kind,
        source=facts.summary.source,
        train_alphabets=facts.summary.train_alphabets,
        train_drawers=facts.summary.train_drawers,
        validation_alphabets=facts.summary.validation_alphabets,
        validation_drawers=facts.summary.validation_drawers,
        split=facts.settings.split,
        holdout=facts.settings.holdout,
        affine=facts.settings.affine,
        train_pairs=facts.settings.pairs,
    )
