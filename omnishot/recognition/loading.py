"""From a name to a recognizer: one of the models in the box, a reference, or a path."""

import os
from pathlib import Path

from omnishot.errors import NotFoundError
from omnishot.formats.model import read_model
from omnishot.model.device import Compute, choose_compute
from omnishot.model.imagenet_weights import pretrained_network
from omnishot.model.photo_twin import PhotoTwin
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.photo_preparation import PhotoPreparation
from omnishot.recognition.recognizer import Recognizer
from omnishot.store.artifact import Artifact
from omnishot.store.digests import Digests
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName


def load(
    model: str | os.PathLike[str], *, device: DeviceName = "auto", store: "Store | str | os.PathLike[str] | None" = None
) -> Recognizer:
    """Return what recognises by a trained network.

    Args:
        model: A model in the box (`best`, `quick`, `photos`), a reference such as `koch:v2`, or the path of a model's
            folder. A model in the store of the same name wins over one in the box.
        device: Where it runs.
        store: The store, or its folder; by default what OMNISHOT_STORE says, else `./artifacts`.

    Raises:
        NotFoundError: There is no such model.
        UnavailableError: `photos` lacks the package of its weights.
        OmnishotError: It cannot be read, or there is no such device.
    """
    compute = choose_compute(device, "fp32")
    if not isinstance(store, Store):
        store = Store(Path(store or os.environ.get("OMNISHOT_STORE") or "artifacts"))
    try:
        artifact = _find(model, store)
    except NotFoundError:
        if model != "photos":
            raise
        name, network = "photos", pretrained_network()
    else:
        name = str(artifact.reference)
        network = read_model(artifact.file("weights.safetensors"), artifact.file("config.yaml"))
    if not isinstance(network.twin, PhotoTwin):
        return Recognizer(name, network, DrawingPreparation(), compute)
    return Recognizer(name, network, PhotoPreparation(network.twin.side), _fast(device, compute))


def _fast(device: DeviceName, usual: Compute) -> Compute:
    """Return bfloat16 where a CPU computes it natively: a photograph takes a third of the time, and names no worse."""
    chosen = choose_compute(device, "auto")
    return chosen if chosen.device.type == "cpu" else usual


def _find(model: str | os.PathLike[str], store: Store) -> Artifact:
    if not isinstance(model, str) or Path(model).is_dir():
        path = Path(model)
        if not path.is_dir():
            raise NotFoundError(f"There is no model folder {path}", hint="Name a reference, or a model's folder.")
        return Artifact.read(path.resolve(), Digests())
    return store.find(model, "models")
