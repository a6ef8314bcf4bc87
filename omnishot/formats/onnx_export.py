"""A trained network as two ONNX graphs, twin and head, with all that is needed to use them in their metadata."""

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from omnishot.data.drawings import SIDE
from omnishot.data.render import affine_matrices, render
from omnishot.errors import UnavailableError
from omnishot.evaluation.embedding import as_input, fixed_variants
from omnishot.formats.exported import KEY, Exported
from omnishot.model.photo_twin import PhotoTwin
from omnishot.model.siamese import SiameseNetwork
from omnishot.store.atomic_write import write_for_user

_PACKAGES = ("onnx", "onnxscript")


class _Twin(nn.Module):
    """From pixels as the preparation leaves them to vectors."""

    def __init__(self, network: SiameseNetwork) -> None:
        super().__init__()
        self.network = network
        self.variants = affine_matrices(torch.from_numpy(fixed_variants(network.test_variants)))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return vectors, shape (n, d), of drawings, (n, 105, 105), ink 255 on 0, or of photographs, (n, h, h, 3)."""
        twin = self.network.twin
        vectors: Tensor = twin(as_input(pixels, self.network))
        for variant in self.variants:
            vectors = vectors + twin(render(pixels, variant.expand(pixels.shape[0], -1, -1), twin.side))
        return vectors / (1 + len(self.variants))


class _Head(nn.Module):
    """From vectors to similarities."""

    def __init__(self, network: SiameseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, queries: Tensor, support: Tensor) -> Tensor:
        """Return the similarity of every query vector, (n, d), with every support vector, (m, d); shape (n, m)."""
        return self.network.compare(queries[:, None], support[None])


def write_onnx(path: Path, network: SiameseNetwork, said: Exported) -> list[Path]:
    """Write the twin to a file, and the head to `NAME-head.onnx` beside it; what is there is replaced.

    Returns:
        Both paths, the twin's first.

    Raises:
        UnavailableError: A package is missing.
        OSError: A file cannot be written.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"Writing ONNX needs the package {missing[0]}",
            hint="pip install 'onnx>=1.17' 'onnxscript>=0.2' 'onnxruntime>=1.20'; or in a clone of omnishot: "
            "pip install -e '.[onnx]'.",
        )
    network = network.cpu().eval()
    vectors = torch.zeros(2, network.twin.dimension)
    head = path.with_name(f"{path.stem}-head.onnx")
    side = network.twin.side
    shape = (2, side, side, 3) if isinstance(network.twin, PhotoTwin) else (2, SIDE, SIDE)
    twin_example = torch.zeros(shape, dtype=torch.uint8)
    _write(path, _Twin(network), (twin_example,), ["pixels"], "vectors", said)
    _write(
        head,
        _Head(network),
        (vectors, torch.zeros(3, network.twin.dimension)),
        ["queries", "support"],
        "similarity",
        said,
    )
    return [path, head]


def _write(
    path: Path, graph: nn.Module, examples: Sequence[Tensor], inputs: list[str], output: str, said: Exported
) -> None:
    """Write a graph whose inputs may have any number of rows."""
    rows = tuple({0: Dim(f"n_{name}")} for name in inputs)
    quiet = contextlib.redirect_stdout(io.StringIO())
    with quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the exporter says of its own parts.
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            graph, tuple(examples), input_names=inputs, output_names=[output], dynamic_shapes=rows, dynamo=True,
            verbose=False,
        )  # fmt: skip
        if program is None:
            raise UnavailableError("This version of torch exports no ONNX", hint="Install torch 2.5 or later.")
        program.model.metadata_props[KEY] = said.model_dump_json()
    write_for_user(path, program.model_proto.SerializeToString())
