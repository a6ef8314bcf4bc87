"""What an evaluation measures where its settings leave it open: models, images, protocol, ways and baselines."""

from collections.abc import Callable, Iterator, Sequence

from omnishot.config import EvalSettings, usual_baselines
from omnishot.data.episodes import most_ways
from omnishot.data.sources import Source, open_source
from omnishot.data.sources.photos import PhotoFormat
from omnishot.errors import NotFoundError, UsageError
from omnishot.formats.evaluation_data import EvaluationData, pairs_of_models
from omnishot.formats.manifest_fields import ModelFacts, PairsFacts, has_runs, says_who_drew, source_of
from omnishot.progress import OnProgress, silent
from omnishot.stages.prepare import prepare_images
from omnishot.store.artifact import Artifact
from omnishot.store.box import is_boxed
from omnishot.store.manifest import Manifest
from omnishot.store.store import Store
from omnishot.vocabulary import BUILT_IN_SOURCES

_USUAL_WAYS = 20
_MOST_SCORES = 100_000_000


def choose_models(store: Store, models: Sequence[Artifact] | None, *, has_images: bool) -> list[Artifact]:
    """Return the models to measure, each once: the newest where none is named, or none where the store has none.

    An empty list of models measures the baselines alone; `has_images` says that they need no pair dataset.

    Raises:
        NotFoundError: There is no model, nor anything to measure baselines on.
    """
    if models is not None:
        return list({model.path: model for model in models}.values())
    if not store.has("models") and (has_images or store.has("pairs")):
        store.tell("There is no model in the store; measuring baselines only")
        return []
    return [store.newest("models")]


def choose_data(
    store: Store, models: list[Artifact], source: str | Source | None, *, on_progress: OnProgress = silent
) -> Artifact:
    """Return the images to measure on: those of a source, else the pair dataset of the models, else the newest one.

    Models in the box are measured on Omniglot where the store has not the pair dataset they were trained on.

    Raises:
        OmnishotError: There are none, or they cannot be read.
    """
    if source is None and models and all(is_boxed(model) and _pairs_of(store, model) is None for model in models):
        source = "omniglot"
    if source is not None:
        opened = _opened(store, source, models, on_progress) if isinstance(source, str) else source
        read = prepare_images(store, opened, on_progress=on_progress)
        for note in read.notes:
            store.tell(note)
        return _with_their_split(store, models, read.artifact)
    return pairs_of_models(store, models) if models else store.newest("pairs")


def _opened(store: Store, source: str, models: list[Artifact], on_progress: OnProgress) -> Source:
    """Return a source by its name or path, with its images kept as photographs where all models see such.

    They are kept as those were that the first model was fitted to, so that they are known again where they are these.
    """
    photos = None
    if source not in {*BUILT_IN_SOURCES, "auto"} and models and all(map(sees_photos, models)):
        parent = models[0].manifest.parent("pairs")
        pairs = store.parent(parent) if parent else None
        shape = PairsFacts.of(pairs.manifest).summary.image_shape if pairs else []
        photos = PhotoFormat(shape[0], shape[2] == 3) if shape else PhotoFormat()
        store.tell(f"The images of {source} are kept as photographs, as {models[0].reference} sees them")
    return open_source(source, photos=photos, on_progress=on_progress)


def _with_their_split(store: Store, models: list[Artifact], images: Artifact) -> Artifact:
    """Return images to measure on, or a pair dataset of the same images whose split holds.

    It is that of models that were trained on them, as what they were trained on is no test of them; else one that was
    prepared as a test set.
    """
    for model in models:
        parent = model.manifest.parent("pairs")
        pairs = store.parent(parent) if parent else None
        origin = pairs.manifest.parent("images") if pairs else None
        if pairs and origin and images.is_meant_by(origin) and source_of(images.manifest) != "omniglot":
            store.tell(f"{model.reference} was trained on these images: the split of {pairs.reference} is kept")
            return pairs
        name = source_of(images.manifest)
        if pairs and name == source_of(pairs.manifest) and name not in BUILT_IN_SOURCES:
            store.tell(f"{model.reference} was trained on other images of this name: its classes may be among these")
        elif parent and not pairs and not is_boxed(model) and name not in BUILT_IN_SOURCES:
            store.tell(f"{parent.reference} is gone: nobody knows whether {model.reference} has seen these images")
    for pairs in reversed(store.artifacts("pairs")):
        origin = pairs.manifest.parent("images")
        is_of_these = origin is not None and images.is_meant_by(origin)
        if is_of_these and PairsFacts.of(pairs.manifest).settings.split == "test-only":
            store.tell(f"These images are a test set as a whole: {pairs.reference}")
            return pairs
    return images


def _pairs_of(store: Store, model: Artifact) -> Artifact | None:
    parent = model.manifest.parent("pairs")
    return store.parent(parent) if parent else None


def complete(settings: EvalSettings, data: Manifest) -> EvalSettings:
    """Return settings in which everything is chosen.

    The protocol is `lake` where the test images have published runs, else `within`; the ways are 20, or the most
    these images allow; and the baselines are those that are usual for the protocol. What the settings name stays.

    Raises:
        UsageError: Baselines were asked for, which verification has not.
    """
    named = settings.model_fields_set
    protocol = settings.protocol
    if "protocol" not in named:
        protocol = "lake" if has_runs(data) and settings.on == "test" else "within"
    chosen: dict[str, object] = {"protocol": protocol}
    if "baselines" not in named:
        chosen["baselines"] = usual_baselines(protocol)
    elif protocol == "verification" and settings.baselines:
        raise UsageError("--baselines are for one-shot protocols, not for verification", hint="Leave them out.")
    if protocol == "verification":  # Pairs have no ways, shots or trials; the dataset says how many there are.
        chosen |= {"ways": (), "shots": 1, "trials": 400}
    elif "ways" not in named:
        chosen["ways"] = (_usual_ways(settings.model_copy(update=chosen), data),)
    return settings.model_copy(update=chosen)


def _usual_ways(settings: EvalSettings, data: Manifest) -> int:
    if data.kind == "images" or settings.protocol != "within":
        return _USUAL_WAYS
    most = PairsFacts.of(data).summary.largest_alphabet.get(settings.on, _USUAL_WAYS)
    return max(1, min(_USUAL_WAYS, most))


def choose_settings(settings: EvalSettings, data: Manifest, read: Callable[[], EvaluationData]) -> EvalSettings:
    """Return complete settings; ways that nobody asked for are no more than images of one's own allow.

    Args:
        settings: What was asked for.
        data: Of the images to measure on.
        read: Returns these images, where they have to be looked at.
    """
    chosen = complete(settings, data)
    is_open = "ways" not in settings.model_fields_set and (data.kind == "images" or not says_who_drew(data))
    if not is_open or chosen.protocol == "lake" or chosen.protocol == "verification":
        return chosen
    most = most_ways(read().index(chosen.on), chosen.protocol, chosen.shots)
    return chosen.model_copy(update={"ways": (max(1, min(_USUAL_WAYS, most)),)})


def what_was_chosen(
    asked: EvalSettings, chosen: EvalSettings, data: Manifest, read: Callable[[], EvaluationData]
) -> Iterator[str]:
    """Yield what nobody asked for and a reader of the results has to know; arguments as for `choose_settings`."""
    if "ways" not in asked.model_fields_set and chosen.ways not in {(), (_USUAL_WAYS,)}:
        yield f"{chosen.ways[0]}-way trials, as the {chosen.on} part allows no more; {_USUAL_WAYS} are usual"
    if data.kind == "images" and source_of(data) not in BUILT_IN_SOURCES and not len(read().split.train):
        yield "All of these images are the test, as nothing is trained on them"


def refuse_strange_images(data: EvaluationData, models: list[Artifact], settings: EvalSettings) -> None:
    """Look whether models and baselines take photographs, where the images are such.

    Raises:
        UsageError: One of them takes drawings only.
    """
    if not data.has_photos:
        return
    drawn = [str(model.reference) for model in models if not sees_photos(model)]
    if drawn:
        raise UsageError(
            f"{drawn[0]} takes drawings, but these images are kept as photographs",
            hint="Prepare them without --colour and --image-size, or measure a model of the preset photos.",
        )
    if "hausdorff" in settings.baselines:
        raise UsageError(
            "The Hausdorff distance is between drawings, but these images are photographs",
            hint="Use --baselines nearest-neighbour,random.",
        )


def sees_photos(model: Artifact) -> bool:
    """Tell whether a model takes photographs as they are."""
    return ModelFacts.of(model.manifest).settings.twin == "lite0"


def refuse_what_cannot_be_measured(settings: EvalSettings, models: list[Artifact]) -> None:
    """Look at complete settings before anything is read.

    Raises:
        UsageError: The protocol does not have such trials, or there are too many of them.
        NotFoundError: There is nothing to measure.
    """
    fixed = {"shots": 1, "trials": 400, "on": "test"}
    other = [f"--{name} {getattr(settings, name)}" for name, value in fixed.items() if getattr(settings, name) != value]
    if settings.protocol == "lake" and other:
        raise UsageError(
            f"Lake's runs are 400 one-shot trials on test images, which leaves no choice of {', '.join(other)}",
            hint="Leave it out, or use --protocol within.",
        )
    if settings.protocol == "verification" and settings.on == "validation":
        raise UsageError(
            "Verification on the validation pairs would score the threshold on the pairs it is chosen from",
            hint="Use --on test or --on train.",
        )
    values = settings.trials * max(settings.ways, default=1) * settings.shots
    if values > _MOST_SCORES:
        raise UsageError(
            f"{settings.trials:,} trials x {max(settings.ways):,} ways x {settings.shots:,} shots "
            f"are {values:,} scores, more than {_MOST_SCORES:,}",
            hint="Lower --trials, --ways or --shots.",
        )
    if not models and (settings.protocol == "verification" or not settings.baselines):
        raise NotFoundError("There is no model to measure", hint="Run `omnishot train` first.")
