"""omnishot export: a trained network for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from omnishot.cli.options import check_folder_of, reference_argument
from omnishot.cli.session import Session, with_session


@with_session()
def export_command(
    session: Session,
    model: Annotated[str, reference_argument("A model, or one in the box: quick.", "models")],
    out: Annotated[
        Path, typer.Option(help="File to write: .safetensors, or .onnx (two files: the twin, and NAME-head.onnx).")
    ],
) -> None:
    """Write a trained network into one file, with its model card beside it. Creates: the files; prints their paths.

    Examples:
      omnishot export quick --out quick.safetensors
      omnishot export koch:v1 --out koch.onnx
    """
    check_folder_of(out)
    from omnishot.recognition.exporting import export  # Deferred: torch takes seconds.

    written = [str(path) for path in export(session.store, model, out)]
    session.console.result({"paths": written}, "".join(f"{path}\n" for path in written))
