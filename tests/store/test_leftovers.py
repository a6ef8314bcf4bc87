"""What killed processes leave is removed, what somebody still needs is not."""

import os
from pathlib import Path

import pytest

from omnishot.stages.produce import produce
from omnishot.store.artifact import Staging
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store


def recipe(seed: int) -> Recipe:
    return Recipe("models", 1, {"seed": seed}, [])


def fill(staging: Staging) -> None:
    (staging.path / "data.bin").write_bytes(b"weights")


def leave(store: Store, place: str, seed: int) -> Path:
    folder = store.root / place / recipe(seed).id
    folder.mkdir(parents=True)
    (folder / "left.bin").write_bytes(b"left by a killed process")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def test_making_anything_sweeps_half_artifacts_of_other_recipes(store: Store) -> None:
    half = leave(store, ".staging", seed=1)
    produce(store, recipe(0), "koch", fill)
    assert not half.exists()


def test_finding_something_made_sweeps_too(store: Store) -> None:
    produce(store, recipe(0), "koch", fill)
    half = leave(store, ".staging", seed=1)
    assert produce(store, recipe(0), "koch", fill).reused
    assert not half.exists()


def test_what_another_process_is_making_is_not_swept(store: Store) -> None:
    half = leave(store, ".staging", seed=1)
    with Store(store.root).producing(recipe(0)):
        assert not half.exists()
    with Store(store.root).producing(recipe(1)):
        half.mkdir()
        produce(store, recipe(0), "koch", fill)
        assert half.exists()


def test_the_state_of_an_unfinished_run_stays(store: Store) -> None:
    state = leave(store, ".unfinished", seed=1)
    produce(store, recipe(0), "koch", fill)
    assert state.exists()
    assert store.leftovers.unfinished() == [state]


def begin(store: Store, seed: int) -> Path:
    """Leave the state of a run as an interrupted run does."""
    folder = store.prepare_resume_folder(recipe(seed))
    (folder / "left.bin").write_bytes(b"state")
    return folder


@pytest.mark.parametrize("year", [1970, 2100])
def test_the_state_of_a_finished_run_goes_even_if_the_run_was_killed_before_it_could_remove_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    state = begin(store, seed=1)
    monkeypatch.setattr("omnishot.store.store.discard", lambda path: None)  # Killed right before.
    produce(store, recipe(1), "koch", fill)
    monkeypatch.undo()
    assert (state / "left.bin").exists()
    set_clock(state, year)
    produce(store, recipe(0), "koch", fill)
    assert not state.exists()


@pytest.mark.parametrize("year", [1970, 2100])
def test_the_state_of_a_run_that_was_started_again_with_force_stays_whatever_a_clock_says(
    store: Store, year: int
) -> None:
    produce(store, recipe(1), "koch", fill)
    state = begin(store, seed=1)
    set_clock(state, year)
    produce(store, recipe(0), "koch", fill)
    assert (state / "left.bin").exists()


def set_clock(folder: Path, year: int) -> None:
    """Let all files of a folder be as old as if the clock had shown another year."""
    for path in folder.iterdir():
        os.utime(path, ((year - 1970) * 31_556_952.0,) * 2)


@pytest.mark.parametrize("noted", [None, "", "{}", "[1]", "[" * 100_000, "null"])
def test_state_of_which_nothing_is_known_is_kept(store: Store, noted: str | None) -> None:
    produce(store, recipe(1), "koch", fill)
    state = leave(store, ".unfinished", seed=1)
    if noted is not None:
        (state / "earlier.json").write_text(noted)
    produce(store, recipe(0), "koch", fill)
    assert state.exists()


def test_a_removal_that_was_killed_is_ended_by_the_next_run(store: Store) -> None:
    half = store.root / ".staging" / f"removed-{'0' * 32}"
    half.mkdir(parents=True)
    (half / "data.bin").write_bytes(b"")
    produce(store, recipe(0), "koch", fill)
    assert not half.exists()


@pytest.mark.parametrize("place", [".staging", ".unfinished"])
def test_what_lies_behind_a_link_is_not_swept(store: Store, tmp_path: Path, place: str) -> None:
    precious = tmp_path / "precious" / recipe(1).id
    precious.mkdir(parents=True)
    store.root.mkdir()
    (store.root / place).symlink_to(precious.parent)
    if place == ".unfinished":
        assert store.leftovers.unfinished() == []
        store.leftovers.remove_unfinished()
    store.leftovers.sweep()
    assert precious.exists()


def test_what_has_another_name_is_not_swept(store: Store) -> None:
    mine = store.root / ".staging" / "my notes"
    mine.mkdir(parents=True)
    produce(store, recipe(0), "koch", fill)
    assert mine.exists()


def test_runs_from_different_models_of_one_recipe_keep_their_states_apart(store: Store) -> None:
    models = [produce(store, recipe(0), "koch", fill, force=True).artifact for _ in range(2)]
    first, second = (Recipe("models", 1, {"seed": 1}, [model.as_parent()]) for model in models)
    assert first.id == second.id
    assert store.resume_folder(first) != store.resume_folder(second)
    assert produce(store, first, "koch", fill).artifact.key == first.key


def test_a_removed_artifact_is_gone_with_all_it_had(store: Store) -> None:
    made = produce(store, recipe(0), "koch", fill).artifact
    store.remove(lambda: [made])
    assert store.artifacts() == []
    assert not (store.root / "models" / "koch").exists()
    assert list((store.root / ".staging").iterdir()) == []
