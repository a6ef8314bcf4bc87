"""gc removes old versions, and never what something kept descends from."""

from pathlib import Path

import pytest

from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.maintenance.garbage_collection import clean
from omnishot.progress import Progress
from omnishot.stages.produce import produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def made(store: Store, kind: str, what: str, *parents: Artifact, seed: int = 0, name: str | None = None) -> Artifact:
    def build(staging: Staging) -> None:
        (staging.path / "data.bin").write_bytes(f"{what[0]}{seed:9}".encode())

    recipe = Recipe(kind, 1, {"seed": seed, "name": what}, [parent.as_parent() for parent in parents])
    return produce(store, recipe, name or what, build, force=True).artifact


def left(store: Store) -> list[str]:
    return sorted(str(artifact.reference) for artifact in store.artifacts())


def test_of_every_name_the_newest_versions_stay(store: Store) -> None:
    for seed in range(4):
        made(store, "models", "quick", seed=seed)
        made(store, "models", "koch", seed=seed)
    cleaned = clean(store, 2)
    assert left(store) == ["models/koch:v3", "models/koch:v4", "models/quick:v3", "models/quick:v4"]
    assert len(cleaned.removed) == 4


def test_what_a_kept_artifact_descends_from_stays(store: Store) -> None:
    images = [made(store, "images", "i", seed=seed) for seed in range(3)]
    pairs = [made(store, "pairs", "p", images[min(seed, 1)], seed=seed) for seed in range(4)]
    old = made(store, "models", "old", pairs[0])
    made(store, "models", "new", pairs[3])
    made(store, "evals", "e", old, pairs[0])
    clean(store, 1)
    # i:v3 and p:v4 are the newest of their names, i:v1, i:v2 and p:v1 are ancestors of kept ones.
    assert left(store) == [
        "evals/e:v1", "images/i:v1", "images/i:v2", "images/i:v3", "models/new:v1", "models/old:v1", "pairs/p:v1",
        "pairs/p:v4",
    ]  # fmt: skip


def test_another_artifact_of_the_recipe_stands_in_for_a_parent_that_is_gone(store: Store) -> None:
    first = made(store, "pairs", "p")
    made(store, "pairs", "other", seed=1)
    same = made(store, "pairs", "p", name="copy")
    made(store, "pairs", "copy", seed=2)
    made(store, "models", "m", first)
    store.remove(lambda: [first])
    clean(store, 1)
    assert str(same.reference) in left(store)


def test_what_is_current_stays_even_if_it_is_old(store: Store) -> None:
    first = made(store, "models", "quick", seed=0)
    made(store, "models", "quick", seed=1)
    store.mark_current(first)
    clean(store, 1)
    assert left(store) == ["models/quick:v1", "models/quick:v2"]


def test_what_a_running_process_works_on_stays(store: Store) -> None:
    first = made(store, "pairs", "p", seed=0)
    made(store, "pairs", "p", seed=1)
    with Store(store.root).producing(Recipe("models", 1, {}, [first.as_parent()])):
        clean(store, 1)
        assert str(first.reference) in left(store)
    clean(store, 1)
    assert str(first.reference) not in left(store)


def test_a_damaged_version_does_not_count_as_kept(store: Store) -> None:
    for seed in range(3):
        made(store, "models", "quick", seed=seed)
    path = store.find("quick:v3").path / "data.bin"
    path.chmod(0o644)
    path.write_bytes(b"short")
    clean(store, 1)
    assert left(store) == ["models/quick:v2", "models/quick:v3"]


def test_an_artifact_whose_manifest_is_damaged_is_left_alone(store: Store) -> None:
    for seed in range(3):
        made(store, "models", "quick", seed=seed)
    manifest = store.root / "models" / "quick" / "v1" / "manifest.yaml"
    manifest.chmod(0o644)
    manifest.write_text("")
    clean(store, 1)
    assert sorted(path.name for path in (store.root / "models" / "quick").iterdir()) == ["v1", "v3"]


def test_a_dry_run_tells_but_removes_nothing(store: Store) -> None:
    for seed in range(3):
        made(store, "models", "quick", seed=seed)
    before = left(store)
    cleaned = clean(store, 1, unfinished=True, dry_run=True)
    assert [str(artifact.reference) for artifact in cleaned.removed] == ["models/quick:v2", "models/quick:v1"]
    assert left(store) == before


def test_interrupted_runs_stay_unless_they_are_asked_for(store: Store) -> None:
    made(store, "models", "quick")
    state = store.resume_folder(Recipe("models", 1, {"seed": 7}, []))
    state.mkdir(parents=True)
    (state / "checkpoint.pt").write_bytes(bytes(100))
    cleaned = clean(store, 1)
    assert (cleaned.interrupted, cleaned.interrupted_bytes) == ((state,), 100)
    assert state.exists()
    clean(store, 1, unfinished=True)
    assert not state.exists()


def test_what_an_interrupted_run_is_made_from_stays_as_long_as_its_state(store: Store) -> None:
    first = made(store, "pairs", "p", seed=0)
    made(store, "pairs", "p", seed=1)
    state = store.prepare_resume_folder(Recipe("models", 1, {"seed": 7}, [first.as_parent()]))
    (state / "checkpoint.pt").write_bytes(b"state")
    clean(store, 1)
    assert str(first.reference) in left(store)
    clean(store, 1, unfinished=True)
    assert str(first.reference) not in left(store)


def test_a_child_that_appears_while_versions_are_checked_keeps_its_parent(store: Store) -> None:
    first = made(store, "pairs", "p", seed=0)
    made(store, "pairs", "p", seed=1)

    def appear(progress: Progress) -> None:
        if not store.artifacts("models"):
            made(Store(store.root), "models", "m", first)

    clean(store, 1, on_progress=appear)
    assert left(store) == ["models/m:v1", "pairs/p:v1", "pairs/p:v2"]


def test_a_run_does_not_start_from_what_was_removed_meanwhile(store: Store) -> None:
    first = made(store, "pairs", "p")
    store.remove(lambda: [first])
    with pytest.raises(NotFoundError, match="pairs/p:v1 was removed"):
        made(store, "models", "m", first)


def test_another_model_of_the_recipe_does_not_stand_in_for_one_that_is_gone(store: Store) -> None:
    first, second = (made(store, "models", "m") for _ in range(2))
    evaluation = made(store, "evals", "e", first)
    (parent,) = evaluation.manifest.parents
    found = store.parent(parent)
    assert found is not None
    assert found.path == first.path
    store.remove(lambda: [first])
    assert first.manifest.recipe == second.manifest.recipe
    assert store.parent(parent) is None


def test_two_cleanings_at_once_do_not_disturb_each_other(store: Store) -> None:
    for seed in range(3):
        made(store, "models", "quick", seed=seed)

    def clean_too(progress: Progress) -> None:
        clean(Store(store.root), 1)

    assert clean(store, 1, on_progress=clean_too).removed == ()
    assert left(store) == ["models/quick:v3"]


def test_children_go_before_their_parents(store: Store) -> None:
    for seed in range(3):
        pairs = made(store, "pairs", "p", seed=seed)
        made(store, "models", "m", pairs, seed=seed)
    removed = clean(store, 1).removed
    places = {str(artifact.reference): place for place, artifact in enumerate(removed)}
    assert len(removed) == 4
    for artifact in removed:
        for parent in artifact.manifest.parents:
            assert places[str(artifact.reference)] < places[parent.reference]


def unreadable(store: Store, place: str) -> Path:
    folder = store.root / place
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "manifest.yaml").exists():
        (folder / "manifest.yaml").chmod(0o644)
    (folder / "manifest.yaml").write_text("")
    return folder


@pytest.mark.parametrize(
    ("place", "removed"),
    [
        ("images/other/v1", ["evals/e:v1", "models/m:v1", "pairs/p:v1", "images/i:v1"]),
        ("pairs/other/v1", ["evals/e:v1", "models/m:v1", "pairs/p:v1"]),
        ("models/other/v1", ["evals/e:v1"]),
        ("models/m/v1", ["evals/e:v1"]),
        ("models/m/v3", ["evals/e:v1"]),
        ("evals/other/v1", ["evals/e:v1"]),
    ],
)
def test_what_an_unreadable_artifact_may_have_been_made_from_stays(
    store: Store, place: str, removed: list[str]
) -> None:
    for seed in range(2):
        images = made(store, "images", "i", seed=seed)
        pairs = made(store, "pairs", "p", images, seed=seed)
        model = made(store, "models", "m", pairs, seed=seed)
        made(store, "evals", "e", model, pairs, seed=seed)
    folder = unreadable(store, place)
    cleaned = clean(store, 1)
    assert [str(artifact.reference) for artifact in cleaned.removed] == removed
    assert str(folder) in str(cleaned.unreadable[0])


@pytest.mark.parametrize("linked", ["models/quick", "models"])
def test_nothing_is_removed_behind_a_link(store: Store, tmp_path: Path, linked: str) -> None:
    for seed in range(3):
        made(store, "models", "quick", seed=seed)
    elsewhere = (store.root / linked).rename(tmp_path / "elsewhere")
    (store.root / linked).symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    cleaned = clean(store, 1)
    assert (cleaned.removed, len(cleaned.kept)) == ((), 3)
    assert cleaned.linked == (store.root / "models" / "quick",)
    assert sorted(elsewhere.rglob("*")) == before


def test_models_go_before_those_they_started_from(store: Store) -> None:
    first = made(store, "models", "a")
    second = made(store, "models", "b", first)
    third = made(store, "models", "a", second, seed=1)
    for name in ("a", "b"):
        made(store, "models", name, seed=7)
    assert [artifact.reference for artifact in clean(store, 1).removed] == [
        third.reference, second.reference, first.reference,
    ]  # fmt: skip


def test_without_a_note_that_can_be_read_nothing_goes(store: Store) -> None:
    for seed in range(2):
        made(store, "models", "quick", seed=seed)
    (store.root / "models" / ".current").write_text("models/quick:v9\nmodels/quick:v9\n")
    with pytest.raises(DamagedFileError, match=r"\.current is damaged"):
        clean(store, 1)
    (store.root / "models" / ".current").unlink()
    assert left(store) == ["models/quick:v1", "models/quick:v2"]
