"""Rendering that was interrupted goes on where it stood, and gives the same file."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.data.affine import draw_affine
from omnishot.data.image_set import ImageSet
from omnishot.data.pairs import Pairs
from omnishot.data.splits import Split
from omnishot.formats import rendered
from omnishot.formats.images import write_images
from omnishot.formats.pairs import write_pairs
from omnishot.formats.rendered import write_rendered
from omnishot.progress import Progress
from omnishot.store.manifest import file_digest

N_PAIRS = 10


@pytest.fixture
def pairs(images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pair dataset of ten pairs with two variants each, rendered in four blocks."""
    monkeypatch.setattr(rendered, "_PAIRS_PER_BLOCK", 3)
    (tmp_path / "blocks").mkdir()
    write_images(tmp_path / "images.h5", images)
    rng = np.random.default_rng(0)
    left = rng.integers(0, 60, N_PAIRS).astype(np.int32)
    right = ((left + rng.integers(1, 60, N_PAIRS)) % 60).astype(np.int32)
    ids = np.arange(120, dtype=np.int32)
    write_pairs(
        tmp_path / "pairs.h5",
        images_file=tmp_path / "images.h5",
        split=Split(ids[:60], ids[60:90], ids[90:]),
        pairs={"train": Pairs(left, right, np.zeros(N_PAIRS, dtype=np.bool_))},
        n_variants=2,
        variants={side: [draw_affine((N_PAIRS, 2), rng)] for side in ("left", "right")},
    )
    return tmp_path / "pairs.h5"


def copied(path: Path, name: str) -> Path:
    target = path.with_name(f"{name}.h5")
    target.write_bytes(path.read_bytes())
    return target


def pixels(path: Path) -> list[NDArray[np.uint8]]:
    with h5py.File(path) as file:
        return [file[f"rendered/{side}"][:] for side in ("left", "right")]


def test_an_interrupted_rendering_continues_and_gives_the_same_pixels(pairs: Path, tmp_path: Path) -> None:
    whole, again = copied(pairs, "whole"), copied(pairs, "again")
    write_rendered(whole, tmp_path, tell=print)

    def stop(progress: Progress) -> None:
        if progress.task == "Rendering pairs" and progress.done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rendered(again, tmp_path / "blocks", tell=print, on_progress=stop)
    assert len(list((tmp_path / "blocks").iterdir())) == 2
    reports: list[Progress] = []
    told: list[str] = []
    write_rendered(again, tmp_path / "blocks", tell=told.append, on_progress=reports.append)
    assert told == ["Continuing an interrupted rendering: 6 of 10 pairs are there"]
    assert [on_progress.done for on_progress in reports if on_progress.task == "Rendering pairs"] == [6, 9]
    assert all(np.array_equal(one, other) for one, other in zip(pixels(whole), pixels(again), strict=True))
    with h5py.File(again) as file:
        assert file["rendered/left"].shape == (N_PAIRS, 3, 105, 105)
        assert file["rendered/left"].chunks == (1, 3, 105, 105)


@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_damaged_block_is_rendered_again_whichever_it_is(pairs: Path, tmp_path: Path, number: int) -> None:
    whole, again = copied(pairs, "whole"), copied(pairs, "again")
    write_rendered(whole, tmp_path / "blocks", tell=print)
    block = sorted((tmp_path / "blocks").iterdir())[number]
    block.write_bytes(block.read_bytes()[:-500])
    reports: list[Progress] = []
    write_rendered(again, tmp_path / "blocks", tell=print, on_progress=reports.append)
    assert [on_progress.done for on_progress in reports if on_progress.task == "Rendering pairs"] == [3 * number]
    assert all(np.array_equal(one, other) for one, other in zip(pixels(whole), pixels(again), strict=True))


def test_all_blocks_are_rendered_again_where_the_last_one_would_come_out_differently_now(
    pairs: Path, tmp_path: Path
) -> None:
    whole, again = copied(pairs, "whole"), copied(pairs, "again")
    write_rendered(whole, tmp_path / "blocks", tell=print)
    last = sorted((tmp_path / "blocks").iterdir())[-1]
    with h5py.File(last, "r+") as file:
        file["left"][0, 0, 50, 50] ^= 1
    last.rename(last.with_name(f"pairs-00000009-00000010-{file_digest(last)}.h5"))
    reports: list[Progress] = []
    write_rendered(again, tmp_path / "blocks", tell=print, on_progress=reports.append)
    assert [on_progress.done for on_progress in reports if on_progress.task == "Rendering pairs"] == [0, 3, 6, 9]
    assert all(np.array_equal(one, other) for one, other in zip(pixels(whole), pixels(again), strict=True))


def test_a_half_written_block_is_not_taken_for_a_block(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "blocks" / "block.new").write_bytes(b"half")
    (tmp_path / "blocks" / f"pairs-00000000-00000003-{'0' * 64}.h5").write_bytes(b"half")
    write_rendered(pairs, tmp_path / "blocks", tell=print)
    assert len(pixels(pairs)[0]) == N_PAIRS
