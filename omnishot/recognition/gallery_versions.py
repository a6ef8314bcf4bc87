"""Which version of a gallery is meant, with which model it is used, and how the next one is published."""

import contextlib
import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import version

from omnishot.errors import NotFoundError, UnavailableError, UsageError
from omnishot.formats.gallery import EmbeddedBy, Gallery, Thumbnails, read_gallery, write_gallery
from omnishot.recognition.gallery import CompareEmbeddings
from omnishot.recognition.loading import load, path_in, usual_model
from omnishot.recognition.recognizer import Recognizer
from omnishot.store.artifact import Artifact
from omnishot.store.recipe import Recipe
from omnishot.store.remake import command_line
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName, InkName

_RECIPE = 1


@dataclass(frozen=True, slots=True)
class OpenGallery:
    """A gallery and what compares images with it.

    Attributes:
        artifact: Its version.
        gallery: What it holds.
        recognizer: The model that made its embeddings.
    """

    artifact: Artifact
    gallery: Gallery
    recognizer: Recognizer

    @property
    def compare(self) -> CompareEmbeddings:
        """The similarity of the model."""
        return self.recognizer.compare_embeddings

    def ink(self, asked: InkName | None) -> InkName:
        """Return how further images are read: as was asked for, else as those of the gallery."""
        return asked or self.gallery.settings.ink or "auto"


def open_gallery(store: Store, reference: str, *, device: DeviceName = "auto") -> OpenGallery:
    """Read a gallery and load its model.

    Raises:
        NotFoundError: There is no such gallery, or its model is gone.
        UsageError: The model of that name is another than the one that made the embeddings.
    """
    artifact = store.find(reference, "galleries")
    gallery = read_gallery(artifact)
    return OpenGallery(artifact, gallery, model_of(store, artifact, gallery, device=device))


def newest_version(store: Store, opened: OpenGallery, reference: str, *, device: DeviceName = "auto") -> OpenGallery:
    """Return what a reference to an open gallery leads to by now, which another process may have made meanwhile."""
    artifact = store.find(reference, "galleries")
    return opened if artifact.reference == opened.artifact.reference else open_gallery(store, reference, device=device)


def model_of(store: Store, artifact: Artifact, gallery: Gallery, *, device: DeviceName = "auto") -> Recognizer:
    """Load the model that made a gallery's embeddings.

    Raises:
        NotFoundError: It is gone.
        UsageError: Another one has its name now.
    """
    made_by, again = gallery.settings.model, enroll_again_hint(store, artifact.manifest.name)
    try:
        recognizer = load(made_by.reference, device=device, store=store)
    except NotFoundError as error:
        raise NotFoundError(
            f"{artifact.reference} was made by {made_by.reference}, and that model is gone: {error}", hint=again
        ) from None
    refuse_another_model(recognizer, artifact, gallery, hint=again)
    return recognizer


def refuse_another_model(recognizer: Recognizer, artifact: Artifact, gallery: Gallery, *, hint: str) -> None:
    """Check that a model is the one that made a gallery's embeddings.

    Raises:
        UsageError: It is another.
    """
    made_by = gallery.settings.model
    if (recognizer.digest, recognizer.dimensions) != (made_by.digest, gallery.embeddings.shape[1]):
        raise UsageError(
            f"{artifact.reference} holds embeddings of {made_by.reference} ({made_by.digest[:12]}), which are not "
            f"comparable with those of {recognizer.name} ({recognizer.digest[:12]})",
            hint=hint,
        )


def enroll_again_hint(store: Store, name: str, model: str | None = None) -> str:
    """Return the sentence that says how another model enrolls a gallery again."""
    line = command_line(store.root, "enroll", name, "--again", "--model", model or "MODEL")
    return f"Enroll it again with another model: `{line}`."


def chosen_model(store: Store, asked: str | None, *, device: DeviceName) -> tuple[Recognizer, str]:
    """Load the model of a new gallery: the one asked for, else the newest of the store, else one in the box.

    Returns:
        The model, and a sentence that says which one was chosen, or an empty one.
    """
    if asked is not None:
        return load(asked, device=device, store=store), ""
    try:
        newest = str(store.newest("models").reference)
    except NotFoundError:
        recognizer = load(usual_model(), device=device, store=store)
        return recognizer, f"Model: {recognizer.name}, in the box, as the store has none; --model names another"
    return load(newest, device=device, store=store), f"Model: {newest}, the newest in the store; --model names another"


def embedded_by(recognizer: Recognizer, asked: str | None) -> EmbeddedBy:
    """Return what a gallery says of its model; one that was named by its path, and no reference, is found there again.

    Args:
        recognizer: The model.
        asked: What was asked for, or None.
    """
    reference = recognizer.name
    if asked is not None and (path := path_in(asked)):
        reference = str(path.resolve())
    return EmbeddedBy(reference=reference, digest=recognizer.digest, preparation=recognizer.preparation)


def newest_gallery(store: Store, name: str) -> Artifact | None:
    """Return the newest version of a gallery, or None where there is none.

    Raises:
        DamagedFileError: It cannot be read.
    """
    with contextlib.suppress(NotFoundError):
        return store.find(name, "galleries")
    return None


def publish_version(
    store: Store, name: str, gallery: Gallery, thumbnails: Thumbnails | None, *, argv: list[str] | None = None
) -> Artifact:
    """Publish the next version of a gallery; call it while the store is `changing` that gallery.

    Args:
        store: Where it goes.
        name: Name of the gallery.
        gallery: What it holds.
        thumbnails: Small pictures of its examples, if they are kept.
        argv: The command line to record, where the real one should not be.

    Raises:
        UnavailableError: The disk is full or the store cannot be written.
    """
    parents = []
    with contextlib.suppress(NotFoundError, UsageError, UnavailableError):  # A file, or the model photos as it comes.
        parents = [store.find(gallery.settings.model.reference, "models").as_parent()]
    settings = {"content": _content_digest(gallery), "thumbnails": thumbnails is not None}
    recipe = Recipe("galleries", _RECIPE, settings, parents)
    with store.producing(recipe), store.publish(recipe, name) as staging:
        write_gallery(staging.path, gallery, thumbnails)
        staging.environment |= {"omnishot": version("omnishot"), "python": platform.python_version()}
        staging.summary |= _summary(gallery)
        staging.argv = argv
    if staging.published is None:
        raise RuntimeError("publish ended without an artifact")
    return staging.published


def _content_digest(gallery: Gallery) -> str:
    """Return one digest of everything that was enrolled, and of how it is read."""
    digest = hashlib.sha256(json.dumps(gallery.settings.model_dump(), sort_keys=True).encode())
    for text in (gallery.classes, gallery.files):
        digest.update("\n".join(text).encode() + b"\0")
    for array in (gallery.of_class, gallery.digests):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _summary(gallery: Gallery) -> dict[str, object]:
    settings = gallery.settings
    return {
        "classes": len(gallery.classes),
        "examples": len(gallery),
        "model": settings.model.reference,
        "preparation": settings.model.preparation,
        "threshold": settings.threshold,
        "calibrated": settings.calibration is not None,
    }
