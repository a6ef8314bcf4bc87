"""Two evaluations are compared trial by trial, and only where the trials are the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from omnishot.errors import DamagedFileError, QualityGateError, UsageError
from omnishot.formats.evaluation import EvaluationSummary, Result, write_evaluation
from omnishot.reporting.paired_comparison import paired
from omnishot.reporting.tolerance import check_tolerance, parse_tolerance
from omnishot.store.artifact import Artifact
from omnishot.store.manifest import Parent
from omnishot.store.recipe import Recipe
from omnishot.store.store import Store

RNG = np.random.default_rng(0)
N_TRIALS = 200
FIRST = RNG.random(N_TRIALS) < 0.9
WORSE = FIRST & (RNG.random(N_TRIALS) < 0.9)  # Wrong wherever the first is, and in a tenth of the rest.
TRIALS = {
    "query": RNG.integers(0, 50, N_TRIALS, dtype=np.int32),
    "support": RNG.integers(0, 50, (N_TRIALS, 5, 1), dtype=np.int32),
    "episode": np.arange(N_TRIALS, dtype=np.int32) // 2,
}
PAIRS = {
    "left": RNG.integers(0, 25, N_TRIALS, dtype=np.int32),
    "right": RNG.integers(25, 50, N_TRIALS, dtype=np.int32),
    "same": RNG.random(N_TRIALS) < 0.5,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def publish(store: Store, model: str, results: list[Result], scores: Any, *, seed: int, data: str) -> Artifact:
    names = [(f"models/{model}:v1", "a" * 64), (data, data[-1] * 64)]
    parents = [Parent(reference=name, recipe=digest, content=digest) for name, digest in names]
    folders = [store.root / parent.reference.replace(":", "/") for parent in parents]
    for folder in folders:  # That there are such folders is all a store asks of parents.
        folder.mkdir(parents=True)
    recipe = Recipe("evals", 1, {"model": model, "number": len(store.artifacts("evals"))}, parents)
    summary = EvaluationSummary(
        data=data, source="glyphs", models={}, seed=seed, device="cpu", comparisons=(), results=tuple(results)
    )
    with store.producing(recipe), store.publish(recipe, model) as staging:
        write_evaluation(staging.path, summary, scores)
    for folder in folders:
        folder.rmdir()
    assert staging.published
    return staging.published


def result(model: str, correct: NDArray[np.bool_], **changes: Any) -> Result:
    values: dict[str, Any] = {"protocol": "within", "on": "test", "ways": 5, "shots": 1, **changes}
    right = int(correct.sum())
    return Result(
        model=f"models/{model}:v1", trials=len(correct), correct=right, accuracy=right / len(correct),
        ci95=(0.0, 1.0), alphabets=1, **values,
    )  # fmt: skip


def oneshot(
    store: Store, model: str, correct: NDArray[np.bool_], *, seed: int = 0, data: str = "pairs/p:v1",
    trials: dict[str, NDArray[np.int32]] | None = None, **changes: Any,
) -> Artifact:  # fmt: skip
    asked = trials or TRIALS
    scores = np.zeros(asked["support"].shape[:2], dtype=np.float32)
    scores[:, 0] = np.where(correct, 1, -1)
    arrays = {"trials": asked, f"models/{model}:v1": {"scores": scores}}
    return publish(store, model, [result(model, correct, **changes)], arrays, seed=seed, data=data)


def verification(store: Store, model: str, correct: NDArray[np.bool_], **changes: Any) -> Artifact:
    pairs = {**PAIRS, **changes}
    scores = np.where(correct == pairs["same"], 2.0, 0.5).astype(np.float32)
    row = result(model, correct, protocol="verification", ways=None, shots=None, threshold=1.0, equal_error_rate=0.1)
    return publish(store, model, [row], {"pairs": pairs, f"models/{model}:v1": {"scores": scores}}, seed=0,
                   data="pairs/p:v1")  # fmt: skip


def test_the_difference_is_that_of_the_outcomes_and_its_interval_that_of_a_paired_test(store: Store) -> None:
    (found,) = paired(store, oneshot(store, "a", FIRST), oneshot(store, "b", WORSE))
    change = WORSE.astype(float) - FIRST
    assert found.difference == pytest.approx(change.mean())
    n_images = len(np.unique(TRIALS["query"]))  # 200 trials ask for 50 images or fewer, again and again.
    least, most = (1.96 * change.std() / np.sqrt(n) for n in (N_TRIALS, n_images))  # The normal interval of a mean.
    assert least < (found.ci95[1] - found.ci95[0]) / 2 < most
    assert found.ci95[0] < change.mean() < found.ci95[1] < 0
    assert (found.questions, found.images, found.mcnemar_p < 0.001) == (N_TRIALS, n_images, True)
    assert (found.one, found.other, found.trials) == ("models/a:v1", "models/b:v1", N_TRIALS)
    assert "on the same 200 trials (95 %" in found.verdict
    assert "which is not chance; McNemar p < 0.001)" in found.verdict


def test_trials_that_repeat_are_counted_once_and_nobody_is_told_to_ask_more_of_them(store: Store) -> None:
    once = {name: values[:10] for name, values in TRIALS.items()}
    once["query"], once["episode"] = np.arange(10, dtype=np.int32), np.arange(10, dtype=np.int32)
    trials = {name: np.repeat(values, 20, axis=0) for name, values in once.items()}
    trials["episode"] = np.arange(N_TRIALS, dtype=np.int32)
    right, less = (np.repeat(np.arange(10) < n, 20) for n in (9, 8))
    found = paired(store, oneshot(store, "a", right, trials=trials), oneshot(store, "b", less, trials=trials))
    assert found[0].ci95[0] < 0 < found[0].ci95[1]  # One of ten is no difference, though twenty trials of 200 say so.
    assert "on the same 200 (10 different) trials" in found[0].verdict
    assert "which may be chance; McNemar p = 1.000" in found[0].verdict
    with pytest.raises(QualityGateError) as failed:
        check_tolerance(found, parse_tolerance("accuracy=0.05"))
    assert "only more classes or images make the interval narrower" in (failed.value.hint or "")


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, "more trials make the interval narrower"),
        ({"protocol": "lake"}, "`omnishot eval --protocol within --trials 10000` asks more than Lake's runs do"),
    ],
)
def test_the_advice_is_what_can_be_done(store: Store, changes: dict[str, Any], advice: str) -> None:
    trials = {**TRIALS, "query": np.arange(N_TRIALS, dtype=np.int32)}
    sides = [oneshot(store, name, FIRST, trials=trials, **changes) for name in ("a", "b")]
    assert paired(store, sides[0], sides[1])[0].advice == advice
    pairs = [verification(store, name, FIRST) for name in ("a", "b")]  # 200 pairs of 50 images.
    assert "only more classes or images" in paired(store, pairs[0], pairs[1])[0].advice


def test_verification_is_paired_too(store: Store) -> None:
    (found,) = paired(store, verification(store, "a", FIRST), verification(store, "b", WORSE))
    assert found.difference == pytest.approx(WORSE.mean() - FIRST.mean())
    assert found.task == "verification on test"
    with pytest.raises(UsageError, match="pairs/p:v1 and pairs/p:v1 hold other pairs"):
        paired(store, verification(store, "a", FIRST), verification(store, "b", WORSE, left=PAIRS["left"][::-1].copy()))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"protocol": "between"}, "the protocol is within in one and between in the other"),
        ({"on": "train"}, "the part of the split is test in one and train in the other"),
        ({"shots": 2}, "the number of shots is 1 in one and 2 in the other"),
        ({"seed": 7}, "the seed is 0 in one and 7 in the other"),
        ({"data": "pairs/p:v2"}, "the images are those of pairs/p:v1 in one and pairs/p:v2 in the other"),
        ({"trials": {**TRIALS, "query": TRIALS["query"] + 1}}, "pairs/p:v1 and pairs/p:v1 are divided differently"),
        ({"trials": {**TRIALS, "support": TRIALS["support"][:, :4]}, "ways": 4}, "for 5 ways in one and for 4 in the"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_why_two_evaluations_cannot_be_paired_is_said(store: Store, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match="have no trials in common, so that they cannot be paired") as caught:
        paired(store, oneshot(store, "a", FIRST), oneshot(store, "b", WORSE, **changes))
    assert reason in str(caught.value)


def test_scores_that_contradict_the_summary_are_refused(store: Store) -> None:
    first, second = oneshot(store, "a", FIRST), oneshot(store, "b", WORSE)
    path = second.path / "scores.h5"
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        file["models|b:v1/scores"][:, 0] = 1
    entry = second.manifest.files["scores.h5"]
    damaged = second.manifest.model_copy(
        update={"files": {**second.manifest.files, "scores.h5": entry.model_copy(update=_as_it_is(path))}}
    )
    with pytest.raises(DamagedFileError, match="models/b:v1 are right 200 times of 200, but its summary"):
        paired(store, first, replace(second, manifest=damaged))


def _as_it_is(path: Path) -> dict[str, Any]:
    from omnishot.store.manifest import file_digest

    return {"sha256": file_digest(path), "size": path.stat().st_size}


def test_a_loss_of_more_than_the_tolerance_fails_and_one_of_just_as_much_does_not(store: Store) -> None:
    base = np.arange(N_TRIALS) >= 20
    first, second = oneshot(store, "a", base), oneshot(store, "b", base & (np.arange(N_TRIALS) != 199))
    found = paired(store, first, second)  # One trial of 200: half a point.
    assert "no more than the tolerated 0.5 points" in check_tolerance(found, parse_tolerance("accuracy=0.005"))
    with pytest.raises(QualityGateError, match=r"fell by more than the tolerated 0.4 points.*-0\.50 points.*chance"):
        check_tolerance(found, parse_tolerance("5-way=0.004"))
    with pytest.raises(UsageError, match="20-way: both evaluations measured within 5-way on test only"):
        check_tolerance(found, parse_tolerance("20-way=0.1"))
    better = paired(store, second, first)
    assert "+0.50 points" in check_tolerance(better, parse_tolerance("accuracy=0"))


@pytest.mark.parametrize("text", ["accuracy", "accuracy=5", "accuracy=-1", "loss=0.1", "0-way=0.1", "=0.1", "5way=0.1"])
def test_a_tolerance_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parse_tolerance(text)
