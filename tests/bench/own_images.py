"""Measure one-shot accuracy on images that look otherwise than Omniglot's, with and without the preparation.

    python tests/bench/own_images.py
    python tests/bench/own_images.py --model quick25 --store STORE --part validation --drawers 6
    python tests/bench/own_images.py --set mnist --trials 5000 --json

Sets: Omniglot's evaluation alphabets (`--part validation`: the five background alphabets that split `lake` holds out)
as they are, and drawn otherwise: `thick`, strokes of 13 pixels in 105; `thin`, of 1; `small`, 40 x 40, white on
transparency; `paper`, small, off the middle and faint on grey, noisy paper. `mnist`: its test digits, 28 x 28.
Omniglot's are 20-way trials within an alphabet, two drawers; MNIST's 10-way, any two images. Needs both data sets.

Rows are the same trials: `pixels`, the cosine of 32 x 32 pixels; `as read`, the network on images that are only fitted
into its square, as `omnishot prepare` reads a folder; `prepared`, the network as `omnishot.load` sees drawings. All
images of a set are one call. Intervals resample trials. Milliseconds are for reading and preparing an image.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import Column, Rows, count, figures
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, draw_within, draw_within_by_class
from omnishot.data.image_set import Labels
from omnishot.data.location import is_offline, usual_data_folder
from omnishot.data.sources import mnist, open_source
from omnishot.data.splits import split_images
from omnishot.data.thinning import thinned
from omnishot.evaluation.intervals import accuracy_interval
from omnishot.evaluation.oneshot import correct_trials
from omnishot.model.device import choose_compute
from omnishot.progress import silent
from omnishot.recognition.drawing_preparation import DrawingPreparation
from omnishot.recognition.images import PreparedImage, as_list
from omnishot.recognition.loading import TrainedModel, usual_model
from omnishot.recognition.recognizer import Recognizer
from omnishot.seeding import generator
from omnishot.store.store import Store
from omnishot.wording import interval, percent

Pictures = list[Image.Image]

COLUMNS = [
    Column("set", is_text=True),
    Column("method", is_text=True),
    Column("ways"),
    Column("images", count),
    Column("trials", count),
    Column("accuracy", percent),
    Column("ci95", interval, title="95 % interval", width=13),
    Column("ms_per_image", figures, title="ms an image"),
]
DIGITS_PER_CLASS = 60


@dataclass(frozen=True)
class Questions:
    """Pictures and trials over them."""

    pictures: Pictures
    trials: Trials

    @property
    def n_way(self) -> int:
        return int(self.trials.support.shape[1])


def as_they_are(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    return Image.fromarray(255 - pixels)


def thick(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    return as_they_are(np.asarray(Image.fromarray(pixels).filter(ImageFilter.MaxFilter(9))), rng)


def thin(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    return as_they_are(thinned(pixels > 127) * np.uint8(255), rng)


def small(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    picture = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    picture.putalpha(Image.fromarray(pixels).resize((40, 40), Image.Resampling.BOX))
    return picture


def paper(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    side = int(rng.integers(125, 210))
    left, top = int(rng.integers(0, 350 - side)), int(rng.integers(0, 300 - side))
    sheet = np.zeros((300, 350))
    sheet[top : top + side, left : left + side] = np.asarray(Image.fromarray(pixels).resize((side, side)))
    noisy = 215 - 0.35 * sheet + rng.normal(0, 4, sheet.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


LOOKS: dict[str, Callable[[NDArray[np.uint8], np.random.Generator], Image.Image]] = {
    "omniglot": as_they_are, "thick": thick, "thin": thin, "small": small, "paper": paper,
}  # fmt: skip
SETS = [*LOOKS, "mnist"]


def renumbered(trials: Trials) -> tuple[NDArray[np.int64], Trials]:
    """Return the images that trials use, and the trials over these alone."""
    both = np.concatenate([trials.query, trials.support.reshape(-1)])
    images, places = np.unique(both, return_inverse=True)
    query, support = np.split(places.astype(np.int32), [len(trials)])
    return images.astype(np.int64), Trials(query, support.reshape(trials.support.shape), trials.episode)


def omniglot_questions(name: str, given: argparse.Namespace) -> Questions:
    """Return 20-way trials within alphabets, of images in another look."""
    images = open_source("omniglot").read(silent)
    split = split_images(images.labels, "lake")
    chosen = split.test if given.part == "test" else split.validation
    chosen = chosen[images.labels.drawer[chosen] < given.drawers]
    drawn = draw_within(ClassIndex.of(images.labels, chosen), given.trials, 20, 1, rng=generator(given.seed, "trials"))
    used, trials = renumbered(drawn)
    rng = generator(given.seed, "look", name)
    return Questions([LOOKS[name](images.pixels[image], rng) for image in used], trials)


def mnist_questions(given: argparse.Namespace) -> Questions:
    """Return 10-way trials of digits at the size they come in, white on black."""
    found = mnist.find(usual_data_folder() / "mnist", offline=is_offline())
    chosen = np.concatenate([np.flatnonzero(found.digits == digit)[:DIGITS_PER_CLASS] for digit in range(10)])
    names = [f"MNIST/{found.digits[image]}" for image in chosen]
    labels = Labels.from_names(["MNIST"] * len(chosen), names, np.arange(len(chosen)) % DIGITS_PER_CLASS)
    index = ClassIndex.of(labels, np.arange(len(chosen), dtype=np.int32))
    used, trials = renumbered(draw_within_by_class(index, given.trials, 10, 1, rng=generator(given.seed, "trials")))
    return Questions([Image.fromarray(found.pixels[chosen[image]]) for image in used], trials)


def accuracy(similarity: NDArray[np.float32], trials: Trials) -> NDArray[np.bool_]:
    """Return which trials are right, by the similarity of all images with all."""
    return correct_trials(similarity[trials.query[:, None], trials.support[:, :, 0]], trials.support.shape[1])


def pixel_similarity(pictures: Pictures) -> NDArray[np.float32]:
    """Return the cosine of pictures of 32 x 32 pixels, in which transparency is black."""
    flat = [np.asarray(p.getchannel("A") if p.mode == "RGBA" else p.convert("L")) for p in pictures]
    shrunk = [np.asarray(Image.fromarray(p).resize((32, 32), Image.Resampling.BOX), dtype=np.float32) for p in flat]
    vectors = np.stack(shrunk).reshape(len(shrunk), -1)
    vectors -= np.median(vectors, axis=1, keepdims=True)  # The ground is 0, whatever its shade.
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    similarity: NDArray[np.float32] = vectors @ vectors.T
    return similarity


def similarity_by(
    trained: TrainedModel, preparation: DrawingPreparation, pictures: Pictures
) -> tuple[NDArray[np.float32], float]:
    """Return the similarity of all pictures with all, and the milliseconds that reading one took."""
    recognizer = Recognizer(trained.name, trained.network, preparation, choose_compute("auto", "fp32"))
    began = time.perf_counter()
    read = preparation.read(as_list(pictures))
    milliseconds = (time.perf_counter() - began) * 1000 / len(read)
    prepared = [image for image in read if isinstance(image, PreparedImage)]
    vectors = recognizer.embed(prepared)
    return recognizer.compare_embeddings(vectors, vectors), milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=usual_model(), help="a model in the box, or of the store")
    parser.add_argument("--store", type=Path, default=Path("artifacts"))
    parser.add_argument("--set", dest="sets", action="append", choices=SETS, help="several may be named; default: all")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--drawers", type=int, default=4, help="drawers of each Omniglot character that are used")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    trained = TrainedModel.read(given.model, Store(given.store))
    rows = Rows(COLUMNS, as_json=given.json)
    rows.facts(model={"name": trained.name, "part": given.part})
    for name in given.sets or SETS:
        asked = mnist_questions(given) if name == "mnist" else omniglot_questions(name, given)
        as_read, prepared = DrawingPreparation(look=None), DrawingPreparation()
        for method, (similarity, milliseconds) in (
            ("pixels", (pixel_similarity(asked.pictures), None)),
            ("as read", similarity_by(trained, as_read, asked.pictures)),
            ("prepared", similarity_by(trained, prepared, asked.pictures)),
        ):
            right = accuracy(similarity, asked.trials)
            ci95 = accuracy_interval(right, asked.trials.episode, generator(given.seed, "bootstrap"))
            rows.row(
                set=name, method=method, ways=asked.n_way, images=len(asked.pictures), trials=len(right),
                accuracy=float(right.mean()), ci95=ci95, ms_per_image=milliseconds,
            )  # fmt: skip


if __name__ == "__main__":
    main()
