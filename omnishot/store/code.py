"""Which modules decide what an artifact of each kind holds, and their digest: edited code is seen to be other code."""

import functools
import hashlib
from importlib.resources import files

_IMAGES = (
    "data/class_index.py",
    "data/copies.py",
    "data/image_set.py",
    "formats/hdf5.py",
    "formats/images.py",
    "formats/manifest_fields.py",
    "vocabulary.py",
)
_DRAWN = ("data/affine.py", "data/pairs.py", "data/render.py", "data/splits.py", "formats/pairs.py", "seeding.py")
_NETWORK = (
    "formats/model.py",
    "model/conv4.py",
    "model/device.py",
    "model/efficientnet_lite0.py",
    "model/koch.py",
    "model/photo_twin.py",
    "model/residual.py",
    "model/siamese.py",
    "model/whitening.py",
)
_MEASURED = ("data/episodes.py", "evaluation/embedding.py", "evaluation/oneshot.py", "evaluation/verification.py")

MODULES: dict[str, tuple[str, ...]] = {
    "images": (
        *_IMAGES,
        "data/glyphs.py",
        "data/sources/decoding.py",
        "data/sources/files.py",
        "data/sources/findings.py",
        "data/sources/folder.py",
        "data/sources/folder_tree.py",
        "data/sources/glyphs.py",
        "data/sources/ink.py",
        "data/sources/layout.py",
        "data/sources/litter.py",
        "data/sources/mnist.py",
        "data/sources/omniglot.py",
        "data/sources/photos.py",
        "data/sources/pictures.py",
        "data/sources/zip_archive.py",
        "seeding.py",
        "stages/prepare.py",
    ),
    "pairs": (*_IMAGES, *_DRAWN, "formats/rendered.py", "stages/prepare.py"),
    "models": (
        *_IMAGES,
        *_DRAWN,
        *_NETWORK,
        *_MEASURED,
        "data/pixels.py",
        "evaluation/intervals.py",
        "formats/history.py",
        "formats/streamed_pixels.py",
        "model/imagenet_weights.py",
        "stages/checkpointer.py",
        "stages/photo_data.py",
        "stages/train.py",
        "stages/trainer.py",
        "stages/whitening.py",
        "training/classes_objective.py",
        "training/history.py",
        "training/image_loading.py",
        "training/loop.py",
        "training/objective.py",
        "training/optimizer.py",
        "training/pair_head.py",
        "training/pairs_objective.py",
        "training/position.py",
        "training/processes.py",
        "training/schedules.py",
    ),
    "evals": (
        *_IMAGES,
        *_DRAWN,
        *_NETWORK,
        *_MEASURED,
        "data/pixels.py",
        "evaluation/baselines.py",
        "evaluation/hausdorff.py",
        "evaluation/intervals.py",
        "formats/evaluation.py",
        "formats/evaluation_data.py",
        "formats/scores.py",
        "formats/streamed_pixels.py",
        "formats/trained_on.py",
        "stages/evaluate.py",
        "stages/evaluation_settings.py",
    ),
    "galleries": (
        *_NETWORK,
        "data/affine.py",
        "data/drawings.py",
        "data/pixels.py",
        "data/render.py",
        "data/sources/decoding.py",
        "data/sources/files.py",
        "data/sources/folder_tree.py",
        "data/sources/ink.py",
        "data/sources/photos.py",
        "data/sources/litter.py",
        "data/sources/zip_archive.py",
        "data/thinning.py",
        "evaluation/embedding.py",
        "evaluation/intervals.py",
        "formats/exported.py",
        "formats/gallery.py",
        "formats/hdf5.py",
        "model/imagenet_weights.py",
        "formats/manifest_fields.py",
        "recognition/calibration.py",
        "recognition/drawing_preparation.py",
        "recognition/enrollment.py",
        "recognition/example_images.py",
        "recognition/examples.py",
        "recognition/gallery.py",
        "recognition/gallery_calibration.py",
        "recognition/gallery_versions.py",
        "recognition/images.py",
        "recognition/loading.py",
        "recognition/photo_preparation.py",
        "recognition/look_alikes.py",
        "recognition/recognizer.py",
        "recognition/thresholds.py",
        "recognition/thumbnails.py",
        "seeding.py",
        "vocabulary.py",
    ),
}
"""By kind, what a stage's recipe version speaks for; `tests/store/test_code.py` says when it has to be raised."""


@functools.cache
def code_digest(kind: str) -> str:
    """Return one SHA-256 over the source of the modules that decide a kind's content, as first found by this process.

    Raises:
        OSError: The source of this program cannot be read.
    """
    digest = hashlib.sha256()
    for name in sorted(set(MODULES[kind])):
        content = files("omnishot").joinpath(name).read_bytes()
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
