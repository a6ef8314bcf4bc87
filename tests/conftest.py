"""Small data that every test can have, and the way to the real one."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omnishot.data.image_set import ImageSet, Labels


def draw_images(n_alphabets: int, n_characters: int, n_drawers: int, *, wobble: int = 3, seed: int = 0) -> ImageSet:
    """Draw characters of three thick strokes, whose corners each drawer moves by up to `wobble` pixels."""
    rng = np.random.default_rng(seed)
    pixels, alphabets, characters, drawers = [], [], [], []
    for alphabet in range(n_alphabets):
        for character in range(n_characters):
            corners = rng.integers(16, 86, size=(4, 2))
            for drawer in range(n_drawers):
                pixels.append(_strokes(corners + rng.integers(-wobble, wobble + 1, size=corners.shape)))
                alphabets.append(f"A{alphabet}")
                characters.append(f"A{alphabet}/c{character}")
                drawers.append(drawer)
    return ImageSet(np.stack(pixels), Labels.from_names(alphabets, characters, drawers))


def _strokes(corners: NDArray[np.int64]) -> NDArray[np.uint8]:
    image = np.zeros((105, 105), dtype=np.uint8)
    for (y, x), (y2, x2) in pairwise(corners):
        for share in np.linspace(0, 1, 60):
            row, column = round(y + share * (y2 - y)), round(x + share * (x2 - x))
            image[row : row + 3, column : column + 3] = 255
    return image


@pytest.fixture(scope="session")
def images() -> ImageSet:
    """Four alphabets of six characters by five drawers."""
    return draw_images(4, 6, 5)


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five alphabets of five classes of four PNG files, black on white, to be read but not changed."""
    folder = tmp_path_factory.mktemp("pictures") / "scripts"
    images = draw_images(5, 5, 4, wobble=14, seed=1)
    labels = images.labels
    for i, image in enumerate(images.pixels):
        target = folder / labels.character_names[labels.character[i]] / f"{labels.drawer[i]}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(target)
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture(scope="session")
def omnishot() -> Cli:
    """Run the command line as a process of its own."""

    def run(*arguments: str | Path, timeout: float = 120, **environment: str) -> Outcome:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("OMNISHOT_")}
        process = subprocess.run(
            [sys.executable, "-m", "omnishot", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**variables, "OMNISHOT_OFFLINE": "1", **environment},
            check=False,
        )
        return Outcome(process.returncode, process.stdout, process.stderr)

    return run


@pytest.fixture(scope="session")
def omniglot_folder() -> Path:
    """The folder with the real Omniglot; the test is skipped where there is none."""
    folder = Path(os.environ.get("OMNISHOT_DATA", "")) / "omniglot"
    if not (folder / "images_background.zip").exists():
        pytest.skip("needs the real Omniglot in $OMNISHOT_DATA/omniglot")
    return folder


@pytest.fixture(scope="session")
def omniglot(omniglot_folder: Path) -> ImageSet:
    """The real Omniglot, decoded once."""
    from omnishot.data.sources import omniglot
    from omnishot.progress import silent

    return omniglot.find(omniglot_folder, offline=True).read(silent)


@pytest.fixture(scope="session")
def evaluated_store(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model that has seen little, and its four evaluations; to be read or copied, but not changed."""
    from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
    from omnishot.presets import preset_text
    from omnishot.settings_text import check, with_changes
    from omnishot.stages.evaluate import evaluate
    from omnishot.stages.prepare import prepare
    from omnishot.stages.train import train
    from omnishot.store.store import Store
    from omnishot.strict_yaml import read_yaml

    store = Store(tmp_path_factory.mktemp("evaluated") / "artifacts", argv=["omnishot", "test"])
    drawn = PrepareSettings(pairs=60, affine=1)
    pairs = prepare(store, drawn, source_name=str(picture_folder), data_folder=store.root, offline=True)
    changes = ["epochs=3", "objective.batches_per_epoch=2", "objective.classes_per_batch=12", "validation_trials=40"]
    values = with_changes(read_yaml(preset_text("quick"), origin="quick"), changes)
    settings = check(TrainSettings, values, origin="quick")
    model = train(store, pairs.artifact, settings, name="quick", device="cpu")
    sweep = EvalSettings(ways=(1, 2, 3, 4, 5), trials=100, baselines=("nearest-neighbour", "random"))
    for name, asked in (
        ("quick-within", sweep),
        ("quick-within-train", sweep.model_copy(update={"on": "train", "baselines": ()})),
        ("quick-between", sweep.model_copy(update={"protocol": "between", "ways": (5,)})),
        ("quick-verification", EvalSettings(protocol="verification", ways=(), baselines=())),
    ):
        evaluate(store, [model.artifact], pairs.artifact, asked, name=name, device="cpu")
    return store.root
