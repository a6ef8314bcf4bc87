"""A trained network written for other programs: one safetensors file with a card, or ONNX."""

import json
from pathlib import Path

from omnishot.errors import UnavailableError, UsageError
from omnishot.formats.exported import Exported, Preparation, write_exported
from omnishot.formats.onnx_export import write_onnx
from omnishot.model.device import choose_compute
from omnishot.recognition.card import Measurement, exported_card, measured_in_store
from omnishot.recognition.loading import TrainedModel
from omnishot.recognition.recognizer import Recognizer
from omnishot.store.store import Store

SUFFIXES = (".safetensors", ".onnx")


def export(store: Store, model: str, out: Path) -> list[Path]:
    """Write a model to a file of the kind that its suffix says, with its card in Markdown beside it.

    ONNX takes two files: the twin, from images to vectors, and `NAME-head.onnx`, from vectors to similarities.

    Args:
        store: Where the model is, unless it is one in the box.
        model: As `load` takes it.
        out: The file; one that is there is replaced.

    Returns:
        What was written, the file that was asked for first.

    Raises:
        UsageError: The suffix is another.
        UnavailableError: The file cannot be written, or the extra `onnx` is missing.
        OmnishotError: There is no such model.
    """
    if out.suffix not in SUFFIXES:
        raise UsageError(f"--out {out} ends with none of {', '.join(SUFFIXES)}", hint="The ending says the format.")
    trained = TrainedModel.read(model, store)
    recognizer = Recognizer(trained.name, trained.network, trained.preparation, choose_compute("cpu", "fp32"))
    said = Exported(
        name=trained.name,
        settings=trained.settings,
        preparation=Preparation.model_validate_json(json.dumps(trained.preparation.settings)),
        similarity=recognizer.similarity_in_words,
        digest=recognizer.digest,
    )
    measurement = measured_in_store(store, trained.artifact) if trained.artifact else Measurement(None, ())
    card = out.with_suffix(".md")
    try:
        if out.suffix == ".onnx":
            written = write_onnx(out, trained.network, said)
        else:
            write_exported(out, trained.network, said)
            written = [out]
        card.write_text(exported_card(recognizer, trained.artifact, measurement), "utf-8")
    except OSError as error:
        raise UnavailableError(f"--out {out} cannot be written: {error}") from None
    return [*written, card]
