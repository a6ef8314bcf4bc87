"""An artifact is what it holds: claims are recomputed, contents pinned, the order the store's own, edited code seen."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.errors import DamagedFileError, InputError, NotFoundError, UsageError
from omnishot.stages.produce import StageResult, produce
from omnishot.store.artifact import Artifact, Staging
from omnishot.store.identity import content_of, is_sealed, recipe_id, sealed
from omnishot.store.manifest import read_manifest
from omnishot.store.order import Order, read_order
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store
from tests.forging import forge

GOLDEN = Path(__file__).parents[1] / "golden" / "v2"
FUTURE = {"created": "2099-01-31T12:00:00.000000+00:00"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def made(
    store: Store, kind: str, name: str, *parents: Artifact, content: bytes = b"x", force: bool = False, **settings: Any
) -> StageResult:
    def build(staging: Staging) -> None:
        (staging.path / "data.bin").write_bytes(content)

    recipe = Recipe(kind, 1, settings, [parent.as_parent() for parent in parents])
    return produce(store, recipe, name, build, force=force)


def emptied(artifact: Artifact) -> Path:
    path = artifact.path / "manifest.yaml"
    path.chmod(0o644)
    path.write_bytes(b"")
    return path


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_sealed_text_is_sealed_and_no_other(text: str) -> None:
    whole = sealed(f"{text}\n")
    assert is_sealed(whole)
    assert not is_sealed(whole + "\n")
    assert not is_sealed(whole[1:])
    assert not is_sealed(whole.upper())


def test_content_and_recipe_are_what_sha256sum_says_of_their_json() -> None:
    # printf '{"data.bin":"00"}' | sha256sum
    assert content_of({"data.bin": "00"}) == "bae986f3bc12104bf49eb4d4ac764739db1473308cbe69650b37bb8dd7916916"
    assert content_of({"b": "0", "a": "1"}) == content_of({"a": "1", "b": "0"}) != content_of({"a": "0", "b": "1"})
    assert recipe_id("models", 1, {}, ["0"], None) != recipe_id("models", 1, {}, ["1"], None)


@pytest.mark.parametrize("kind", ["images", "pairs", "models", "evals"])
def test_every_flipped_bit_of_a_manifest_is_seen(kind: str, tmp_path: Path) -> None:
    (folder,) = (GOLDEN / kind).glob("*/v1")
    content = (folder / "manifest.yaml").read_bytes()
    bits = random.Random(0).sample(range(8 * len(content)), 400)
    path = tmp_path / "manifest.yaml"
    for bit in bits:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(DamagedFileError, match=str(path)):
            read_manifest(tmp_path)


def test_an_edit_that_means_the_same_is_seen_too(store: Store) -> None:
    path = made(store, "models", "m", rate=True).artifact.path / "manifest.yaml"
    path.chmod(0o644)
    text = path.read_text()
    for other in (text.replace("rate: true", "rate:  true"), text + "\n", text.replace("format: 2", "format: 1", 1)):
        assert other != text
        path.write_text(other)
        with pytest.raises(DamagedFileError):
            read_manifest(path.parent)


def test_who_claims_another_recipe_is_damaged_whoever_asks(store: Store) -> None:
    ours, theirs = made(store, "models", "ours", rate=1).artifact, made(store, "models", "theirs", rate=2).artifact
    claimed = ours.manifest.recipe
    shutil.rmtree(ours.path)
    forge(theirs.path, lambda manifest: manifest, recipe=claimed)
    with pytest.raises(DamagedFileError, match="its recipe id is not that of its settings"):
        store.find("theirs")
    assert not made(store, "models", "ours", rate=1).reused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: manifest.update(recipe_version=2), None),
        (lambda manifest: manifest["settings"].update(rate=3), None),
        (lambda manifest: manifest["files"].update({"more": {"sha256": "0" * 64, "size": 0}}), "has no file|damaged"),
        (lambda manifest: manifest.pop("code"), "recipe_version, code or content"),
    ],
    ids=["version", "settings", "files", "code"],
)
def test_what_is_edited_and_signed_anew_is_no_longer_what_was_asked_for(
    store: Store, change: Any, words: str | None
) -> None:
    folder = made(store, "models", "m", rate=1).artifact.path
    forge(folder, change)
    if words:
        with pytest.raises(DamagedFileError, match=words):
            store.find("m").verify()
    assert not made(store, "models", "m", rate=1).reused


def test_format_1_is_held_to_its_recipe_too(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN.parent / "v1" / "models/golden/v1", tmp_path / "v1")
    path = folder / "manifest.yaml"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("epochs: 40", "epochs: 41"))
    with pytest.raises(DamagedFileError, match="its recipe id is not"):
        read_manifest(folder)


def test_a_model_trained_again_under_the_old_name_is_measured_anew(store: Store) -> None:
    first = made(store, "models", "m", content=b"first").artifact
    before = made(store, "evals", "e", first).artifact
    store.remove(lambda: [first])
    second = made(store, "models", "m", content=b"second").artifact
    assert (first.reference, first.manifest.recipe) == (second.reference, second.manifest.recipe)
    after = made(store, "evals", "e", second)
    assert not after.reused
    assert store.parent(before.manifest.parents[0]) is None
    found = store.parent(after.artifact.manifest.parents[0])
    assert found is not None
    assert found.path == second.path


def test_what_was_made_again_with_the_same_content_makes_nothing_else_again(store: Store) -> None:
    images = made(store, "images", "i").artifact
    pairs = made(store, "pairs", "p", images, content=b"p").artifact
    made(store, "models", "m", pairs)
    store.remove(lambda: [pairs, images])
    images = made(store, "images", "other").artifact
    pairs = made(store, "pairs", "other", images, content=b"p").artifact
    assert made(store, "models", "m", pairs).reused


def test_initial_weights_of_other_content_are_another_recipe(store: Store) -> None:
    first, second = (made(store, "models", "m", content=content, force=True).artifact for content in (b"1", b"2"))
    recipes = {Recipe("models", 1, {}, [model.as_parent()]).id for model in (first, second)}
    assert len(recipes) == 2


def test_a_claimed_date_changes_nothing(store: Store) -> None:
    old, new = (made(store, "models", name, content=name.encode(), called=name).artifact for name in ("z", "a"))
    forge(old.path, lambda manifest: manifest.update(FUTURE))
    assert store.newest("models").path == new.path
    assert [artifact.path for artifact in store.artifacts()] == [old.path, new.path]
    (store.root / "models" / ".current").unlink()
    with pytest.raises(NotFoundError, match="newest is not noted: there are a, z"):
        store.newest("models")


def test_versions_order_what_a_store_has_no_note_of(store: Store) -> None:
    artifacts = [made(store, "models", "m", seed=seed).artifact for seed in range(11)]
    forge(artifacts[3].path, lambda manifest: manifest.update(FUTURE))
    (store.root / "models" / ".current").unlink()
    assert store.newest("models").path == artifacts[-1].path
    assert [artifact.path for artifact in store.artifacts()] == [artifact.path for artifact in artifacts]


def test_what_was_brought_here_is_not_the_newest(store: Store, tmp_path: Path) -> None:
    theirs = made(Store(tmp_path / "elsewhere"), "models", "theirs", seed=7).artifact
    ours = [made(store, "models", "ours", seed=seed).artifact for seed in range(2)]
    brought = store.root / "models" / "theirs" / "v1"
    shutil.copytree(theirs.path, brought)
    forge(brought, lambda manifest: manifest.update(FUTURE))
    assert store.newest("models").path == ours[-1].path
    assert store.artifacts()[0].path == brought
    store.remove(lambda: [ours[-1]])
    assert store.newest("models").path == ours[0].path


def test_a_version_that_is_made_again_is_the_newest_again(store: Store) -> None:
    first, second = made(store, "models", "a").artifact, made(store, "models", "b").artifact
    assert first.path == second.path  # The same recipe.
    other = made(store, "models", "b", seed=1).artifact
    store.remove(lambda: [first])
    again = made(store, "models", "a").artifact
    assert again.reference == first.reference
    assert [artifact.path for artifact in store.artifacts()] == [other.path, again.path]


def test_every_flipped_bit_of_the_note_is_seen_where_it_matters(store: Store) -> None:
    for seed in range(2):
        made(store, "models", "m", seed=seed)
    note = store.root / "models" / ".current"
    content = note.read_bytes()
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        note.write_bytes(flipped)
        with pytest.raises(InputError, match=r"models/\.current"):
            store.newest("models")
    assert store.find("m").reference.version == 2
    assert made(store, "models", "m", seed=0).reused  # And is the newest from now on.
    assert store.newest("models").reference.version == 1


@pytest.fixture
def store_of_format_1(tmp_path: Path) -> Store:
    """Two models of format 1, of which the earlier one was used last."""
    root = Path(shutil.copytree(GOLDEN.with_name("v1"), tmp_path / "artifacts"))
    second = shutil.copytree(root / "models/golden/v1", root / "models/golden/v2") / "manifest.yaml"
    second.chmod(0o644)
    second.write_text(second.read_text().replace("version: 1", "version: 2", 1))
    (root / "models" / ".current").write_text("models/golden:v1")
    return Store(root)


def test_the_note_of_format_1_is_read(store_of_format_1: Store) -> None:
    store = store_of_format_1
    assert store.newest("models").path == store.root / "models/golden/v1"
    store.mark_current(store.find("models/golden:v2"))
    assert read_order(store.root / "models") == Order(("models/golden:v1", "models/golden:v2"), "models/golden:v2")


def test_what_is_published_beside_artifacts_of_format_1_follows_them(
    store_of_format_1: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of_format_1

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as killed:  # Between an artifact and the note of it.
        killed.setattr("omnishot.store.store.note_newest", fail)
        made(store, "models", "m", seed=0)
    assert store.newest("models").path == store.root / "models/golden/v1"
    second = made(store, "models", "m", seed=1).artifact
    assert read_order(store.root / "models").made == ("models/golden:v1", "models/m:v2")
    assert store.newest("models").path == second.path


def test_a_note_that_was_cut_short_is_not_taken_for_one_of_format_1(store: Store) -> None:
    for seed in range(2):
        made(store, "models", "m", seed=seed)
    note = store.root / "models" / ".current"
    content = note.read_text()
    for size in range(len(content)):
        note.write_text(content[:size])
        with pytest.raises(DamagedFileError, match=r"models/\.current is damaged: "):
            store.newest("models")


def test_what_cannot_be_read_is_an_error_wherever_it_could_have_mattered(store: Store) -> None:
    first, second = (made(store, "models", "m", seed=seed).artifact for seed in range(2))
    path = emptied(second)
    for ask in (lambda: store.newest("models"), lambda: store.artifacts("models"), store.artifacts):
        with pytest.raises(DamagedFileError, match=str(path)):
            ask()
    (store.root / "models" / ".current").unlink()
    with pytest.raises(DamagedFileError, match=str(path)):
        store.newest("models")
    assert store.has("models")
    assert store.find("m:v1").path == first.path
    damaged: dict[Path, DamagedFileError] = {}
    assert [artifact.path for artifact in store.artifacts(damaged=damaged)] == [first.path]
    assert list(damaged) == [second.path]


def test_what_cannot_be_read_does_not_matter_where_another_was_published_since(store: Store) -> None:
    emptied(made(store, "models", "m", seed=0).artifact)
    second = made(store, "models", "m", seed=1).artifact
    assert store.newest("models").path == second.path


def test_a_parent_that_cannot_be_read_is_not_taken_for_one_that_is_gone(store: Store) -> None:
    pairs = made(store, "pairs", "p").artifact
    (parent,) = made(store, "models", "m", pairs).artifact.manifest.parents
    path = emptied(pairs)
    with pytest.raises(DamagedFileError, match=str(path)):
        store.parent(parent)
    same = made(store, "pairs", "copy").artifact
    found = store.parent(parent)
    assert found is not None
    assert found.path == same.path


def test_a_name_that_also_fits_what_cannot_be_read_has_to_be_told_apart(store: Store) -> None:
    made(store, "pairs", "x")
    emptied(made(store, "models", "x").artifact)
    with pytest.raises(UsageError, match="models, pairs"):
        store.find("x")


def test_what_edited_code_made_is_made_again_and_a_release_is_trusted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    store.tell = told.append
    first = made(store, "models", "m").artifact
    forge(first.path, lambda manifest: manifest.update(code="0" * 64))
    again = made(store, "models", "m")
    assert not again.reused
    assert told == ["models/m:v1 was made by other code; making it again"]
    assert made(store, "models", "m").artifact.path == again.artifact.path
    forge(again.artifact.path, lambda manifest: manifest.update(code="0" * 64))
    monkeypatch.setattr("omnishot.stages.produce.version", lambda name: "0.2.0")
    assert made(store, "models", "m").reused
