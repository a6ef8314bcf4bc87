"""From a name to a recognizer: a model in the box, a reference, a model's folder, or an exported file."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError, NotFoundError, UsageError
from omnishot.formats.exported import read_exported
from omnishot.formats.manifest_fields import TrainingFacts, source_of
from omnishot.formats.model import read_network, read_settings
from omnishot.model.device import choose_compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.recognizer import Recognizer, digest_of
from omnishot.store.artifact import Artifact
from omnishot.store.box import short_names
from omnishot.store.digests import Digests
from omnishot.store.reference import parse
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName

_LIKE_OMNIGLOT = {"omniglot", "glyphs"}
"""Sources after whose images drawings are made to look."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained network, and how images get to it.

    Attributes:
        name: What it is called in messages.
        network: The network.
        settings: Those it was trained with.
        preparation: What is done to images first.
        artifact: The artifact it is from, or None for an exported file.
    """

    name: str
    network: SiameseNetwork = field(repr=False)
    settings: TrainSettings
    preparation: DrawingPreparation
    artifact: Artifact | None = None

    @classmethod
    def read(cls, model: str | os.PathLike[str], store: Store) -> "TrainedModel":
        """Read the model that a name, a reference or a path means; see `load`.

        Raises:
            NotFoundError: There is no such model.
            DamagedFileError: It cannot be read.
        """
        path = path_in(model)
        if path is None:
            artifact = store.find(os.fspath(model), "models")
        elif path.is_dir():
            artifact = Artifact.read(path.resolve(), Digests())
        elif path.exists():
            return _exported(path)
        else:
            raise NotFoundError(f"There is no model {path}", hint="Name a model's folder, or a file that was exported.")
        settings = read_settings(artifact.file("config.yaml"))
        network = read_network(artifact.file("weights.safetensors"), settings)
        return cls(str(artifact.reference), network, settings, _preparation_for(store, artifact), artifact)


def usual_model() -> str:
    """Return the short name of the most accurate model for drawings in the box."""
    return short_names()[0]


def load(
    model: str | os.PathLike[str], *, device: DeviceName = "auto", store: "Store | str | os.PathLike[str] | None" = None
) -> Recognizer:
    """Return what recognises by a trained network.

    Args:
        model: A model in the box (`best`, `quick`, `photos`), a reference such as `koch:v2`, the path of a model's
            folder, or of a file that `omnishot export` wrote. A model in the store wins over one of the same name in
            the box.
        device: Where it runs.
        store: The store, or its folder; by default what OMNISHOT_STORE says, else `./artifacts`.

    Raises:
        NotFoundError: There is no such model.
        OmnishotError: It cannot be read, or there is no such device.
    """
    compute = choose_compute(device, "fp32")
    if not isinstance(store, Store):
        store = Store(Path(store or os.environ.get("OMNISHOT_STORE") or "artifacts"))
    trained = TrainedModel.read(model, store)
    return Recognizer(trained.name, trained.network, trained.preparation, compute)


def path_in(model: str | os.PathLike[str]) -> Path | None:
    """Return the path that is meant, or None for a name or a reference: `quick` is never a folder of that name."""
    if not isinstance(model, str) or model.endswith(".safetensors"):
        return Path(model)
    try:
        parse(model)
    except UsageError:
        return Path(model) if model and Path(model).exists() else None
    return None


def _preparation_for(store: Store, artifact: Artifact) -> DrawingPreparation:
    """Return how a model sees drawings: as Omniglot's where it was trained on such, else as it was trained."""
    source = TrainingFacts.of(artifact.manifest).summary.source
    parent = artifact.manifest.parent("pairs")
    if source is None and parent and (pairs := store.parent(parent)):
        source = source_of(pairs.manifest)
    return DrawingPreparation() if source is None or source in _LIKE_OMNIGLOT else DrawingPreparation(look=None)


def _exported(path: Path) -> TrainedModel:
    said = read_exported(path)
    trained = TrainedModel(
        str(path), read_network(path, said.settings), said.settings, DrawingPreparation(said.preparation.look)
    )
    if digest_of(trained.network, trained.preparation) != said.digest:
        raise DamagedFileError(f"{path} is damaged: its weights are not those that its digest says")
    return trained
