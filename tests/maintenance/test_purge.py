"""gc --purge deletes earlier versions of a gallery, and nothing else."""

from pathlib import Path

import pytest

from omnishot.errors import UnavailableError
from omnishot.maintenance.purge import purge
from omnishot.stages.produce import produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


def enrolled(store: Store, seed: int) -> Artifact:
    def build(staging: Staging) -> None:
        (staging.path / "data.bin").write_bytes(bytes([seed]))

    return produce(store, Recipe("galleries", 1, {"seed": seed}, []), "staff", build).artifact


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "artifacts")
    for seed in range(3):
        enrolled(store, seed)
    return store


def test_all_but_the_newest_version_goes_and_what_is_no_version_stays(store: Store) -> None:
    others = [store.root / "galleries/staff" / name for name in ("vault/keep.txt", "v0/keep.txt", "v1.bak/keep.txt")]
    for path in others:
        path.parent.mkdir()
        path.write_text("keep")
    assert purge(store, "staff") == ["galleries/staff:v1", "galleries/staff:v2"]
    assert all(path.read_text() == "keep" for path in others)
    assert [artifact.reference.version for artifact in store.artifacts()] == [3]


@pytest.mark.parametrize("place", ["galleries", "galleries/staff", "galleries/staff/v1"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_is_deleted_behind_a_link(store: Store, tmp_path: Path, place: str, dry_run: bool) -> None:
    linked = store.root / place
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError, match=f"{place} is a link"):
        purge(store, "staff", dry_run=dry_run)
    assert [artifact.reference.version for artifact in store.artifacts()] == [1, 2, 3]


def test_what_a_killed_process_left_half_made_goes_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    for seed in range(2):
        recipe = Recipe("galleries", 1, {"seed": seed}, [])
        with store.producing(recipe), store.publish(recipe, "staff") as staging:
            (staging.path / "gallery.h5").write_bytes(b"somebody")
    left = tmp_path / "artifacts" / ".staging" / ("a" * 64)
    left.mkdir(parents=True)
    (left / "gallery.h5").write_bytes(b"somebody")
    assert purge(store, "staff", dry_run=True) == ["galleries/staff:v1"]
    assert left.exists()
    assert purge(store, "staff") == ["galleries/staff:v1"]
    assert not left.exists()
