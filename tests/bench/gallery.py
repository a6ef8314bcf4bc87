"""Measure how long a gallery takes to be searched, beside the NumPy product of the same vectors.

    python tests/bench/gallery.py
    python tests/bench/gallery.py --examples 20000 --queries 1 --queries 256 --json

A gallery of random unit vectors, one example a class, is published in a temporary store and opened as
`omnishot identify` opens it: its embeddings stay in the file, and the search looks at them block by block. NumPy has
all embeddings in memory, multiplies them with the queries, and takes the largest of each row. Both give the same
classes, or the bench ends with 1. Seconds are those of the fastest of `--repeat` runs, taken in turns, the file in the
page cache and the embeddings in memory by then.

Columns: examples; dimensions; queries; seconds to verify and open the gallery, once; seconds of our search; seconds of
NumPy's; how many of NumPy's ours takes; megabytes that arrays need at most in our search, and in NumPy's, its
embeddings included.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measuring import Column, Rows, count, figures, machine, megabytes, timed
from numpy.typing import NDArray

from omnishot.formats.gallery import EmbeddedBy, Gallery, GallerySettings, read_gallery
from omnishot.recognition.gallery import rank
from omnishot.recognition.gallery_versions import publish_version
from omnishot.store.store import Store

COLUMNS = [
    Column("examples", count),
    Column("dimensions", count),
    Column("queries", count),
    Column("open_seconds", figures),
    Column("seconds", figures),
    Column("numpy_seconds", figures),
    Column("ratio", figures),
    Column("peak_bytes", megabytes, title="memory"),
    Column("numpy_peak_bytes", megabytes, title="NumPy's memory"),
]
BLOCK = 1 << 16


def product(queries: NDArray[np.float32], examples: NDArray[np.float32]) -> NDArray[np.float32]:
    return queries @ examples.T


def unit_vectors(n: int, dimensions: int, rng: np.random.Generator) -> NDArray[np.float32]:
    vectors = np.empty((n, dimensions), np.float32)
    for start in range(0, n, BLOCK):
        block = rng.standard_normal((min(BLOCK, n - start), dimensions), np.float32)
        vectors[start : start + BLOCK] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def publish(store: Store, embeddings: NDArray[np.float32]) -> None:
    n = len(embeddings)
    model = EmbeddedBy(reference="models/none:v1", digest="0" * 64, preparation="photo")
    gallery = Gallery(
        GallerySettings(model=model), tuple(f"c{i}" for i in range(n)), np.arange(n, dtype=np.int32), embeddings,
        np.zeros((n, 32), np.uint8), ("x.jpg",) * n,
    )  # fmt: skip
    publish_version(store, "bench", gallery, None)


def peak(call: Callable[[], object]) -> int:
    """Return the most bytes of arrays that a call needs at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rows(n: int, dimensions: int, queries: list[int], repeat: int, folder: Path) -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(0)
    embeddings = unit_vectors(n, dimensions, rng)
    store = Store(folder)
    publish(store, embeddings)
    began = time.perf_counter()
    gallery = read_gallery(Store(folder).find("bench", "galleries"))
    opened = time.perf_counter() - began
    for n_queries in queries:
        asked = unit_vectors(n_queries, dimensions, rng)

        def ours(asked: NDArray[np.float32] = asked) -> NDArray[np.int32]:
            return rank(asked, gallery, product, n_ranked=1).classes[:, 0]

        def theirs(asked: NDArray[np.float32] = asked) -> NDArray[np.intp]:
            best: NDArray[np.intp] = product(asked, embeddings).argmax(axis=1)
            return best

        if not (ours() == theirs()).all():
            sys.exit("The search and NumPy name different classes")
        timings = [(timed(ours, repeats=1).least, timed(theirs, repeats=1).least) for _ in range(repeat)]
        mine, numpys = (min(seconds) for seconds in zip(*timings, strict=True))
        yield {
            "examples": n,
            "dimensions": dimensions,
            "queries": n_queries,
            "open_seconds": opened,
            "seconds": mine,
            "numpy_seconds": numpys,
            "ratio": mine / numpys,
            "peak_bytes": peak(ours),
            "numpy_peak_bytes": peak(theirs) + embeddings.nbytes,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--dimensions", type=int, default=512, help="default: 512")
    parser.add_argument("--queries", type=int, action="append", help="default: 1, 32 and 256")
    parser.add_argument("--repeat", type=int, default=5, help="default: 5")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    table = Rows(COLUMNS, as_json=arguments.json)
    table.facts(machine=machine())
    with tempfile.TemporaryDirectory(prefix="gallery-") as folder:
        queries = arguments.queries or [1, 32, 256]
        for row in rows(arguments.examples, arguments.dimensions, queries, arguments.repeat, Path(folder)):
            table.row(**row)


if __name__ == "__main__":
    main()
