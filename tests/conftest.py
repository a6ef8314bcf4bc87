"""Small data that every test can have, the way to the real one, and the command line as a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if "PYTEST_XDIST_WORKER" in os.environ:  # One worker a core: a thread more would only wait. Before torch is there.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# Commands and tests import the package that is installed, or that PYTHONPATH names, and not the one that lies here.
os.environ["PYTHONSAFEPATH"] = "1"
sys.path.append(str(Path(__file__).parents[1]))  # For `tests.…`, and at the end for the same reason.

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from numpy.typing import NDArray
from PIL import Image

from omnishot.data.image_set import ImageSet, Labels
from tests.fork_server import ForkServer

if TYPE_CHECKING:
    from omnishot.model.efficientnet_lite0 import EfficientNetLite0

# A busy machine is slow, which is no failure. Where CI is set, Hypothesis's own profile for it is what this adds to:
# there the examples are the same every time.
hypothesis_settings.register_profile("omnishot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("omnishot")


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


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is made by the first of all pytest's workers that asks for it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(base / f"{name}.lock"):
        if not (base / f"{name} is made").exists():
            make(base / name)
            (base / f"{name} is made").touch()
    return base / name


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five alphabets of five classes of four PNG files, black on white, to be read but not changed."""
    return made_once(tmp_path_factory, "scripts", draw_pictures)


def draw_pictures(folder: Path) -> None:
    images = draw_images(5, 5, 4, wobble=14, seed=1)
    labels = images.labels
    for i, image in enumerate(images.pixels):
        target = folder / labels.character_names[labels.character[i]] / f"{labels.drawer[i]}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(target)


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


class Cli(Protocol):
    """Runs a command line, and waits for it."""

    def __call__(self, *arguments: object, timeout: float = 600, **environment: str) -> Outcome:
        """Run a command.

        Args:
            arguments: What would follow `omnishot`.
            timeout: Seconds; only against waiting forever.
            environment: Variables that it gets besides those of the tests, of which omnishot's own are left out.
        """


def environment_with(changes: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNISHOT_")}
    return {**kept, "OMNISHOT_OFFLINE": "1", **changes}


@pytest.fixture(scope="session")
def own_process() -> Cli:
    """Run the command line as a process of its own, imports and all."""

    def run(*arguments: object, timeout: float = 600, **environment: str) -> Outcome:
        command, variables = [sys.executable, "-m", "omnishot", *map(str, arguments)], environment_with(environment)
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=variables, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """A process that has imported everything, and forks."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def omnishot(own_process: Cli, fork_server: ForkServer) -> Cli:
    """Run the command line as a process, forked where that makes no difference."""

    def run(*arguments: object, timeout: float = 600, **environment: str) -> Outcome:
        variables = environment_with(environment)
        if not fork_server.can_run(variables):
            return own_process(*arguments, timeout=timeout, **environment)
        done = fork_server.run(["-m", "omnishot", *map(str, arguments)], variables, timeout=timeout)
        return Outcome(done.returncode, done.stdout, done.stderr)

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


@pytest.fixture
def untaught_lite0(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the network for photographs come with weights drawn here, which know nothing, in place of the package's."""
    monkeypatch.setattr("omnishot.model.imagenet_weights.pretrained_lite0", draw_lite0)


def draw_lite0() -> "EfficientNetLite0":
    """Return the network for photographs with weights that keep what passes through it in range."""
    import torch

    from omnishot.model.efficientnet_lite0 import EfficientNetLite0

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = EfficientNetLite0()
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(layer.weight)
                torch.nn.init.normal_(layer.bias, 0.1, 0.1)  # type: ignore[arg-type]
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def evaluated_store(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model that has seen little, and its four evaluations; to be read or copied, but not changed."""
    return made_once(tmp_path_factory, "artifacts", partial(train_and_evaluate, picture_folder))


def train_and_evaluate(picture_folder: Path, folder: Path) -> None:
    from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
    from omnishot.presets import preset_text
    from omnishot.settings_text import check, with_changes
    from omnishot.stages.evaluate import evaluate
    from omnishot.stages.prepare import prepare
    from omnishot.stages.train import train
    from omnishot.store.store import Store
    from omnishot.strict_yaml import read_yaml

    store = Store(folder, argv=["omnishot", "test"])
    drawn = PrepareSettings(pairs=60, affine=1)
    pairs = prepare(store, drawn, source=str(picture_folder))
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
