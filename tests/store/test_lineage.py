"""Lineages end, whatever manifests claim, and are as long as what they say."""

import time
from pathlib import Path

import pytest

from omnishot.errors import DamagedFileError
from omnishot.store.artifact import Artifact
from omnishot.store.lineage import ancestors, lineage
from omnishot.store.manifest import Manifest, Parent
from omnishot.store.store import Store

SECONDS = 20


@pytest.fixture(scope="module")
def known() -> Manifest:
    golden = Path(__file__).parents[1] / "golden" / "v1"
    return Store(golden).find("models/golden").manifest


def family(known: Manifest, parents: dict[str, list[str]]) -> list[Artifact]:
    """Return models by name with the parents that each claims to have."""

    def parent(name: str) -> Parent:
        return Parent(reference=f"models/{name}:v1", recipe=known.recipe)

    return [
        Artifact(Path(name), known.model_copy(update={"name": name, "parents": list(map(parent, named))}))
        for name, named in parents.items()
    ]


def within_seconds(store: Store, everything: list[Artifact]) -> list[str]:
    started = time.process_time()
    lines = lineage(store, everything[-1], among=everything)
    once = ancestors(store, [everything[-1]], among=everything)
    assert time.process_time() - started < SECONDS
    assert {line.reference for line in lines} == {one.reference for one in once}
    assert len(once) == len({one.reference for one in once})
    return [line.reference for line in lines]


def test_forty_generations_that_each_name_the_one_before_twice(known: Manifest, tmp_path: Path) -> None:
    names = {f"g{n}": [f"g{n - 1}"] * 2 if n else [] for n in range(40)}
    assert len(within_seconds(Store(tmp_path), family(known, names))) == 79


def test_a_thousand_models_each_trained_on_from_the_one_before(known: Manifest, tmp_path: Path) -> None:
    names = {f"g{n}": [f"g{n - 1}"] if n else [] for n in range(1000)}
    everything = family(known, names)
    assert len(within_seconds(Store(tmp_path), everything)) == 1000
    once = ancestors(Store(tmp_path), [everything[-1]], among=everything)
    assert [one.depth for one in once] == list(range(999, -1, -1))


@pytest.mark.parametrize("parents", [{"a": ["a"]}, {"a": ["b"], "b": ["a"]}, {"a": ["c", "b"], "b": ["a"], "c": ["b"]}])
def test_artifacts_that_claim_to_descend_from_themselves(
    known: Manifest, parents: dict[str, list[str]], tmp_path: Path
) -> None:
    assert set(within_seconds(Store(tmp_path), family(known, parents))) == {f"models/{name}:v1" for name in parents}


def test_more_parents_than_a_store_has_are_refused(known: Manifest, tmp_path: Path) -> None:
    everything = family(known, {"a": ["gone"] * 10_001})
    with pytest.raises(DamagedFileError, match=r"models/a:v1 descends from more than 10,000"):
        lineage(Store(tmp_path), everything[0], among=everything)


def test_parents_come_before_children_however_they_are_named(known: Manifest, tmp_path: Path) -> None:
    everything = family(known, {"images": [], "pairs": ["images"], "model": ["pairs"], "eval": ["pairs", "model"]})
    once = ancestors(Store(tmp_path), [everything[-1]], among=everything)
    assert {one.reference: one.depth for one in once} == {
        "models/images:v1": 3, "models/pairs:v1": 2, "models/model:v1": 1, "models/eval:v1": 0,
    }  # fmt: skip
