"""omnishot presets."""

import re
from typing import Annotated

import typer

from omnishot.cli.session import Session, with_session
from omnishot.presets import preset_names, preset_text


@with_session()
def presets_command(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(help="Preset to print. Default: list them.", show_default=False, autocompletion=preset_names),
    ] = None,
) -> None:
    """List the training presets, or print one as YAML with every setting. Creates: nothing.

    Examples:
      omnishot presets quick > mine.yaml
    """
    from omnishot.settings_text import as_yaml  # Deferred: pydantic takes tenths of a second.
    from omnishot.stages.training_settings import choose_training

    names = preset_names() if name is None else [name]
    settings = {preset: choose_training(preset=preset).settings for preset in names}
    comments = {
        preset: [line for line in preset_text(preset).splitlines() if line.startswith("#")] for preset in settings
    }
    if name is not None:
        text = "\n".join(comments[name]) + "\n" + as_yaml(settings[name])
    else:
        width = max(map(len, settings)) + 2
        text = "".join(f"{preset:{width}}{_first_sentence(lines)}.\n" for preset, lines in comments.items())
    session.console.result({preset: values.model_dump(mode="json") for preset, values in settings.items()}, text)


def _first_sentence(comments: list[str]) -> str:
    said = " ".join(comment.removeprefix("# ") for comment in comments)
    return re.split(r"(?<=[a-z0-9)])\. ", said.removesuffix("."))[0]  # Not after an initial.
