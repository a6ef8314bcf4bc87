"""A calibrated threshold keeps its promise on people it has not seen, and says how sure that is."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnishot.errors import SamplingError
from omnishot.formats.gallery import Gallery
from omnishot.recognition.calibration import Others, calibrate, of_another_kind, rate, threshold_of
from omnishot.recognition.gallery import rank
from tests.recognition.test_gallery import SETTINGS, product


def people(n_people: int, n_images: int, rng: np.random.Generator, *, spread: float = 0.9) -> Others:
    """Return unit vectors, those of one person around a centre of their own."""
    centres = rng.normal(size=(n_people, 1, 24))
    points = centres + spread * rng.normal(size=(n_people, n_images, 24)) * np.sqrt(24) / 4
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    of_class = np.repeat(np.arange(n_people, dtype=np.int32), n_images)
    return Others(points.reshape(-1, 24).astype(np.float32), of_class)


def enrolled(n_people: int, k_shot: int, rng: np.random.Generator) -> Gallery:
    known = people(n_people, k_shot, rng)
    n = len(known.of_class)
    names = tuple(f"c{i}" for i in range(n_people))
    return Gallery(SETTINGS, names, known.of_class, known.embeddings, np.zeros((n, 32), np.uint8), ("x",) * n)


@pytest.mark.parametrize("seed", range(20))
def test_others_of_another_kind_are_noticed_and_those_of_the_same_are_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gallery, others = enrolled(10, 1, rng), people(60, 2, rng)
    assert not list(of_another_kind(others, gallery, product))
    kind = np.ones((len(gallery), 1), np.float32)  # What the enrolled share with each other, and others less or more.
    shared = replace(gallery, embeddings=np.hstack([gallery.embeddings, kind]))
    for share, word in ((0.0, "clearly less"), (2.0, "clearly more")):
        column = np.full((len(others.of_class), 1), share, np.float32)
        other_kind = Others(np.hstack([others.embeddings, column]), others.of_class)
        assert word in next(of_another_kind(other_kind, shared, product))


def test_strangers_are_accepted_as_often_as_was_asked_for_on_average_over_calibrations() -> None:
    shares, expected = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        gallery = enrolled(10, 1, rng)
        found = calibrate(people(60, 2, rng), gallery, product, accept_strangers=0.05)
        later = rank(people(400, 1, rng).embeddings, gallery, product, n_ranked=1).scores[:, 0]
        shares.append(float((later > found.threshold).mean()))
        expected.append(found.strangers_accepted.share)
    assert np.mean(shares) == pytest.approx(0.05, abs=0.012)
    assert np.mean(expected) == pytest.approx(np.mean(shares), abs=0.015)


def test_what_becomes_of_known_ones_is_what_becomes_of_people_who_are_enrolled_besides() -> None:
    turned_away, misnamed, really_away, really_wrong = [], [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        gallery = enrolled(10, 1, rng)
        found = calibrate(people(60, 2, rng), gallery, product, accept_strangers=0.05)
        assert found.turned_away
        assert found.misnamed
        turned_away.append(found.turned_away.share)
        misnamed.append(found.misnamed.share)
        later = people(300, 2, rng)
        strange = rank(later.embeddings[::2], gallery, product, n_ranked=1).scores[:, 0]
        own = np.einsum("nd,nd->n", later.embeddings[::2], later.embeddings[1::2])
        really_away.append(float((np.maximum(own, strange) <= found.threshold).mean()))
        really_wrong.append(float(((strange >= own) & (strange > found.threshold)).mean()))
    assert np.mean(turned_away) == pytest.approx(np.mean(really_away), abs=0.02)
    assert np.mean(misnamed) == pytest.approx(np.mean(really_wrong), abs=0.01)


@given(n=st.integers(19, 60), seed=st.integers(0, 99))
def test_above_the_threshold_is_what_is_asked_for_of_n_strangers_and_one_more(n: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    n_above = int((scores > threshold_of(scores, 0.05)).sum())
    assert n_above + 1 == math.ceil(0.05 * (n + 1) - 1e-9)


def test_too_few_others_are_refused_with_how_many_more_are_needed_and_what_is_possible_with_these() -> None:
    rng = np.random.default_rng(0)
    gallery = enrolled(5, 1, rng)
    with pytest.raises(SamplingError, match=r"8 images of 4 classes .* 10 classes are needed, 6 more"):
        calibrate(people(4, 2, rng), gallery, product, accept_strangers=0.01)
    with pytest.raises(SamplingError, match=r"40 images of 20 classes .* 61 images more") as refused:
        calibrate(people(20, 2, rng), gallery, product, accept_strangers=0.01)
    possible = float(refused.value.hint.split("--accept-strangers ")[1].rstrip("%.")) / 100
    calibrate(people(20, 2, rng), gallery, product, accept_strangers=possible)
    with pytest.raises(SamplingError):
        calibrate(people(20, 2, rng), gallery, product, accept_strangers=possible - 0.002)
    calibrate(people(20, 2 + 4, rng), gallery, product, accept_strangers=0.01)


def test_others_of_one_image_each_say_nothing_of_known_ones() -> None:
    rng = np.random.default_rng(0)
    found = calibrate(people(100, 1, rng), enrolled(5, 1, rng), product, accept_strangers=0.05)
    assert (found.turned_away, found.misnamed) == (None, None)
    assert found.strangers_accepted.images == 100


def test_more_examples_a_class_are_simulated_where_the_gallery_has_them() -> None:
    away = []
    for k_shot in (1, 4):
        rng = np.random.default_rng(3)
        found = calibrate(people(60, 6, rng), enrolled(10, k_shot, rng), product, accept_strangers=0.02)
        assert found.turned_away
        away.append(found.turned_away.share)
    assert away[1] < away[0]


def test_images_of_one_person_are_no_independent_evidence() -> None:
    of_class = np.repeat(np.arange(20), 10)
    person = of_class == 3
    assert rate(person, of_class).ci95[1] > rate(np.arange(200) % 20 == 0, of_class).ci95[1]
    assert rate(np.zeros(200, np.bool_), of_class).ci95[1] > 0.15  # 0 of 20 people, not 0 of 200.
