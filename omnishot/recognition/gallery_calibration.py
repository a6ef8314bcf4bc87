"""calibrate: images of others give a gallery its threshold, and say what to expect of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from omnishot.errors import UsageError
from omnishot.formats.gallery import Calibration, Gallery, read_gallery, read_thumbnails
from omnishot.progress import OnProgress, Progress, silent
from omnishot.recognition.calibration import Others, calibrate, of_another_kind
from omnishot.recognition.enrollment import GalleryChange
from omnishot.recognition.example_images import digest_of_folder, labelled_images
from omnishot.recognition.examples import Examples, sound_examples
from omnishot.recognition.gallery_versions import model_of, publish_version
from omnishot.recognition.thresholds import expected
from omnishot.store.artifact import Artifact
from omnishot.store.lineage import lineage
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName
from omnishot.wording import counted, listed

_SHOWN = 8
_SAME_KIND = (
    "That holds for strangers like the others: these should be of the same kind as what is enrolled, in the same "
    "script and made in the same way"
)


def calibrate_gallery(
    store: Store,
    name: str,
    source: Path,
    *,
    accept_strangers: float = 0.01,
    skip_bad: bool = False,
    device: DeviceName = "auto",
    on_progress: OnProgress = silent,
) -> GalleryChange:
    """Make a version of a gallery with a threshold from images of others, and with what to expect of it.

    Args:
        store: Where the gallery is.
        name: Its name.
        source: A folder or zip archive with a folder of images for each class.
        accept_strangers: Share of strangers that may be accepted.
        skip_bad: Leave out what cannot be read, instead of refusing all.
        device: Where the model runs.
        on_progress: Receives progress.

    Raises:
        SamplingError: There are too few others.
        DamagedFileError: Images cannot be read, all of them named.
    """
    found = labelled_images([str(source)])
    with store.changing("galleries", name):
        before = store.find(name, "galleries")
        gallery, thumbnails = read_gallery(before), read_thumbnails(before)
        recognizer = model_of(store, before, gallery, device=device)
        ink = gallery.settings.ink or "auto"
        read, said = sound_examples(recognizer, found, ink=ink, skip_bad=skip_bad, on_progress=on_progress)
        others, enrolled = without_enrolled(read, gallery)
        on_progress(Progress("Calibrating", 0, 0))
        embedded = Others(others.embeddings, others.of_class)
        result = calibrate(embedded, gallery, recognizer.compare_embeddings, accept_strangers=accept_strangers)
        kinds = list(of_another_kind(embedded, gallery, recognizer.compare_embeddings))
        calibration = Calibration(
            threshold=result.threshold, accept_strangers=accept_strangers, enrolled=len(gallery.classes),
            source=source.resolve().name, source_digest=digest_of_folder(source), classes=len(others.classes),
            images=len(others), strangers_accepted=result.strangers_accepted, turned_away=result.turned_away,
            misnamed=result.misnamed, enrolled_digest=gallery.enrolled_digest,
        )  # fmt: skip
        made = replace(gallery, settings=gallery.settings.model_copy(update={"calibration": calibration}))
        artifact = publish_version(store, name, made, thumbnails)
    trained = _said_of_training(store, artifact, calibration.source_digest)
    notes = (*said, *enrolled, *trained, *kinds, *expected(calibration, made, name), _SAME_KIND)
    return GalleryChange(artifact, made, notes)


def without_enrolled(examples: Examples, gallery: Gallery) -> tuple[Examples, list[str]]:
    """Return the examples of classes that are not in a gallery, by name or by an image, and what was left out.

    Raises:
        UsageError: All of them are.
    """
    known = {digest.tobytes() for digest in gallery.digests}
    is_image = np.array([digest.tobytes() in known for digest in examples.digests], np.bool_)
    is_enrolled = np.isin(np.arange(len(examples.classes)), examples.of_class[is_image])
    is_enrolled |= np.isin(examples.classes, gallery.classes)
    if is_enrolled.all():
        raise UsageError(
            f"All {counted(len(examples.classes), 'class')} are in the gallery, by their names or images",
            hint="Calibrate on others: what is known says nothing about strangers.",
        )
    if not is_enrolled.any():
        return examples, []
    names = [name for name, is_known in zip(examples.classes, is_enrolled, strict=True) if is_known]
    are = "is" if len(names) == 1 else "are"
    said = f"{listed(names, shown=_SHOWN)} {are} in the gallery, and left out of the calibration"
    return examples.only(~is_enrolled[examples.of_class]), [said]


def _said_of_training(store: Store, artifact: Artifact, digest: str) -> Iterator[str]:
    """Yield that the model was trained on the images of the calibration, where it was."""
    for ancestor in lineage(store, artifact):
        source = ancestor.artifact.manifest.source if ancestor.artifact else None
        if source and source["digest"] == digest:
            yield (
                "The model was trained on these images, which look more different to it than others do: expect more "
                "strangers to be accepted than is said here, and calibrate on others"
            )
