"""omnishot presets."""

from typing import Annotated

import typer

from omnishot.cli.console import Console
from omnishot.cli.options import DEFAULT_STORE, JsonOption, NoProgressOption, QuietOption, StoreOption, VerboseOption


def presets_command(
    name: Annotated[str | None, typer.Argument(help="Preset to print. Default: list them.", show_default=False)] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """List the training presets, or print one as YAML with every setting. Creates: nothing.

    Examples:
      omnishot presets quick > mine.yaml
    """
    import json
    import re

    from omnishot.config import TrainSettings  # Deferred: pydantic takes tenths of a second.
    from omnishot.presets import preset_names, preset_text
    from omnishot.settings_text import as_yaml, check
    from omnishot.strict_yaml import read_yaml

    console = Console(as_json=as_json, quiet=quiet, verbose=verbose, no_progress=no_progress)
    texts = {preset: preset_text(preset) for preset in ([name] if name else preset_names())}
    settings = {
        preset: check(TrainSettings, read_yaml(text, origin=preset), origin=preset) for preset, text in texts.items()
    }
    if as_json:
        console.text(json.dumps({preset: values.model_dump(mode="json") for preset, values in settings.items()}) + "\n")
        return
    for preset, text in texts.items():
        comments = [line for line in text.splitlines() if line.startswith("#")]
        if name:
            console.text("\n".join(comments) + "\n" + as_yaml(settings[preset]))
        else:
            said = " ".join(comment.removeprefix("# ") for comment in comments)
            first = re.split(r"(?<=[a-z0-9)])\. ", said.removesuffix("."))[0]  # Not after an initial.
            console.text(f"{preset:{max(map(len, texts)) + 2}}{first}.\n")
