"""Measure `omnishot prepare`: how seconds, memory and the file grow with the number of pairs.

    python tests/bench/prepare.py
    python tests/bench/prepare.py --pairs 30k --pairs 1.5M --materialize 2k --repeat 3 --json

Every run is a process of its own, as a user types it, in a fresh copy of a store that holds the images already. The
first row is the run that decodes them: twenty pairs and no variants, so that nothing else costs time; its file is
`images.h5`. Of several runs (`--repeat`) each figure is the median.

Columns: training pairs; variants in all, where the pair itself counts as one; seconds from start to end of the process,
and of the cores (less than that where it waited for the disk or for others); most resident memory; size of
`pairs.h5`, which also holds every image once and 20,000 pairs for validation and test; and that size divided by the
variants. The pixels of a variant are 22,050 bytes, two images of 105 x 105; `--materialize` stores them, compressed.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import Column, Measured, Rows, count, figures, machine, megabytes, run_measured

COLUMNS = [
    Column("run", width=24, is_text=True),
    Column("pairs", count, width=9),
    Column("variants", count, "variants in all"),
    Column("seconds", figures),
    Column("cpu_seconds", figures),
    Column("peak_bytes", megabytes, "peak memory"),
    Column("file_bytes", megabytes, "file"),
    Column("bytes_per_variant", figures),
]
PAIRS = ["30k", "90k", "150k", "500k", "1.5M"]
FEWEST = ["--pairs", "20", "--affine", "0"]
OMNISHOT = [sys.executable, "-P", "-m", "omnishot"]


class PreparedStores:
    """Runs `prepare` again and again, each time in a store that holds nothing but the images."""

    def __init__(self, folder: Path, source: str, repeats: int) -> None:
        """Keep the stores below a folder."""
        self._template, self._fresh = folder / "template", folder / "artifacts"
        self._source, self._repeats = source, repeats

    def images(self) -> dict[str, object]:
        """Decode the images into the store that later runs start from; return the row."""
        runs = []
        for _ in range(self._repeats):
            shutil.rmtree(self._template, ignore_errors=True)
            runs.append(self._prepare(self._template, FEWEST)[0])
        (file,) = self._template.glob("images/*/v1/images.h5")
        sizes = {"pairs": None, "variants": None, "file_bytes": file.stat().st_size, "bytes_per_variant": None}
        return {"run": "images, first time", **sizes, **medians(runs)}

    def pairs(self, pairs: str, affine: int, *, materialize: bool = False) -> dict[str, object]:
        """Draw pairs and variants; return the row."""
        options = ["--pairs", pairs, "--affine", str(affine), *(["--materialize"] if materialize else [])]
        runs = []
        for _ in range(self._repeats):
            shutil.copytree(self._template, self._fresh)
            cost, made = self._prepare(self._fresh, options)
            file_bytes = Path(made["path"], "pairs.h5").stat().st_size
            runs.append(cost)
            shutil.rmtree(self._fresh)
        n_pairs = made["pairs"]["train"]
        variants = n_pairs + made["variants"]
        sizes = {"pairs": n_pairs, "variants": variants, "file_bytes": file_bytes}
        run = "prepare --materialize" if materialize else "prepare"
        return {"run": run, **sizes, "bytes_per_variant": file_bytes / variants, **medians(runs)}

    def _prepare(self, store: Path, options: list[str]) -> tuple[Measured, dict[str, Any]]:
        command = [*OMNISHOT, "prepare", "--source", self._source, *options, "--store", str(store)]
        cost = run_measured([*command, "--json", "--no-progress"])
        made: dict[str, Any] = json.loads(cost.stdout)
        if made["reused"]:
            raise RuntimeError(f"{made['path']} was there already")
        return cost, made


def medians(runs: list[Measured]) -> dict[str, float]:
    """Return the median of each cost."""
    names = ("seconds", "cpu_seconds", "peak_bytes")
    return {name: statistics.median(getattr(run, name) for run in runs) for name in names}


def main() -> None:
    """Measure, and print a row after each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", action="append", help=f"90000, 90k, 1.5M; repeatable; default: {', '.join(PAIRS)}")
    parser.add_argument("--materialize", action="append", default=[], help="pairs to render too; repeatable")
    parser.add_argument("--affine", type=int, default=8, help="variants of each pair; default: 8")
    parser.add_argument("--source", default="omniglot", help="omniglot, glyphs or a folder; default: omniglot")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each size; default: 1")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    asked = parser.parse_args()
    rows = Rows(COLUMNS, as_json=asked.json)
    rows.facts(machine=machine())
    with tempfile.TemporaryDirectory(prefix="omnishot-prepare-") as folder:
        stores = PreparedStores(Path(folder), asked.source, max(1, asked.repeat))
        rows.row(**stores.images())
        for pairs in asked.pairs or PAIRS:
            rows.row(**stores.pairs(pairs, asked.affine))
        for pairs in asked.materialize:
            rows.row(**stores.pairs(pairs, asked.affine, materialize=True))


if __name__ == "__main__":
    main()
