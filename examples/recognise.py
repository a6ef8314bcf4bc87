"""Name images from one example of each class, without training.

    python examples/recognise.py                          # letters that are drawn here, then drawn again otherwise
    python examples/recognise.py letters/ a.png b.png     # your own: letters/NAME.png is the example of the class NAME

Installed is all it needs: the model `quick` is in the box. It prints a line for each image: what it was taken for, the
similarity (higher is more alike; no probability), and the next best.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import omnishot

LETTERS = "AEGHKMRSTX"


def letter(name: str, *, size: int, turn: float = 0, ink: int = 0, paper: int = 255) -> Image.Image:
    """Draw a letter of Pillow's own font in the middle of a square."""
    image = Image.new("L", (size * 2, size * 2), paper)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((size, size), name, fill=ink, font=font, anchor="mm")
    return image.rotate(turn, fillcolor=paper)


def main(arguments: list[str]) -> None:
    """Name the images of the command line, or those that are drawn here."""
    recognizer = omnishot.load("quick")
    if arguments:
        folder, *paths = map(Path, arguments)
        examples: dict[str, Image.Image | Path] = {
            path.stem: path for path in sorted(folder.iterdir()) if path.is_file()
        }
        queries: list[Image.Image | Path] = list(paths)
        names = list(map(str, paths))
    else:
        examples = {name: letter(name, size=100) for name in LETTERS}
        queries = [
            letter(name, size=40, turn=8, ink=200, paper=30) for name in LETTERS
        ]  # Small, turned, light on dark.
        names = [f"another {name}" for name in LETTERS]
    for name, match in zip(names, recognizer.identify(examples, queries, top=2), strict=True):
        others = ", ".join(f"{other} {score:.1f}" for other, score in match.alternatives)
        print(f"{name}: {match.name} {match.score:.1f} (next best: {others})")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except omnishot.OmnishotError as error:
        sys.exit(f"{error}\n{error.hint}")
