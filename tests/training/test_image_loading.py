"""Images that are read by other processes, ahead of the device, are the images that lie in memory."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from omnishot.config import ClassesObjective, DataSettings, PairsObjective
from omnishot.data.affine import draw_affine
from omnishot.data.class_index import ClassIndex
from omnishot.data.image_set import ImageSet
from omnishot.data.pairs import draw_pairs
from omnishot.errors import DamagedFileError
from omnishot.formats.images import write_images
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.model.device import Compute
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.image_loading import ResidentImages, StreamedImages, lost_reader
from omnishot.training.objective import Objective
from omnishot.training.pairs_objective import PairsLoss, PairTensors

CPU = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture(scope="module")
def images_file(images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "images.h5"
    write_images(path, images)
    return path


@pytest.fixture
def stream(images: ImageSet, images_file: Path) -> Iterator[StreamedImages]:
    """A stream of classes, with one reader."""
    objective = objective_of("classes", images)
    streamed = StreamedImages(StoredPixels(images_file), objective, DataSettings(readers=1, start_method="fork"), CPU)
    yield streamed
    streamed.close()


def objective_of(kind: str, images: ImageSet) -> Objective:
    index = ClassIndex.of(images.labels, np.arange(len(images.labels), dtype=np.int32))
    if kind == "classes":
        return ClassesLoss(ClassesObjective(classes_per_batch=6, batches_per_epoch=3), index, seed=0)
    rng = np.random.default_rng(0)
    variants = draw_affine((24, 1), rng), draw_affine((24, 1), rng)
    tensors = PairTensors.of(draw_pairs(index, 24, negatives="any", rng=rng), variants, CPU.device)
    return PairsLoss(PairsObjective(batch_size=16), tensors, seed=0)


@pytest.mark.parametrize(
    ("method", "kind"), [("spawn", "pairs"), ("forkserver", "classes"), ("fork", "pairs"), ("fork", "classes")]
)
@pytest.mark.slow
def test_a_stream_gives_the_batches_that_lie_in_memory(
    images: ImageSet, images_file: Path, method: str, kind: str
) -> None:
    objective = objective_of(kind, images)
    settings = DataSettings.model_validate({"start_method": method, "readers": 2})
    streamed = StreamedImages(StoredPixels(images_file), objective, settings, CPU)
    resident = ResidentImages(torch.from_numpy(images.pixels))
    places = [(epoch, step) for epoch in range(3) for step in range(objective.steps_per_epoch)]
    try:
        for epoch, step in places[1:]:  # A resumed run begins anywhere.
            chosen = objective.batch(epoch, step).images
            expected = resident.take(chosen, epoch=epoch, step=step)
            assert torch.equal(streamed.take(chosen, epoch=epoch, step=step), expected)
    finally:
        streamed.close()
    assert not multiprocessing.active_children()


def test_stored_pixels_are_those_in_memory(images: ImageSet, images_file: Path) -> None:
    chosen = torch.tensor([5, 0, 119, 5])
    assert torch.equal(StoredPixels(images_file)[chosen], torch.from_numpy(images.pixels)[chosen])


def test_only_a_few_batches_are_read_ahead(stream: StreamedImages, images: ImageSet) -> None:
    objective, asked = stream._objective, []
    draw = objective.batch
    objective.batch = lambda epoch, step: asked.append((epoch, step)) or draw(epoch, step)  # type: ignore[method-assign,func-returns-value]
    stream.take(torch.empty(0), epoch=0, step=0)
    assert len(asked) == 3  # Two are kept ready by each reader, and the first is taken.


def test_steps_out_of_order_are_not_given_the_images_of_others(stream: StreamedImages) -> None:
    stream.take(torch.empty(0), epoch=0, step=0)
    with pytest.raises(RuntimeError, match=r"step \(0, 2\) was given the images of step \(0, 1\)"):
        stream.take(torch.empty(0), epoch=0, step=2)


def test_a_reader_that_is_killed_ends_the_run_with_a_sentence(stream: StreamedImages) -> None:
    stream.take(torch.empty(0), epoch=0, step=0)
    (reader,) = multiprocessing.active_children()

    def go_on() -> None:
        os.kill(reader.pid or 0, signal.SIGKILL)
        for step in range(1, 30):
            stream.take(torch.empty(0), epoch=step // 3, step=step % 3)

    with pytest.raises(RuntimeError, match="DataLoader worker") as raised:
        go_on()
    explained = lost_reader(raised.value)
    assert explained is not None
    assert str(explained).startswith("A process that reads images ended: DataLoader worker")
    assert lost_reader(RuntimeError("mat1 and mat2 have other shapes")) is None


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.slow
def test_readers_end_with_a_training_that_is_killed(images_file: Path, method: str) -> None:
    training = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("readers.py"), images_file, method],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert training.stdout
    with training.stdout:
        readers = [int(word) for word in training.stdout.readline().split()]
    assert len(readers) == 2
    assert all(map(is_running, readers))
    training.kill()
    training.wait()
    deadline = time.monotonic() + 15  # By themselves, torch's are there after 30 seconds too.
    while any(map(is_running, readers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, readers))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_file_that_breaks_meanwhile_is_named(images: ImageSet, tmp_path: Path) -> None:
    objective = objective_of("classes", images)
    streamed = StreamedImages(
        StoredPixels(tmp_path / "gone.h5"), objective, DataSettings(readers=1, start_method="fork"), CPU
    )
    with pytest.raises(DamagedFileError, match=r"gone\.h5 is no file$"):
        streamed.take(torch.empty(0), epoch=0, step=0)
    streamed.close()
