"""A trained network in one file: safetensors, with all that is needed to use it in the file's own metadata."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from omnishot.config import TrainSettings
from omnishot.data.drawings import SIDE, Look
from omnishot.errors import DamagedFileError, brief
from omnishot.model.siamese import SiameseNetwork
from omnishot.store.atomic_write import write_for_user
from omnishot.store.text_file import open_regular
from omnishot.store.validation import Digest, Line, first_problem

KEY = "omnishot"
"""Under which the metadata are."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def _check_look(look: Look | None) -> Look | None:
    if look is None:
        return None
    (shortest, longest), (narrowest, widest) = look.extent, look.width
    if not (1 <= shortest <= longest <= SIDE and 0 <= narrowest <= widest and 1 <= look.pen <= SIDE and look.pen % 2):
        raise ValueError("no drawing can look like that")
    return look


class Preparation(_Frozen):
    """What is done to images before the network sees them.

    Attributes:
        kind: Drawings, ink on a ground, or photographs, colours as they are.
        version: Of the code that does it.
        look: What drawings are made to look like, or None: as `omnishot prepare` reads a folder.
    """

    kind: Literal["drawing", "photo"]
    version: Literal[1]
    look: Annotated[Look | None, AfterValidator(_check_look)]


class Exported(_Frozen):
    """What an exported network says of itself.

    Attributes:
        format: Version of this format.
        name: What it is called in messages.
        settings: Those it was trained with.
        preparation: What is done to images first.
        similarity: How two vectors are compared.
        digest: Of weights, preparation and similarity, as `Recognizer.digest`.
    """

    format: Literal[1] = 1
    name: Annotated[Line, Field(max_length=200)]
    settings: TrainSettings
    preparation: Preparation
    similarity: Line
    digest: Digest

    @model_validator(mode="after")
    def _check_preparation(self) -> Self:
        twin, kind = self.settings.twin, self.preparation.kind
        if kind != ("photo" if twin == "lite0" else "drawing"):
            raise ValueError(f"the twin {twin} does not see images prepared as {kind}s")
        if kind == "photo" and self.preparation.look:
            raise ValueError("photographs are not made to look like anything")
        return self


def write_exported(path: Path, network: SiameseNetwork, said: Exported) -> None:
    """Write a network and what it says of itself; a file that is there is replaced, as a whole.

    Raises:
        OSError: The file cannot be written.
    """
    weights = {name: tensor.detach().contiguous().cpu() for name, tensor in network.state_dict().items()}
    write_for_user(path, save(weights, {KEY: said.model_dump_json()}))


def read_exported(path: Path) -> Exported:
    """Return what an exported network says of itself.

    Raises:
        DamagedFileError: The file is no such network.
    """
    try:
        open_regular(path).close()
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY, "")
        if not text:
            raise DamagedFileError(
                f"{path} holds tensors, but was not written by omnishot",
                hint="`omnishot export MODEL --out FILE` does.",
            )
        return Exported.model_validate_json(text)
    except ValidationError as error:
        raise DamagedFileError(f"{path} is no exported model: {first_problem(error)}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedFileError(f"{path} is no exported model: {brief(error)}") from None
