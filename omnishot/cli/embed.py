"""omnishot embed: the vectors of images."""

from pathlib import Path
from typing import Annotated

import typer

from omnishot.cli.options import DeviceOption, InkOption, ModelOption, check_folder_of
from omnishot.cli.session import Session, with_session
from omnishot.cli.streams import say, visible
from omnishot.errors import DamagedFileError
from omnishot.wording import counted, listed

_SHOWN = 5


@with_session()
def embed_command(
    session: Session,
    images: Annotated[list[str], typer.Argument(help="Image files.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write: .npz, .h5 or .tsv. One that is there is replaced.")],
    model: ModelOption = None,
    ink: InkOption = "auto",
    device: DeviceOption = "auto",
) -> None:
    """Turn images into vectors, with a trained network. Creates: the file; prints its path.

    Examples:
      omnishot embed letters/*.png --out letters.npz
      omnishot embed a.jpg b.jpg --model koch:v1 --ink dark --out vectors.tsv
    """
    from omnishot.formats.embeddings import check_suffix  # Deferred: numpy takes tenths of a second.

    check_suffix(out)
    check_folder_of(out)
    from omnishot.recognition.embedding_file import embed_to_file  # Deferred: torch takes seconds.
    from omnishot.recognition.loading import load, usual_model

    console = session.console
    with console.progress() as on_progress:
        recognizer = load(model or usual_model(), device=device, store=session.store)
        made = embed_to_file(recognizer, images, out, ink=ink, on_progress=on_progress)
    for error in made.errors:
        say(visible(str(error), one_line=True))
    if made.blank:
        console.note(
            f"Nothing is to be seen on {counted(len(made.blank), 'image')}: {listed(made.blank, shown=_SHOWN)}"
        )
    n_images, n_values = made.embeddings.vectors.shape
    console.note(f"{counted(n_images, 'vector')} of {n_values} numbers, by {recognizer.name}")
    values = {
        "path": str(out),
        "model": recognizer.name,
        "digest": recognizer.digest,
        "names": list(made.embeddings.names),
        "dimensions": n_values,
        "errors": list(map(str, made.errors)),
    }
    console.result(values, f"{out}\n")
    if made.errors:
        raise DamagedFileError(
            f"{counted(len(made.errors), 'image')} of {len(images):,} could not be read; {out} holds the others"
        )
