"""What exists in a store is complete, and nothing is overwritten."""

import os
import shutil
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from omnishot.errors import DamagedFileError, NotFoundError, StoreBusyError, UnavailableError, UsageError
from omnishot.stages.produce import produce
from omnishot.store import order
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.atomic_write import replaced
from omnishot.store.locks import Locks
from omnishot.store.manifest import read_manifest
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


def recipe(kind: str = "models", parents: list[Artifact] | None = None, **settings: Any) -> Recipe:
    return Recipe(kind, 1, settings, [parent.as_parent() for parent in parents or []])


def publish(store: Store, name: str, content: bytes = b"weights", kind: str = "models", **settings: Any) -> Artifact:
    def build(staging: Staging) -> None:
        (staging.path / "data.bin").write_bytes(content)

    return produce(store, recipe(kind, **settings), name, build).artifact


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts", argv=["omnishot", "test"])


def test_what_is_published_is_complete_read_only_and_found(store: Store) -> None:
    made = publish(store, "koch", seed=0)
    assert str(made.reference) == "models/koch:v1"
    assert made.file("data.bin").read_bytes() == b"weights"
    assert made.manifest.argv == ["omnishot", "test"]
    for path in made.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    for text in ("koch", "koch:v1", "models/koch", "models/koch:latest"):
        assert store.find(text).path == made.path


def test_the_same_recipe_is_reused_and_another_gets_the_next_version(store: Store) -> None:
    first, again, other = publish(store, "koch", seed=0), publish(store, "koch", seed=0), publish(store, "koch", seed=1)
    assert again.path == first.path
    assert str(other.reference) == "models/koch:v2"
    assert store.find("koch").reference.version == 2


def test_force_makes_a_new_version(store: Store) -> None:
    publish(store, "koch", seed=0)
    made = produce(store, recipe(seed=0), "koch", lambda staging: None, force=True)
    assert (made.artifact.reference.version, made.reused) == (2, False)


def test_a_name_without_a_version_left_is_refused_before_the_work(store: Store) -> None:
    made = publish(store, "koch", seed=0)
    made.path.rename(made.path.with_name("v999999999"))
    with pytest.raises(
        UsageError, match=r"models/koch has a version 999,999,999, and 999,999,999 is the last"
    ) as caught:
        produce(store, recipe(seed=1), "koch", lambda staging: pytest.fail("It began to work."))
    assert f"remove {store.root}/models/koch/v999999999" in caught.value.hint
    assert list((store.root / ".staging").iterdir()) == []
    assert publish(store, "other", seed=1).reference.version == 1


def test_a_failing_stage_leaves_nothing(store: Store) -> None:
    def build(staging: Staging) -> None:
        (staging.path / "half.bin").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce(store, recipe(seed=0), "koch", build)
    assert store.artifacts() == []
    assert list((store.root / ".staging").iterdir()) == []
    assert not (store.root / "models").exists()


def test_a_stale_staging_folder_does_not_block(store: Store) -> None:
    stale = store.root / ".staging" / recipe(seed=0).id
    stale.mkdir(parents=True)
    (stale / "left.bin").write_bytes(b"left by a killed process")
    assert not (publish(store, "koch", seed=0).path / "left.bin").exists()


def test_a_full_disk_is_an_environment_error_and_leaves_nothing(store: Store) -> None:
    def build(staging: Staging) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match="No space left"):
        produce(store, recipe(seed=0), "koch", build)
    assert store.artifacts() == []


@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_file_is_named_with_what_was_expected(store: Store, damage: str) -> None:
    made = publish(store, "koch")
    path = made.path / "data.bin"
    path.chmod(0o644)
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(b"weight" if damage == "cut" else b"weighty")
    with pytest.raises(DamagedFileError) as caught:
        made.file("data.bin")
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)
    assert caught.value.hint.startswith("Make it again: `omnishot train ")
    assert caught.value.hint.endswith(f" --store {store.root}`.")


def test_a_damaged_manifest_is_left_out_and_collected(store: Store) -> None:
    good, bad = publish(store, "good", seed=0), publish(store, "bad", seed=1)
    manifest = bad.path / "manifest.yaml"
    manifest.chmod(0o644)
    manifest.write_text("")
    damaged: dict[Path, DamagedFileError] = {}
    assert [artifact.path for artifact in store.artifacts(damaged=damaged)] == [good.path]
    assert str(manifest) in str(damaged[bad.path])


def test_an_older_version_does_not_stand_in_for_a_damaged_one(store: Store) -> None:
    publish(store, "koch", seed=0)
    newest = publish(store, "koch", seed=1)
    manifest = newest.path / "manifest.yaml"
    manifest.chmod(0o644)
    manifest.write_text("")
    for text in ("koch", "koch:v2"):
        with pytest.raises(DamagedFileError, match="v2"):
            store.find(text)
    with pytest.raises(DamagedFileError, match="v2"):
        store.newest("models")
    assert store.find("koch:v1").reference.version == 1


def test_a_copied_artifact_is_not_taken_for_another(store: Store) -> None:
    made = publish(store, "koch")
    shutil.copytree(made.path, store.root / "models" / "best" / "v1")
    with pytest.raises(DamagedFileError, match="belongs elsewhere"):
        store.find("best")


def test_what_was_measured_of_one_model_is_not_taken_for_another_of_its_recipe(store: Store) -> None:
    first = publish(store, "koch", b"one", seed=0)
    second = produce(store, recipe(seed=0), "koch", lambda staging: None, force=True).artifact
    assert first.manifest.recipe == second.manifest.recipe
    outcomes = [produce(store, recipe("evals", [model]), "e", lambda staging: None) for model in (first, second, first)]
    assert [outcome.reused for outcome in outcomes] == [False, False, True]


def test_a_later_manifest_format_is_refused(store: Store) -> None:
    made = publish(store, "koch")
    manifest = made.path / "manifest.yaml"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace("format: 2", "format: 3", 1))
    with pytest.raises(DamagedFileError, match="format 3"):
        read_manifest(made.path)


def test_where_every_artifact_is_damaged_that_is_said(store: Store) -> None:
    manifest = publish(store, "koch").path / "manifest.yaml"
    (store.root / "models" / ".current").unlink()
    manifest.chmod(0o644)
    manifest.write_text("")
    with pytest.raises(DamagedFileError, match=r"koch/v1/manifest\.yaml is damaged"):
        store.newest("models")


def test_what_is_published_is_on_the_disk_before_it_has_its_name(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def flush(path: Path) -> None:
        done.append(path.name if path.is_file() else "folder")

    rename = Path.rename

    def renamed(path: Path, target: Path) -> Path:
        done.append(f"rename to {target.name}")
        return rename(path, target)

    monkeypatch.setattr("omnishot.store.publish.flush", flush)
    monkeypatch.setattr(Path, "rename", renamed)
    publish(store, "koch")
    assert done == ["data.bin", "manifest.yaml", "folder", "rename to v1", "folder", "folder", "folder"]


def test_a_file_is_replaced_after_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[str, bool]] = []
    target = tmp_path / "file"
    monkeypatch.setattr(
        "omnishot.store.atomic_write.flush", lambda path: flushed.append((path.read_text(), target.exists()))
    )
    with replaced(target) as aside:
        aside.write(b"new")
    assert flushed == [("new", False)]
    with pytest.raises(FileNotFoundError), replaced(target):
        (tmp_path / "no such file").read_text()
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_made_is_found_though_another_process_is_publishing(store: Store) -> None:
    made = [publish(store, "koch", seed=seed) for seed in (0, 1)]
    hurried = Store(store.root, wait_seconds=0)
    with Store(store.root)._publishing():
        started = time.monotonic()
        thread = threading.Thread(target=lambda: publish(hurried, "koch", seed=0))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # Waits for it to end, which never takes long, whatever `wait_seconds` is.
    thread.join()
    assert time.monotonic() - started < 30
    assert [artifact.path for artifact in store.artifacts()] == [artifact.path for artifact in made]
    assert store.newest("models").path == made[0].path


def test_finding_the_newest_again_writes_nothing(store: Store) -> None:
    publish(store, "koch", seed=0)
    current = store.root / "models" / ".current"
    before = current.stat().st_mtime_ns, current.stat().st_ino
    publish(store, "koch", seed=0)
    assert (current.stat().st_mtime_ns, current.stat().st_ino) == before


def test_the_newest_is_what_was_made_or_found_made_last(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no models"):
        store.newest("models")
    first = publish(store, "koch", seed=0)
    second = publish(store, "koch", seed=1)
    assert store.newest("models").path == second.path
    publish(store, "koch", seed=0)
    assert store.newest("models").path == first.path


def test_a_name_of_two_kinds_has_to_be_told_apart(store: Store) -> None:
    publish(store, "x", kind="models")
    publish(store, "x", kind="pairs")
    with pytest.raises(UsageError, match="models, pairs"):
        store.find("x")
    assert store.find("x", "pairs").manifest.kind == "pairs"
    with pytest.raises(UsageError, match="names pairs, but models"):
        store.find("pairs/x", "models")


def test_a_mistyped_name_gets_a_suggestion_and_a_missing_version_the_list(store: Store) -> None:
    publish(store, "quick")
    with pytest.raises(NotFoundError, match="Did you mean 'quick'"):
        store.find("qiuck")
    with pytest.raises(NotFoundError, match="only v1"):
        store.find("quick:v7")


def test_two_at_once_make_one_artifact(store: Store) -> None:
    inside, go = threading.Event(), threading.Event()
    outcomes = []

    def build(staging: Staging) -> None:
        inside.set()
        assert go.wait(10)

    def work() -> None:
        outcomes.append(produce(Store(store.root), recipe(seed=0), "koch", build))

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join()
    assert sorted(outcome.reused for outcome in outcomes) == [False, True]
    assert len(store.artifacts()) == 1


def test_waiting_for_another_process_ends(store: Store) -> None:
    with store.producing(recipe(seed=0)), pytest.raises(StoreBusyError, match=r"0\.1 seconds"):
        produce(Store(store.root, wait_seconds=0.1), recipe(seed=0), "koch", lambda staging: None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_cannot_be_written_is_an_environment_error(tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir(mode=0o555)
    with pytest.raises(UnavailableError):
        publish(Store(tmp_path / "sealed" / "artifacts"), "koch")


def test_the_recipe_id_is_the_same_for_everyone() -> None:
    # SHA-256 of {"kind":"models","parents":[],"recipe_version":1,"settings":{"seed":0},"source":null}, by sha256sum.
    assert Recipe("models", 1, {"seed": 0}, []).id == "1213e2c720f0af49936c491f34a15ac3538243651bc38198c8fc75c6ac227879"


def test_the_recipe_depends_on_settings_parents_and_source_but_not_on_names(store: Store) -> None:
    parent, other = publish(store, "a", kind="pairs"), publish(store, "b", b"other", kind="pairs", seed=1)
    same = publish(Store(store.root.parent / "elsewhere"), "named-otherwise", kind="pairs")
    ids = [
        recipe(parents=[parent], rate=1).id,
        recipe(parents=[other], rate=1).id,
        recipe(parents=[parent], rate=2).id,
        Recipe("models", 2, {"rate": 1}, [parent.as_parent()]).id,
        Recipe("models", 1, {"rate": 1}, [parent.as_parent()], {"name": "omniglot", "digest": "1"}).id,
    ]
    assert len(set(ids)) == 5
    assert recipe(parents=[same], rate=1).id == ids[0]


def test_the_note_of_the_newest_is_written_under_the_lock_that_publishes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    free: list[bool] = []
    noted = order.replaced

    def look(path: Path) -> Any:
        with Locks(store.root / ".locks", wait_seconds=0, tell=str).held_if_free("versions") as is_free:
            free.append(is_free)
        return noted(path)

    monkeypatch.setattr(order, "replaced", look)
    publish(store, "koch", seed=0)
    publish(store, "koch", seed=1)
    publish(store, "koch", seed=0)
    assert free == [False] * 3


def test_a_newest_that_cannot_be_noted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> Any:
        raise OSError(28, "No space left on device")

    told: list[str] = []
    store = Store(tmp_path / "artifacts", tell=told.append)
    publish(store, "koch", seed=0)
    publish(store, "koch", seed=1)
    assert told == []
    monkeypatch.setattr(order, "replaced", fail)
    made = publish(store, "koch", seed=2)
    publish(store, "koch", seed=0)
    assert store.find("koch").path == made.path
    reason = "is not the newest of its kind, as that could not be noted: [Errno 28] No space left on device"
    assert told == [f"models/koch:v3 {reason}", f"models/koch:v1 {reason}"]
