"""prepare: images become an `images` artifact once, and a pair dataset with affine variants."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnishot.config import PrepareSettings, usual_split
from omnishot.data.affine import draw_affine
from omnishot.data.class_index import ClassIndex
from omnishot.data.copies import first_equal
from omnishot.data.image_set import Labels
from omnishot.data.pairs import Pairs, draw_pairs
from omnishot.data.sources import Source, open_source
from omnishot.data.splits import Split, split_images, usual_split_of
from omnishot.errors import OmnishotError, SamplingError, SettingsError
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels, write_images
from omnishot.formats.manifest_fields import ImagesFacts, PairsFacts
from omnishot.formats.pairs import write_pairs
from omnishot.naming import as_name, pairs_name
from omnishot.progress import OnProgress, Progress, silent
from omnishot.seeding import generator
from omnishot.stages.produce import StageResult, produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.store import Store
from omnishot.vocabulary import BUILT_IN_SOURCES, PARTS
from omnishot.wording import counted, listed

_BUILT_IN_RECIPE, _OWN_IMAGES_RECIPE = 1, 2
_PAIRS_RECIPES = {False: 1, True: 2}
"""Of images that are divided as before, and of those with classes of one image, which are divided after the others."""

_SHOWN = 3
_MOST_VARIANTS = 100_000_000
_PAIRS_PER_BLOCK = 1 << 14


def prepare_images(
    store: Store, source: Source, *, force: bool = False, on_progress: OnProgress = silent
) -> StageResult:
    """Decode a source's images into a store, once per content unless forced."""

    def build(staging: Staging) -> None:
        images = source.read(on_progress)
        write_images(staging.path / "images.h5", images, on_progress=on_progress)
        labels = images.labels
        staging.summary |= {
            "images": len(labels),
            "alphabets": len(labels.alphabet_names),
            "characters": len(labels.character_names),
            "runs": len(images.runs.support) if images.runs else 0,
        }
        staging.summary |= summary_of(source)
        if images.findings:
            staging.summary["findings"] = {**asdict(images.findings), "notes": list(images.findings.notes)}

    origin = {"name": source.name, "digest": source.digest}
    version = _BUILT_IN_RECIPE if source.name in BUILT_IN_SOURCES else _OWN_IMAGES_RECIPE
    recipe = Recipe("images", version, dict(source.settings), [], origin)
    with _noted(source.notes):
        made = produce(store, recipe, as_name(source.name), build, force=force)
        return replace(made, notes=(*made.notes, *_found(source, made.artifact)))


@contextlib.contextmanager
def _noted(notes: Sequence[str]) -> Iterator[None]:
    """Have an error say first what a result would have said."""
    try:
        yield
    except OmnishotError as error:
        for note in notes:
            error.add_note(note)
        raise


def summary_of(source: str | Source | None) -> dict[str, list[Any]]:
    """Return what a summary says of how a source was read: options that were asked for, the shape of photographs."""
    if not isinstance(source, Source):
        return {}
    summary: dict[str, list[Any]] = {"source_options": list(source.options)} if source.options else {}
    return summary | ({"image_shape": list(source.photos.shape)} if source.photos else {})


def _found(source: Source, images: Artifact) -> Iterator[str]:
    """Yield what the user should know of images of their own, when they are read and when they are used again."""
    if source.note:
        yield source.note
    if source.name not in BUILT_IN_SOURCES:
        summary = ImagesFacts.of(images.manifest).summary
        yield f"Read {counted(summary.images, 'picture')} of {counted(summary.characters, 'class')}"
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


def prepare(
    store: Store,
    settings: PrepareSettings | None = None,
    *,
    source: str | Source = "omniglot",
    preferred: Mapping[str, Any] | None = None,
    name: str | None = None,
    force: bool = False,
    on_progress: OnProgress = silent,
) -> StageResult:
    """Make a pair dataset.

    Args:
        store: Where the artifacts go.
        settings: What to draw; a split that they do not name is the source's usual one.
        source: The images, or their name or path as for `open_source`.
        preferred: Split and holdout for Omniglot where the settings name no split.
        name: Name of the artifact; by default it says source, pairs and variants.
        force: Make a new version even if there is one.
        on_progress: Receives progress.

    Raises:
        OmnishotError: The source cannot be read, or has too few images for the pairs.
    """
    if name is not None:
        check_name(name)
    if isinstance(source, str):
        source = open_source(source, on_progress=on_progress)
    read = prepare_images(store, source, on_progress=on_progress)
    with _noted(read.notes):
        settings = _resolved(settings or PrepareSettings(), source, preferred or {}, labels_of(read.artifact))
        return _pairs_of(store, read, settings, source, name=name, force=force, on_progress=on_progress)


def _pairs_of(
    store: Store,
    read: StageResult,
    settings: PrepareSettings,
    source: Source,
    *,
    name: str | None,
    force: bool,
    on_progress: OnProgress,
) -> StageResult:
    """Make the pair dataset of images that were read; arguments as for `prepare`."""
    images = read.artifact
    labels = labels_of(images)
    version = _PAIRS_RECIPES[settings.split == "alphabets" and bool(single_classes(labels))]
    recipe = Recipe("pairs", version, settings.model_dump(mode="json"), [images.as_parent()])

    def build(staging: Staging) -> None:
        images_file = images.file("images.h5")
        split = split_images(labels, settings.split, holdout=settings.holdout)
        pairs = _draw_all(labels, split, settings, on_progress)
        n_train = len(pairs.get("train", ()))
        variants = {side: _variants(settings, n_train, side) for side in ("left", "right")}
        on_progress(Progress("Storing pairs", 0, 0))
        target = staging.path / "pairs.h5"
        write_pairs(
            target, images_file=images_file, split=split, pairs=pairs, n_variants=settings.affine, variants=variants
        )
        if settings.materialize:
            from omnishot.formats.rendered import write_rendered  # Deferred: torch takes seconds.

            write_rendered(target, store.prepare_resume_folder(recipe), tell=store.tell, on_progress=on_progress)
        facts = ImagesFacts.of(images.manifest).summary
        staging.summary |= _summary(source, labels, split, pairs, settings, facts.runs)
        staging.summary |= summary_of(source)
        if facts.findings.in_two_classes:
            staging.summary["in_two_parts"] = _in_two_parts(images, split)

    made = produce(store, recipe, name or pairs_name(source.name, settings), build, force=force, notes=read.notes)
    return replace(made, notes=(*made.notes, *_divided(made.artifact, len(labels.alphabet_names))))


def _in_two_parts(images: Artifact, split: Split) -> int:
    """Return how many pictures have an equal one in a later part of the split, pixel for pixel."""
    with open_hdf5(images.file("images.h5")) as file:
        first = first_equal(read_pixels(file))
    parts = [set(first[getattr(split, part)].tolist()) for part in PARTS]
    return len(parts[0] & (parts[1] | parts[2])) + len(parts[1] & parts[2] - parts[0])


def labels_of(images: Artifact) -> Labels:
    """Read what each image of an images artifact shows."""
    with open_hdf5(images.file("images.h5")) as file:
        return read_labels(file)


def _divided(pairs: Artifact, n_alphabets: int) -> Iterator[str]:
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


def _resolved(
    settings: PrepareSettings, source: Source, preferred: Mapping[str, Any], labels: Labels
) -> PrepareSettings:
    """Return settings that fit the source; what is preferred is for Omniglot, where no split is asked for."""
    if "split" not in settings.model_fields_set:
        usual = usual_split_of(labels, usual_split(source.name))
        is_preferred = source.name == "omniglot" and preferred
        settings = settings.model_copy(update=preferred if is_preferred else {"split": usual})
    if settings.pairs * settings.affine > _MOST_VARIANTS:
        raise SettingsError(
            f"{settings.pairs:,} pairs x {settings.affine} variants are {settings.pairs * settings.affine:,}; "
            f"{_MOST_VARIANTS:,} is the limit",
            hint="Lower --pairs or --affine.",
        )
    if settings.split == "test-only" and (idle := _idle(settings)):
        raise SettingsError(f"{idle} is for training pairs, and --test-only has none", hint="Leave it out.")
    if settings.holdout == "none" and settings.split != "lake":
        raise SettingsError(f"--holdout none is for --split lake, not {settings.split}", hint="Leave it out.")
    if source.photos and settings.materialize:
        hint = "Leave it out."
        raise SettingsError("--materialize renders drawings, but these images are kept as photographs", hint=hint)
    return settings.model_copy(update={"affine": 0}) if source.photos else settings


def _idle(settings: PrepareSettings) -> str:
    """Return the options that say how training pairs are made, with other values than the usual ones."""
    usual = PrepareSettings()
    names = [name for name in ("pairs", "affine", "materialize") if getattr(settings, name) != getattr(usual, name)]
    return ", ".join(f"--{name}" for name in names)


def _variants(settings: PrepareSettings, n_pairs: int, side: str) -> Iterator[NDArray[np.float32]]:
    """Yield the affine parameters of one side in blocks, so that memory does not grow with the pairs."""
    rng = generator(settings.seed, "affine", side)
    for start in range(0, n_pairs, _PAIRS_PER_BLOCK):
        yield draw_affine((min(_PAIRS_PER_BLOCK, n_pairs - start), settings.affine), rng)


def _draw_all(labels: Labels, split: Split, settings: PrepareSettings, on_progress: OnProgress) -> dict[str, Pairs]:
    counts = {"train": settings.pairs, "validation": settings.validation_pairs, "test": settings.test_pairs}
    drawn: dict[str, Pairs] = {}
    for part in PARTS:
        chosen: NDArray[np.int32] = getattr(split, part)
        if not len(chosen) and (part == "validation" or settings.split == "test-only"):
            continue
        index = ClassIndex.of(labels, chosen)
        if part != "train" and index.class_sizes.max(initial=0) == 1:
            continue
        on_progress(Progress(f"Drawing {part} pairs", 0, 0))
        rng = generator(settings.seed, "pairs", part)
        try:
            drawn[part] = draw_pairs(index, counts[part], negatives=settings.negatives, rng=rng)
        except SamplingError as error:
            raise SamplingError(f"In the {part} part of the split: {error}", hint=error.hint) from None
    return drawn


def _summary(
    source: Source, labels: Labels, split: Split, pairs: dict[str, Pairs], settings: PrepareSettings, n_runs: int
) -> dict[str, object]:
    return {
        "source": source.name,
        "source_note": source.note,
        "runs": n_runs,
        "pairs": {part: len(drawn) for part, drawn in pairs.items()},
        "variants": len(pairs.get("train", ())) * settings.affine,
        "images": {part: len(getattr(split, part)) for part in PARTS},
        "classes": {part: len(np.unique(labels.character[getattr(split, part)])) for part in PARTS},
        "train_alphabets": len(np.unique(labels.alphabet[split.train])),
        "train_characters": len(np.unique(labels.character[split.train])),
        "train_drawers": len(np.unique(labels.drawer[split.train])),
        "validation_alphabets": len(np.unique(labels.alphabet[split.validation])),
        "validation_drawers": len(np.unique(labels.drawer[split.validation])),
        "largest_alphabet": {part: _largest_alphabet(labels, getattr(split, part)) for part in PARTS},
    }


def _largest_alphabet(labels: Labels, chosen: NDArray[np.int32]) -> int:
    return int(ClassIndex.of(labels, chosen).alphabet_sizes.max()) if len(chosen) else 0
