"""enroll: images become examples of a gallery's classes, in a new version of the gallery."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from omnishot.errors import DamagedFileError, NotFoundError, UsageError
from omnishot.formats.gallery import Gallery, GallerySettings, Thumbnails, read_gallery, read_thumbnails
from omnishot.progress import OnProgress, silent
from omnishot.recognition.example_images import LabelledImage, LabelledImages, said_of_problems
from omnishot.recognition.examples import (
    Examples,
    examples_of,
    ink_of,
    merged,
    read_examples,
    sound_examples,
    without_copies,
)
from omnishot.recognition.gallery import CompareEmbeddings, provisional
from omnishot.recognition.gallery_versions import (
    chosen_model,
    embedded_by,
    enroll_again_hint,
    model_of,
    newest_gallery,
    publish_version,
    refuse_another_model,
)
from omnishot.recognition.images import NamedImage
from omnishot.recognition.loading import load
from omnishot.recognition.look_alikes import look_alikes
from omnishot.recognition.recognizer import Recognizer
from omnishot.recognition.thresholds import threshold_notes
from omnishot.store.artifact import Artifact
from omnishot.store.reference import check_name
from omnishot.store.store import Store
from omnishot.vocabulary import DeviceName, InkName
from omnishot.wording import counted, did_you_mean, listed

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class GalleryChange:
    """A new version of a gallery.

    Attributes:
        artifact: The version.
        gallery: What it holds.
        notes: What the user should know, one sentence each.
    """

    artifact: Artifact
    gallery: Gallery
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrollmentOptions:
    """How images are enrolled.

    Attributes:
        model: Reference, name or folder of the model; by default that of the gallery, or for a new one the newest.
        existing: What becomes of a name that is there already: `refuse`, `add` examples to it, or `replace` them.
        embeddings_only: Keep no thumbnails, of what was enrolled before neither.
        ink: What is ink; by default as in the gallery, or for a new one as in most of the images.
        skip_bad: Leave out what cannot be read, instead of refusing all.
        device: Where the model runs.
    """

    model: str | None = None
    existing: Literal["refuse", "add", "replace"] = "refuse"
    embeddings_only: bool = False
    ink: InkName | None = None
    skip_bad: bool = False
    device: DeviceName = "auto"


def enroll(
    store: Store, name: str, found: LabelledImages, options: EnrollmentOptions, *, on_progress: OnProgress = silent
) -> GalleryChange:
    """Add examples to a gallery, or make a new one; there is no training, and no fewest number.

    Args:
        store: Where the gallery is.
        name: Its name; its newest version is the one that is added to.
        found: The images, each with its class.
        options: How they are enrolled.
        on_progress: Receives progress.

    Raises:
        UsageError: A class is there already, or the model is not the gallery's.
        DamagedFileError: Images cannot be read, all of them named.
    """
    check_name(name)
    with store.changing("galleries", name):
        before = newest_gallery(store, name)
        gallery = read_gallery(before) if before else None
        if gallery:
            _refuse_known_classes(gallery, found.images, options, name)
        recognizer, choice = _model(store, before, gallery, options)
        thumbnails = read_thumbnails(before) if before and not options.embeddings_only else None
        keeps_thumbnails = not options.embeddings_only and (before is None or thumbnails is not None)
        ink = options.ink or (gallery and gallery.settings.ink) or "auto"
        ink = ink_of(recognizer, [image.image for image in found.images], ink)
        new, said = sound_examples(
            recognizer, found, ink=ink, skip_bad=options.skip_bad, keeps_thumbnails=keeps_thumbnails,
            on_progress=on_progress,
        )  # fmt: skip
        examples, copies = without_copies(_with(gallery, thumbnails, new, options))
        settings = gallery.settings if gallery else _settings(recognizer, ink, options.model)
        made = _gallery(settings, examples, recognizer.compare_embeddings)
        artifact = publish_version(store, name, made, _kept(examples, keeps_thumbnails))
    notes = [
        choice, *said, *copies,
        *([_said_of_ink(ink)] if not gallery and settings.ink else []),
        *_said_of_thumbnails(before is not None, options, keeps_thumbnails, name),
        *look_alikes(made, recognizer.compare_embeddings, new.identities), *threshold_notes(made, name),
    ]  # fmt: skip
    return GalleryChange(artifact, made, tuple(note for note in notes if note))


def enroll_again(
    store: Store, name: str, model: str, *, device: DeviceName = "auto", on_progress: OnProgress = silent
) -> GalleryChange:
    """Make a version of a gallery with another model, from the thumbnails that it keeps.

    Raises:
        NotFoundError: There is no such gallery, or it keeps none.
        DamagedFileError: A thumbnail cannot be read.
    """
    with store.changing("galleries", name):
        before = store.find(name, "galleries")
        gallery, thumbnails = read_gallery(before), read_thumbnails(before)
        if thumbnails is None:
            raise NotFoundError(
                f"{before.reference} keeps no pictures that {model} could enroll",
                hint="Enroll the images themselves, in a gallery of another name.",
            )
        recognizer = load(model, device=device, store=store)
        images = [
            LabelledImage(gallery.classes[number], file, NamedImage(f"The thumbnail of {file}", small))
            for number, file, small in zip(gallery.of_class.tolist(), gallery.files, thumbnails, strict=True)
        ]
        ink = ink_of(recognizer, [image.image for image in images], gallery.settings.ink or "auto")
        new, bad = read_examples(recognizer, images, ink=ink, keeps_thumbnails=False, on_progress=on_progress)
        if bad:
            raise DamagedFileError(said_of_problems(bad), hint="Enroll the images themselves, in another gallery.")
        examples = replace(examples_of(gallery, thumbnails), embeddings=new.embeddings)
        made = _gallery(_settings(recognizer, ink, model), examples, recognizer.compare_embeddings)
        artifact = publish_version(store, name, made, thumbnails)
    notes = [f"Embedded again by {recognizer.name}, from thumbnails"]
    if gallery.settings.calibration:
        notes.append("The calibration was of the other model, and is gone")
    return GalleryChange(artifact, made, (*notes, *threshold_notes(made, name)))


def remove(store: Store, name: str, classes: Sequence[str]) -> GalleryChange:
    """Make a version of a gallery without some classes.

    Raises:
        NotFoundError: There is no such gallery, or it has no such class.
        UsageError: No class would be left.
    """
    with store.changing("galleries", name):
        before = store.find(name, "galleries")
        gallery, thumbnails = read_gallery(before), read_thumbnails(before)
        for wanted in classes:
            if wanted not in gallery.classes:
                raise NotFoundError(
                    f"{before.reference} has no class '{wanted}'{did_you_mean(wanted, gallery.classes)}",
                    hint=f"`omnishot gallery show {name}` lists its {counted(len(gallery.classes), 'class')}.",
                )
        if set(classes) == set(gallery.classes):
            raise UsageError(
                f"{before.reference} has no other class, and a gallery is not empty",
                hint=f"To be rid of all of it, remove the folder {before.path.parent}.",
            )
        gone = np.isin(gallery.of_class, [gallery.classes.index(wanted) for wanted in classes])
        examples = examples_of(gallery, thumbnails).only(~gone)
        made = _gallery(gallery.settings, examples, _similarity(store, before, gallery))
        unnamed = ["omnishot", "gallery", "remove", name]  # Who was removed is not named in what stays.
        artifact = publish_version(store, name, made, _kept(examples, thumbnails is not None), argv=unnamed)
    notes = (f"Earlier versions still hold {listed(classes, shown=_SHOWN)}; `omnishot gc --purge {name}` deletes them",)
    return GalleryChange(artifact, made, (*notes, *threshold_notes(made, name)))


def _similarity(store: Store, before: Artifact, gallery: Gallery) -> CompareEmbeddings | None:
    """Return the similarity of a gallery's model; somebody can be removed even where that is gone."""
    try:
        return model_of(store, before, gallery).compare_embeddings
    except (NotFoundError, UsageError):
        return None


def _model(
    store: Store, before: Artifact | None, gallery: Gallery | None, options: EnrollmentOptions
) -> tuple[Recognizer, str]:
    if before is None or gallery is None:
        return chosen_model(store, options.model, device=options.device)
    if options.model is None:
        return model_of(store, before, gallery, device=options.device), ""
    recognizer = load(options.model, device=options.device, store=store)
    hint = enroll_again_hint(store, before.manifest.name, options.model)
    refuse_another_model(recognizer, before, gallery, hint=hint)
    return recognizer, ""


def _settings(recognizer: Recognizer, ink: InkName, model: str | None) -> GallerySettings:
    return GallerySettings(model=embedded_by(recognizer, model), ink=None if ink == "auto" else ink)


def _refuse_known_classes(
    gallery: Gallery, images: Sequence[LabelledImage], options: EnrollmentOptions, name: str
) -> None:
    known = sorted({image.class_name for image in images} & set(gallery.classes))
    if known and options.existing == "refuse":
        are = "is" if len(known) == 1 else "are"
        raise UsageError(
            f"{listed(known, shown=_SHOWN)} {are} in the gallery {name} already",
            hint="--add gives them these images as further examples, --replace takes these instead.",
        )


def _with(
    gallery: Gallery | None, thumbnails: Thumbnails | None, new: Examples, options: EnrollmentOptions
) -> Examples:
    """Return the examples of a gallery, less those that are replaced, and the new ones."""
    if gallery is None:
        return new
    old = examples_of(gallery, thumbnails)
    if options.existing == "replace":
        replaced = [number for number, name in enumerate(gallery.classes) if name in set(new.classes)]
        old = old.only(~np.isin(old.of_class, replaced))
    return merged(old, new)


def _gallery(settings: GallerySettings, examples: Examples, compare: CompareEmbeddings | None) -> Gallery:
    gallery = Gallery(
        settings, examples.classes, examples.of_class, examples.embeddings, examples.digests, examples.files
    )
    if compare is None:
        return gallery
    threshold = provisional(gallery, compare)
    return replace(gallery, settings=settings.model_copy(update={"provisional": threshold}))


def _kept(examples: Examples, keeps_thumbnails: bool) -> Thumbnails | None:
    return Thumbnails.of(examples.thumbnails) if keeps_thumbnails else None


def _said_of_ink(ink: InkName) -> str:
    drawn = {"dark": "dark on a lighter ground", "light": "light on a darker ground"}[ink]
    return f"The images are read as drawn {drawn}, and so will others be; --ink says otherwise"


def _said_of_thumbnails(is_known: bool, options: EnrollmentOptions, keeps: bool, name: str) -> Iterator[str]:
    if is_known and not keeps and not options.embeddings_only:
        yield "The gallery keeps no thumbnails, and none of these"
    if is_known and options.embeddings_only:
        yield f"No thumbnails are kept from here on; `omnishot gc --purge {name}` deletes the versions that have them"
