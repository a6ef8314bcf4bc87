"""Pictures of where a network errs show what a loop over the scores finds."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from omnishot.data.image_set import Labels
from omnishot.reporting.page.reliability import reliability_section, short_names
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import choose_evaluations
from omnishot.store.store import Store
from omnishot.wording import percent

pytestmark = pytest.mark.slow


def subject_of(root: Path, *references: str) -> Subject:
    store = Store(root)
    return Subject.of(store, choose_evaluations(store, list(references)))


def test_both_rates_of_the_chosen_threshold_are_those_of_the_scores(
    evaluated_store: Path,
) -> None:
    subject = subject_of(evaluated_store, "evals/quick-verification:v1")
    (threshold,) = [item.result.threshold for item in subject.measured]
    assert threshold is not None
    with h5py.File(evaluated_store / "evals/quick-verification/v1/scores.h5") as file:
        scores, same = file["models|quick:v1/scores"][()].tolist(), file["pairs/same"][()].tolist()
    called = {
        truth: [s > threshold for s, t in zip(scores, same, strict=True) if t == truth] for truth in (True, False)
    }
    of_same, of_different = (sum(called[truth]) / len(called[truth]) for truth in (True, False))
    assert of_same != of_different
    said = f"At the chosen threshold {percent(of_same)} of the same and {percent(of_different)} of the different pairs"
    assert any(picture.alt.startswith(said) for picture in reliability_section(subject).pictures)


def test_the_operating_curve_runs_as_a_loop_over_the_scores_does(evaluated_store: Path) -> None:
    pictures = reliability_section(subject_of(evaluated_store, "evals/quick-verification:v1")).pictures
    (curve,) = [picture.figure.axes[0].lines[0] for picture in pictures if picture.name.startswith("roc")]
    with h5py.File(evaluated_store / "evals/quick-verification/v1/scores.h5") as file:
        scores, same = file["models|quick:v1/scores"][()], file["pairs/same"][()]
    every = {
        (round(100 * float((scores[~same] >= t).mean()), 6), round(100 * float((scores[same] >= t).mean()), 6))
        for t in scores
    }
    drawn = {(round(x, 6), round(y, 6)) for x, y in np.asarray(curve.get_xydata(), dtype=float).tolist()}
    assert drawn - {(0.0, 0.0)} <= every
    assert len(drawn) > 3


def test_a_confusion_counts_what_a_loop_over_the_scores_counts(evaluated_store: Path) -> None:
    section = reliability_section(subject_of(evaluated_store, "evals/quick-within:v1"))
    (picture,) = [picture for picture in section.pictures if picture.name.startswith("confusion")]
    (axes,) = picture.figure.axes
    rows, columns = ([tick.get_text() for tick in ticks] for ticks in (axes.get_yticklabels(), axes.get_xticklabels()))
    places = {text.get_position(): int(text.get_text()) for text in axes.texts}
    drawn = {(rows[int(row)], columns[int(column)]): n for (column, row), n in places.items()}

    with h5py.File(evaluated_store / "evals/quick-within/v1/scores.h5") as file:
        scores, query = file["models|quick:v1/scores"][()].tolist(), file["trials/query"][()].tolist()
        support = file["trials/support"][()].tolist()
    with h5py.File(evaluated_store / "pairs/scripts-60-affine1/v1/pairs.h5") as file:
        names = [file["images/character_names"].asstr()[i].split("/") for i in file["images/character"][()]]
    by_alphabet: dict[str, dict[tuple[str, str], int]] = {}
    for trial, image in enumerate(query):
        taken = max(range(5), key=lambda column: (scores[trial][column], column))
        (alphabet, shown), (_, other) = names[image], names[support[trial][taken][0]]
        counts = by_alphabet.setdefault(alphabet, {})
        counts[shown, other] = counts.get((shown, other), 0) + 1
    worst = next(counts for alphabet, counts in by_alphabet.items() if f"Mistakes within {alphabet}:" in picture.title)
    mistaken = {name for pair in worst for name in pair if pair[0] != pair[1]}
    assert drawn == {pair: n for pair, n in worst.items() if mistaken.issuperset(pair)}
    assert drawn != {(taken, shown): n for (shown, taken), n in drawn.items()}


def test_every_source_and_number_of_shots_has_its_pictures(evaluated_store: Path) -> None:
    subject = subject_of(evaluated_store, "evals/quick-within:v1")
    other = [replace(item, source="mnist") for item in subject.measured]
    more = [replace(item, result=replace(item.result, shots=3)) for item in subject.measured]
    section = reliability_section(replace(subject, measured=[*other, *more, *subject.measured]))
    titles = [picture.title for picture in section.pictures if picture.title.startswith("Accuracy")]
    source = subject.measured[0].source
    assert titles == [
        "Accuracy by alphabet: quick:v1, 5-way, protocol within, images of mnist",
        f"Accuracy by alphabet: quick:v1, 5-way 3-shot, protocol within, images of {source}",
        f"Accuracy by alphabet: quick:v1, 5-way, protocol within, images of {source}",
    ]


def test_what_the_intervals_of_alphabets_allow_for_is_said(evaluated_store: Path) -> None:
    text = " ".join(reliability_section(subject_of(evaluated_store, "evals/quick-within:v1")).text)
    assert "a trial counts as much as one of the whole evaluation does" in text


def test_characters_of_one_name_are_kept_apart() -> None:
    names = ["A/x/01", "A/x/character02", "A/y/01"]
    labels = Labels.from_names(["A"] * 3, names, [0] * 3)
    assert list(short_names(labels, {0, 1}).values()) == ["01", "02"]
    assert list(short_names(labels, {0, 1, 2}).values()) == names
