"""prepare: images become an `images` artifact once, and a pair dataset with affine variants."""

import contextlib
import time
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
from omnishot.formats.images import labels_of, read_pixels, write_images
from omnishot.formats.manifest_fields import ImagesFacts
from omnishot.formats.pairs import write_pairs
from omnishot.naming import as_name, pairs_name
from omnishot.progress import OnProgress, Progress, silent
from omnishot.seeding import generator
from omnishot.stages.preparation_notes import notes_of_images, notes_of_split, single_classes
from omnishot.stages.produce import StageResult, produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.reference import check_name
from omnishot.store.store import Store
from omnishot.vocabulary import BUILT_IN_SOURCES, PARTS

_BUILT_IN_RECIPE, _OWN_IMAGES_RECIPE = 1, 2
_PAIRS_RECIPES = {False: 1, True: 2}
"""Of images that are divided as before, and of those with classes of one image, which are divided after the others."""

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
    earlier = origin | {"digest": source.digest_in_format_1 or source.digest}
    recipe = Recipe("images", version, dict(source.settings), [], origin, earlier)
    with _noted(source.notes):
        made = produce(store, recipe, as_name(source.name), build, force=force)
        return replace(made, notes=(*made.notes, *notes_of_images(source, made.artifact)))


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
    started = time.perf_counter()
    if name is not None:
        check_name(name)
    if isinstance(source, str):
        source = open_source(source, on_progress=on_progress)
    read = prepare_images(store, source, on_progress=on_progress)
    with _noted(read.notes):
        settings = _resolved(settings or PrepareSettings(), source, preferred or {}, labels_of(read.artifact))
        made = _pairs_of(store, read, settings, source, name=name, force=force, on_progress=on_progress)
        return replace(made, seconds=time.perf_counter() - started)  # Reading and storing the images included.


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

    name = pairs_name(source.name, settings) if name is None else name
    made = produce(store, recipe, name, build, force=force, notes=read.notes)
    return replace(made, notes=(*made.notes, *notes_of_split(made.artifact, len(labels.alphabet_names))))


def _in_two_parts(images: Artifact, split: Split) -> int:
    """Return how many pictures have an equal one in a later part of the split, pixel for pixel."""
    with open_hdf5(images.file("images.h5")) as file:
        first = first_equal(read_pixels(file))
    parts = [set(first[getattr(split, part)].tolist()) for part in PARTS]
    return len(parts[0] & (parts[1] | parts[2])) + len(parts[1] & parts[2] - parts[0])


def _resolved(
    settings: PrepareSettings, source: Source, preferred: Mapping[str, Any], labels: Labels
) -> PrepareSettings:
    """Return settings that fit the source; what is preferred is for Omniglot, where a split is not asked for."""
    if "split" not in settings.model_fields_set:
        usual = usual_split_of(labels, usual_split(source.name))
        is_preferred = source.name == "omniglot" and preferred
        chosen = {name: value for name, value in preferred.items() if name not in settings.model_fields_set}
        settings = settings.model_copy(update=chosen if is_preferred else {"split": usual})
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
