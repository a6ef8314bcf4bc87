"""Peak memory of `omnishot prepare --colour` and of the fit after it, by the number of photographs.

pip install '.[photos]' && python tests/bench/photo_memory.py
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

_CLASSES = 10
_SIZE = 4000, 3000


def draw(folder: Path, n_images: int) -> None:
    """Write photographs, all of them different, in ten folders: every other one a PNG."""
    rng = np.random.default_rng(0)
    for number in range(n_images):
        path = folder / str(number % _CLASSES) / f"{number:05}.{'png' if number % 20 >= _CLASSES else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize(_SIZE, Image.Resampling.BILINEAR).save(path, compress_level=1)


def peak(*words: str) -> str:
    """Run omnishot and return the most memory it held, in words."""
    program = (
        "import resource, sys, omnishot.cli\n"
        f"sys.argv = ['omnishot', *{list(words)}]\n"
        "try:\n    omnishot.cli.main()\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return f"{int(done.stderr.split()[-1]) / 1e3:,.0f} MB"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", nargs="+", type=int, default=[40, 400])
    print(f"| photographs of {_SIZE[0]}x{_SIZE[1]} | prepare --colour | train --preset photos |\n|---|---|---|")
    for n_images in parser.parse_args().images:
        with tempfile.TemporaryDirectory() as folder:
            draw(Path(folder) / "photos", n_images)
            where = ("--store", f"{folder}/store", "--quiet")
            prepared = peak("prepare", "--source", f"{folder}/photos", "--colour", "--pairs", "1k", *where)
            fitted = peak("train", "--preset", "photos", *where)
        print(f"| {n_images:,} | {prepared} | {fitted} |", flush=True)


if __name__ == "__main__":
    main()
