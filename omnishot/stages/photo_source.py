"""Whether the images of a source are photographs, and how they are read where a network sees such."""

from collections.abc import Callable

from omnishot.config import TrainSettings, WhiteningObjective
from omnishot.data.sources import Source, open_source
from omnishot.data.sources.photos import PhotoFormat
from omnishot.vocabulary import BUILT_IN_SOURCES


def source_of_photos(source: str | Source, tell: Callable[[str], None]) -> bool:
    """Look whether images are photographs, and can be trained on as such here; what is found is told.

    Raises:
        OmnishotError: There is no such source, or it cannot be read.
    """
    if isinstance(source, str) and source in {*BUILT_IN_SOURCES, "auto"}:
        return False
    opened = open_source(source) if isinstance(source, str) else source
    if opened.photos or not opened.look or not (look := opened.look()).is_photos:
        return opened.photos is not None
    from omnishot.model.imagenet_weights import INSTALL, is_installed  # Deferred: torch takes seconds.

    if is_installed():
        tell(f"The images of {opened.name} are photographs: {look.why}")
        return True
    sentence = f"The images of {opened.name} look like photographs ({look.why}), but are read as drawings"
    tell(f"{sentence}. To keep them as they are: {INSTALL}")
    return False


def as_photos(source: str | Source, settings: TrainSettings) -> str | Source:
    """Return a source as a network takes it: where it sees photographs, a folder's images are kept as such."""
    is_own = isinstance(source, str) and source not in {*BUILT_IN_SOURCES, "auto"}
    if not is_own or not isinstance(settings.objective, WhiteningObjective):
        return source
    return open_source(str(source), photos=PhotoFormat(settings.objective.image_size))
