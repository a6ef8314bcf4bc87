"""From a name to a recognizer: a model in the box, a reference, a model's folder, or an exported file."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from omnishot.config import TrainSettings, WhiteningObjective
from omnishot.errors import DamagedFileError, NotFoundError, UnavailableError, UsageError
from omnishot.formats.exported import read_exported
from omnishot.formats.manifest_fields import TrainingFacts, source_of
from omnishot.formats.model import read_network, read_settings
from omnishot.machine import with_home
from omnishot.model.device import choose_compute
from omnishot.model.imagenet_weights import pretrained_network
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.photo_preparation import PhotoPreparation
from omnishot.recognition.recognizer import Preparation, Recognizer, digest_of
from omnishot.store.artifact import Artifact
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
    preparation: Preparation
    artifact: Artifact | None = None

    @classmethod
    def read(cls, model: str | os.PathLike[str], store: Store) -> "TrainedModel":
        """Read the model that a name, a reference or a path means; see `load`.

        Raises:
            NotFoundError: There is no such model.
            UnavailableError: `photos` lacks the package of its weights.
            DamagedFileError: It cannot be read.
        """
        path = path_in(model)
        if path is None:
            try:
                artifact = store.find(os.fspath(model), "models")
            except UnavailableError:  # In the box it is a network without an artifact.
                return _photos()
        elif path.is_dir():
            artifact = Artifact.read(path.resolve(), Digests())
        elif path.exists():
            return _exported(path)
        else:
            raise NotFoundError(f"There is no model {path}", hint="Name a model's folder, or a file that was exported.")
        settings = read_settings(artifact.file("config.yaml"))
        network = read_network(artifact.file("weights.safetensors"), settings)
        preparation = _preparation_for(store, artifact, network)
        return cls(str(artifact.reference), network, settings, preparation, artifact)


def usual_model() -> str:
    """Return the short name of the model in the box that is used where none is named: accurate, and fast."""
    return "quick"


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
        UsageError: The store's folder is an empty text.
        UnavailableError: `photos` lacks the package of its weights.
        OmnishotError: It cannot be read, or there is no such device.
    """
    compute = choose_compute(device, "fp32")  # Whatever the machine, so that a digest stands for one kind of vectors.
    if not isinstance(store, Store):
        folder = os.environ.get("OMNISHOT_STORE", "artifacts") if store is None else os.fspath(store)
        if not folder.strip():
            raise UsageError("The store's folder is empty", hint="Give a folder, or leave it out.")
        store = Store(with_home(Path(folder)))
    trained = TrainedModel.read(model, store)
    return Recognizer(trained.name, trained.network, trained.preparation, compute)


def _photos() -> TrainedModel:
    """Return the network for photographs that has not been fitted to any."""
    settings = TrainSettings(twin="lite0", objective=WhiteningObjective(head="cosine"), epochs=1)
    network = pretrained_network()
    return TrainedModel("photos", network, settings, PhotoPreparation(network.twin.side))


def path_in(model: str | os.PathLike[str]) -> Path | None:
    """Return the path that is meant, or None for a name or a reference: `quick` is never a folder of that name."""
    if not isinstance(model, str) or model.endswith(".safetensors"):
        return Path(model)
    try:
        parse(model)
    except UsageError:
        return Path(model) if model and Path(model).exists() else None
    return None


def _preparation_for(store: Store, artifact: Artifact, network: SiameseNetwork) -> Preparation:
    """Return how a model sees drawings: as Omniglot's where it was trained on such, else as it was trained."""
    if isinstance(network.twin, PhotoTwin):
        return PhotoPreparation(network.twin.side)
    source = TrainingFacts.of(artifact.manifest).summary.source
    parent = artifact.manifest.parent("pairs")
    if source is None and parent and (pairs := store.parent(parent)):
        source = source_of(pairs.manifest)
    return DrawingPreparation() if source is None or source in _LIKE_OMNIGLOT else DrawingPreparation(look=None)


def _exported(path: Path) -> TrainedModel:
    said = read_exported(path)
    network = read_network(path, said.settings)
    drawn = said.preparation.kind == "drawing"
    preparation = DrawingPreparation(said.preparation.look) if drawn else PhotoPreparation(network.twin.side)
    trained = TrainedModel(str(path), network, said.settings, preparation)
    if digest_of(trained.network, trained.preparation) != said.digest:
        raise DamagedFileError(f"{path} is damaged: its weights are not those that its digest says")
    return trained
