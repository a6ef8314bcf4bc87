"""What another process removes meanwhile is gone, not damaged; and every lock is waited for as long as is asked."""

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import DamagedFileError, NotFoundError, StoreBusyError
from omnishot.maintenance.check import check_artifacts
from omnishot.maintenance.garbage_collection import clean
from omnishot.store import artifact as artifacts
from omnishot.store.manifest import read_manifest
from omnishot.store.remake import how_to_remake
from omnishot.store.store import Store
from tests.store.test_store import publish, recipe


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts", argv=["omnishot", "test"])


def test_an_artifact_that_is_removed_meanwhile_is_not_found(store: Store) -> None:
    made = publish(store, "koch")
    shutil.rmtree(made.path)
    with pytest.raises(NotFoundError, match=r"^models/koch:v1 was removed by another process$"):
        made.file("data.bin")
    with pytest.raises(NotFoundError, match="was removed"):
        artifacts.Artifact.read(made.path, made.digests)
    assert not made.is_sound()


def test_nothing_is_called_damaged_beside_a_running_gc(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        publish(store, "koch", seed=seed)
    read = read_manifest

    def read_as_it_goes(path: Path) -> Any:
        if path.name == "v1":
            shutil.rmtree(path)
        return read(path)

    monkeypatch.setattr(artifacts, "read_manifest", read_as_it_goes)
    damaged: dict[Path, Any] = {}
    assert [made.manifest.version for made in store.artifacts(damaged=damaged)] == [2, 3]
    assert damaged == {}
    monkeypatch.undo()

    verify = artifacts.Artifact.verify

    def verify_as_it_goes(made: artifacts.Artifact, **options: bool) -> None:
        if made.manifest.version == 2:
            shutil.rmtree(made.path)
        verify(made, **options)

    monkeypatch.setattr(artifacts.Artifact, "verify", verify_as_it_goes)
    checked = check_artifacts(store, None, everything=True)
    assert [(item.reference, item.problem) for item in checked] == [("models/koch:v3", "")]


def test_gc_waits_as_long_as_is_asked_and_what_is_finished_waits_longer(store: Store) -> None:
    publish(store, "koch", seed=0)
    publish(store, "koch", seed=1)
    hasty = Store(store.root, wait_seconds=0)
    with store._publishing():
        started = time.monotonic()
        with pytest.raises(StoreBusyError, match="waited 0 seconds"):
            clean(hasty, 1)
        assert time.monotonic() - started < 30
        with pytest.raises(StoreBusyError, match="waited 0 seconds"), hasty.producing(recipe(seed=2)):
            pass
        with pytest.raises(StoreBusyError, match="waited 2 seconds"), hasty._publishing(at_least=2):
            pass
    assert len(store.artifacts()) == 2


def test_a_source_that_cannot_be_seen_from_here_is_not_advised(
    evaluated_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture_folder: Path
) -> None:
    store = Store(evaluated_store)
    made = store.newest("pairs")
    manifest = made.manifest.model_copy(update={"argv": ["omnishot", "prepare", "--source", "photos"]})
    monkeypatch.chdir(tmp_path)
    assert "--source PATH" in how_to_remake(store.root, manifest)
    assert how_to_remake(store.root, manifest).endswith("where PATH is its source as it is seen from here.")
    (tmp_path / "photos").mkdir()
    assert "--source photos" in how_to_remake(store.root, manifest)
    assert f"--store {store.root}" in how_to_remake(store.root, manifest)


def test_what_cannot_be_read_is_not_called_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = publish(store, "koch")

    def fail(*_: object, **__: object) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("omnishot.store.digests.Digests.of", fail)
    with pytest.raises(DamagedFileError, match=r"data\.bin cannot be read: Input/output error$") as raised:
        made.file("data.bin")
    assert raised.value.hint == "Make it readable, and see that its disk or server answers."
