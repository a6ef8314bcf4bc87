"""Sets of images to name from one example each: those that packages ship, and those that are drawn here."""

import math
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from omnishot.data.sources import open_source

ImageSet = dict[str, list[Image.Image]]
"""Images of each class by its name."""

_PICTURES = {
    "scikit-image": (
        "skimage/data/",
        ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "ihc.png", "retina.jpg", "hubble_deep_field.jpg",
         "motorcycle_left.png", "camera.png", "coins.png", "moon.png", "brick.png", "grass.png", "gravel.png",
         "page.png", "text.png"),
    ),
    "scikit-learn": ("sklearn/datasets/images/", ("china.jpg", "flower.jpg")),
}  # fmt: skip
"""By package, where its pictures lie and which are used."""

_VIEWS = 10


def views_of_pictures(rng: np.random.Generator) -> ImageSet:
    """Return ten views each of the quarters of the pictures that scikit-image and scikit-learn ship: 72 classes.

    A view is a part of a quarter, turned, enlarged, lit and tinted otherwise: what one camera sees of one place.
    """
    found: ImageSet = {}
    files = [
        Path(str(distribution(package).locate_file(folder + name)))  # No code of the package is run.
        for package, (folder, names) in _PICTURES.items()
        for name in names
    ]
    for file in files:
        picture = Image.open(file).convert("RGB")
        picture.thumbnail((800, 800))
        for row in range(2):
            for column in range(2):
                width, height = picture.width // 2, picture.height // 2
                quarter = picture.crop((column * width, row * height, (column + 1) * width, (row + 1) * height))
                found[f"{file.stem} {row}{column}"] = [_view(quarter, rng) for _ in range(_VIEWS)]
    return found


def _view(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    share, turn = rng.uniform(0.45, 0.8), rng.uniform(-25, 25)
    turned = picture.rotate(turn, Image.Resampling.BICUBIC)
    width, height = int(picture.width * share), int(picture.height * share)
    left, top = (
        int(rng.uniform(0.1, 0.9) * (whole - part))
        for whole, part in ((picture.width, width), (picture.height, height))
    )
    part = turned.crop((left, top, left + width, top + height))
    for enhance, reach in ((ImageEnhance.Brightness, 0.4), (ImageEnhance.Contrast, 0.4), (ImageEnhance.Color, 0.6)):
        part = enhance(part).enhance(rng.uniform(1 - reach, 1 + reach))
    return part


def coloured_parts(rng: np.random.Generator) -> ImageSet:
    """Return ten pictures each of 48 drawn machine parts that differ in outline, holes and colour; 3:2."""
    found: ImageSet = {}
    for number in range(48):
        n_teeth, n_holes, depth = 3 + number % 8, 1 + number // 8 % 3, 0.12 + 0.1 * (number // 24)
        colour = tuple(int(value) for value in 80 + 120 * np.array([number % 3 == 0, number % 3 == 1, number % 3 == 2]))
        found[f"part {number:02}"] = [_part(n_teeth, n_holes, depth, colour, rng) for _ in range(_VIEWS)]
    return found


def _part(n_teeth: int, n_holes: int, depth: float, colour: tuple[int, ...], rng: np.random.Generator) -> Image.Image:
    width, height = 360, 240
    ground = int(rng.integers(150, 240))
    noise = rng.normal(0, 6, (height, width, 3)) + np.linspace(-25, 25, width)[None, :, None] * rng.uniform(-1, 1)
    image = Image.fromarray(np.clip(ground + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x, y = width / 2 + rng.uniform(-40, 40), height / 2 + rng.uniform(-15, 15)
    radius, turn, light = rng.uniform(65, 90), rng.uniform(0, 2 * math.pi), rng.uniform(0.75, 1.2)
    shade = tuple(int(np.clip(value * light, 0, 255)) for value in colour)
    corners = [
        (x + r * math.cos(turn + angle), y + r * math.sin(turn + angle))
        for angle in np.linspace(0, 2 * math.pi, 241)
        for r in (radius * (1 + depth * math.cos(n_teeth * angle)),)
    ]
    draw.polygon(corners, fill=shade, outline=(40, 40, 40))
    for hole in range(n_holes):
        angle = turn + 2 * math.pi * hole / n_holes
        at, size = radius * 0.45 * (n_holes > 1), radius * 0.16
        cx, cy = x + at * math.cos(angle), y + at * math.sin(angle)
        draw.ellipse((cx - size, cy - size, cx + size, cy + size), fill=(ground,) * 3, outline=(40, 40, 40))
    return image


def transparent_glyphs(rng: np.random.Generator) -> ImageSet:
    """Return glyphs, 40 x 40 pixels, white on transparent: 40 classes of ten."""
    found: ImageSet = {}
    for name, pixels in _drawings("glyphs", 40, rng):
        ink = [Image.fromarray(image).resize((40, 40), Image.Resampling.BOX) for image in pixels]
        images = []
        for alpha in ink:
            image = Image.new("RGBA", (40, 40), "white")
            image.putalpha(alpha)
            images.append(image)
        found[name] = images
    return found


def mnist_folders(rng: np.random.Generator) -> ImageSet:
    """Return MNIST's test digits, forty of each."""
    return {name: [Image.fromarray(image) for image in pixels] for name, pixels in _drawings("mnist", 10, rng, 40)}


def _drawings(
    source: str, n_classes: int, rng: np.random.Generator, n_images: int = _VIEWS
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    images = open_source(source).read(lambda progress: None)
    for character in rng.permutation(len(images.labels.character_names))[:n_classes]:
        chosen = np.flatnonzero(images.labels.character == character)[:n_images]
        yield images.labels.character_names[character], images.pixels[chosen]


SETS: dict[str, Callable[[np.random.Generator], ImageSet]] = {
    "views": views_of_pictures,
    "parts": coloured_parts,
    "glyphs": transparent_glyphs,
    "mnist": mnist_folders,
}


def write_folders(images: ImageSet, folder: Path) -> None:
    """Write a folder per class with a PNG per image."""
    for name, each in images.items():
        (folder / name.replace("/", " ")).mkdir(parents=True)
        for number, image in enumerate(each):
            image.save(folder / name.replace("/", " ") / f"{number:03}.png")
