"""Write drawings of characters that no network has seen as people have their images: one file, or one folder, a class.

    python examples/drawings.py FOLDER

FOLDER gets `enrolled/` (ten characters of one alphabet, one drawing each), `later/` (another drawing of each),
`stranger.png` (an eleventh character of the alphabet) and `others/` (characters of other alphabets, up to four drawings
each). They are of the test part of Omniglot, where that can be found or downloaded, else of the built-in glyphs.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omnishot.config import usual_split
from omnishot.data.sources import open_source
from omnishot.data.splits import split_images
from omnishot.progress import silent

ENROLLED = 10


def main(folder: Path) -> None:
    """Write the drawings into a folder."""
    source = open_source("auto")
    images = source.read(silent)
    labels = images.labels
    test = split_images(labels, usual_split(source.name)).test
    alphabets, sizes = np.unique(labels.alphabet[test], return_counts=True)
    chosen = alphabets[sizes.argmax()]
    number = 0
    for character in np.unique(labels.character[test]):
        drawings = test[labels.character[test] == character][:4]
        name = labels.character_names[character].replace("/", "-")
        if labels.alphabet[drawings[0]] != chosen:
            for i, drawing in enumerate(drawings):
                write(folder / "others" / name / f"{i}.png", images.pixels[drawing])
            continue
        number += 1
        if number <= ENROLLED:
            write(folder / "enrolled" / f"{name}.png", images.pixels[drawings[0]])
            write(folder / "later" / f"{name}.png", images.pixels[drawings[1]])
        elif number == ENROLLED + 1:
            write(folder / "stranger.png", images.pixels[drawings[0]])
    print(
        f"others/ has other alphabets than enrolled/, all {labels.alphabet_names[chosen]}: where strangers of that "
        "alphabet resemble the enrolled more, more of them are accepted than `omnishot calibrate` expects.",
        file=sys.stderr,
    )


def write(path: Path, ink: NDArray[np.uint8]) -> None:
    """Write ink, 255 on 0, as black on white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(255 - ink).save(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
