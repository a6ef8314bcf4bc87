"""What the user should know of images that were read and divided, in sentences."""

from collections.abc import Iterator

import numpy as np

from omnishot.data.image_set import Labels
from omnishot.data.sources import Source
from omnishot.formats.images import labels_of
from omnishot.formats.manifest_fields import ImagesFacts, PairsFacts
from omnishot.store.artifact import Artifact
from omnishot.vocabulary import BUILT_IN_SOURCES, PARTS
from omnishot.wording import counted, listed

_SHOWN = 3


def notes_of_images(source: Source, images: Artifact) -> Iterator[str]:
    """Yield what the user should know of images of their own, when they are read and when they are used again."""
    if source.note:
        yield source.note
    if source.name not in BUILT_IN_SOURCES:
        summary = ImagesFacts.of(images.manifest).summary
        yield f"Read {counted(summary.images, 'picture')} of {counted(summary.characters, 'class')}"
        if not source.name.isascii():
            yield f"Names of artifacts have Latin letters alone: these are {images.reference}; --name names the pairs"
        yield from source.notes
        yield from summary.findings.notes
        if source.photos:
            colours = "colour" if source.photos.colour else "grey"
            yield f"They are kept as photographs, in {colours}, {source.photos.side} pixels a side, without variants"
        elif source.look and (look := source.look()).is_photos:
            yield (
                f"They look like photographs ({look.why}) but are read as drawings; --colour keeps them as they are, "
                "for `omnishot train --preset photos`"
            )
        if single := single_classes(labels_of(images)):
            have = "class has" if len(single) == 1 else "classes have"
            yield (
                f"{len(single):,} of {summary.characters:,} {have} one picture only ({listed(single, shown=_SHOWN)}): "
                "compared with others, and never asked for"
            )


def single_classes(labels: Labels) -> list[str]:
    """Return the names of the classes that have one image."""
    n_images = np.bincount(labels.character, minlength=len(labels.character_names))
    return [labels.character_names[number] for number in np.flatnonzero(n_images == 1)]


def notes_of_split(pairs: Artifact, n_alphabets: int) -> Iterator[str]:
    """Yield which part of the split has how many classes and images; where all are of one alphabet, there is none."""
    summary = PairsFacts.of(pairs.manifest).summary
    if not any(summary.images.get(part) for part in PARTS if part != "test") and summary.images:
        here = f"{counted(summary.images['test'], 'image')} of {counted(summary.classes['test'], 'class')}"
        yield f"All {here} are the test part: `eval --source` measures on them, and nothing can be trained"
        return
    parts = [
        f"{part} {counted(summary.classes[part], 'class')}, {counted(n_images, 'image')}"
        for part, n_images in summary.images.items()
        if part in summary.classes
    ]
    if parts:
        split = pairs.manifest.settings["split"]
        yield f"Split {'by class' if split == 'alphabets' and n_alphabets == 1 else split}: {'; '.join(parts)}"
    if n := summary.in_two_parts:
        yield (
            f"{counted(n, 'picture')} of the train or validation part {'lies' if n == 1 else 'lie'} in a later part "
            "too, pixel for pixel, as another class"
        )
    for part in PARTS:
        if summary.images.get(part) and part not in summary.pairs:
            yield f"No class of the {part} part has 2 images, so that there are no pairs to verify on"
