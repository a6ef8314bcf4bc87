"""embed: images become vectors in a file; one that cannot be read costs none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omnishot.errors import DamagedFileError, OmnishotError, UnavailableError
from omnishot.formats.embeddings import Embeddings, check_suffix, write_embeddings
from omnishot.progress import OnProgress, silent
from omnishot.recognition.images import PreparedImage
from omnishot.recognition.recognizer import Recognizer
from omnishot.vocabulary import InkName
from omnishot.wording import counted

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class EmbeddedImages:
    """What became of the images.

    Attributes:
        embeddings: What was written.
        blank: Names of the images on which nothing is to be seen; their vectors say nothing.
        errors: Why each of the others could not be read.
    """

    embeddings: Embeddings
    blank: tuple[str, ...]
    errors: tuple[OmnishotError, ...]


def embed_to_file(
    recognizer: Recognizer,
    images: Sequence[str],
    out: Path,
    *,
    ink: InkName = "auto",
    on_progress: OnProgress = silent,
) -> EmbeddedImages:
    """Write the vectors of images to a file, in their order.

    Args:
        recognizer: What makes them.
        images: Paths.
        out: The file, whose ending says the format: .npz, .h5 or .tsv. One that is there is replaced.
        ink: What is ink in all of them; `auto` decides once.
        on_progress: Receives progress.

    Raises:
        UsageError: The ending says no format.
        DamagedFileError: None of the images can be read.
        UnavailableError: The file cannot be written.
    """
    check_suffix(out)
    read = recognizer.read(list(images), ink=ink, on_progress=on_progress)
    sound = [image for image in read if isinstance(image, PreparedImage)]
    errors = tuple(image for image in read if isinstance(image, OmnishotError))
    if len(read) == len(errors) == 1:
        raise errors[0]
    if not sound:
        raise DamagedFileError(
            f"None of {counted(len(read), 'image')} can be read, so that {out} is not written: "
            + "; ".join(map(str, errors[:_SHOWN]))
        )
    names = tuple(image.name for image in sound)
    embeddings = Embeddings(names, recognizer.embed(sound), recognizer.name, recognizer.digest)
    try:
        write_embeddings(out, embeddings)
    except OSError as error:
        raise UnavailableError(f"--out {out} cannot be written: {error}") from None
    return EmbeddedImages(embeddings, tuple(image.name for image in sound if image.is_blank), errors)
