"""gc --purge leaves nothing of those who were in a gallery."""

from pathlib import Path

from omnishot.maintenance.purge import purge
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


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
