"""A file is hashed once as long as it stays what it was, and what is damaged later is still seen."""

import os
import time
from pathlib import Path

import pytest

from omnishot.errors import DamagedFileError
from omnishot.store import digests
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import file_digest
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were hashed, once for each time."""
    names: list[str] = []

    def counting(path: Path) -> str:
        names.append(path.name)
        return file_digest(path)

    monkeypatch.setattr(digests, "file_digest", counting)
    return names


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store, recipe = Store(tmp_path / "artifacts"), Recipe("models", 1, {}, [])
    with store.producing(recipe), store.publish(recipe, "m") as staging:
        (staging.path / "data.bin").write_bytes(b"weights")
    time.sleep(0.02)  # What is younger is hashed again.
    return store


def found(store: Store) -> Artifact:
    return store.find("models/m")


def test_a_file_is_hashed_once_however_often_it_is_found_and_opened(store: Store, hashed: list[str]) -> None:
    for _ in range(3):
        found(store).file("data.bin")
        found(store).verify()
    assert hashed == ["data.bin"]
    found(Store(store.root)).file("data.bin")  # Another command knows nothing of it.
    assert len(hashed) == 2


def test_a_file_that_was_damaged_since_is_seen(store: Store, hashed: list[str]) -> None:
    path = found(store).file("data.bin")
    path.chmod(0o644)
    path.write_bytes(b"WEIGHTS")
    with pytest.raises(DamagedFileError, match="SHA-256"):
        found(store).file("data.bin")
    assert len(hashed) == 2


def test_another_file_in_its_place_is_hashed_even_with_its_time_and_size(store: Store) -> None:
    path = found(store).file("data.bin")
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"WEIGHTS")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    with pytest.raises(DamagedFileError, match="SHA-256"):
        found(store).verify()


def test_what_is_to_be_hashed_again_is(store: Store, hashed: list[str]) -> None:
    found(store).verify()
    found(store).verify(again=True)
    assert len(hashed) == 2


@pytest.mark.parametrize(("age", "times"), [(9_000_000, 2), (11_000_000, 1), (-1_000_000_000, 2)])
def test_what_was_written_within_a_tick_of_the_clock_is_hashed_again(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch, age: int, times: int
) -> None:
    path, known = tmp_path / "data.bin", digests.Digests()
    path.write_bytes(b"weights")
    state = path.stat()
    monkeypatch.setattr(time, "time_ns", lambda: max(state.st_mtime_ns, state.st_ctime_ns) + age)
    for _ in range(2):
        known.of(path)
    assert len(hashed) == times
