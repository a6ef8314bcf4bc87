"""What is said of a threshold is true of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from omnishot.formats.gallery import Calibration, EmbeddedBy, Gallery, GallerySettings, Provisional, Rate
from omnishot.recognition.thresholds import said_of_earlier_gallery, threshold_notes

MODEL = EmbeddedBy(reference="models/m:v1", digest="0" * 64, preparation="drawing")


def gallery_with(settings: GallerySettings) -> Gallery:
    return Gallery(
        settings, ("a", "b"), np.array([0, 1], np.int32), np.eye(2, dtype=np.float32), np.zeros((2, 32), np.uint8),
        ("a.png", "b.png"),
    )  # fmt: skip


def said_of(rule: Provisional) -> str:
    return next(threshold_notes(gallery_with(GallerySettings(model=MODEL, provisional=rule)), "staff"))


def test_only_enough_examples_promise_a_share_of_strangers() -> None:
    many = said_of(Provisional(threshold=3.0, mean=1.0, deviation=1.0, examples=10))
    few = said_of(Provisional(threshold=3.0, mean=3.0, deviation=0.0, examples=2))
    assert "2 in 100" in many
    assert "2 in 100" not in few
    assert "2 examples are too few" in few


def test_a_threshold_that_was_lowered_says_so_and_promises_nothing() -> None:
    said = said_of(Provisional(threshold=-0.336, mean=-2.0, deviation=1.525, examples=40))
    assert "just below what an enrolled image scores with itself" in said
    assert "1.050" in said
    assert "2 in 100" not in said


RATE = Rate(share=0.01, ci95=(0.0, 0.05), images=100, classes=20)


def calibrated(gallery: Gallery, enrolled_digest: str | None) -> Gallery:
    calibration = Calibration(
        threshold=1.0, accept_strangers=0.015, enrolled=2, source="the others", source_digest="0" * 64, classes=20,
        images=100, strangers_accepted=RATE, turned_away=None, misnamed=None, enrolled_digest=enrolled_digest,
    )  # fmt: skip
    return replace(gallery, settings=gallery.settings.model_copy(update={"calibration": calibration}))


@pytest.mark.parametrize(
    "changes",
    [
        {"digests": np.ones((2, 32), np.uint8)},
        {"classes": ("a", "c")},
        {"of_class": np.array([0, 0], np.int32)},
    ],
    ids=str,
)
def test_whatever_was_enrolled_since_a_calibration_is_said_with_the_command_that_repeats_it(
    changes: dict[str, Any],
) -> None:
    gallery = gallery_with(GallerySettings(model=MODEL))
    fresh = calibrated(gallery, gallery.enrolled_digest)
    assert not list(said_of_earlier_gallery(fresh, "staff"))
    assert "earlier gallery" not in next(threshold_notes(fresh, "staff"))
    said = next(threshold_notes(replace(fresh, **changes), "staff"))
    assert "of an earlier gallery" in said
    assert "`omnishot calibrate staff --source 'the others' --accept-strangers 1.5%`" in said


def test_a_calibration_that_did_not_record_what_was_enrolled_goes_by_the_number_of_classes() -> None:
    older = calibrated(gallery_with(GallerySettings(model=MODEL)), None)
    assert not list(said_of_earlier_gallery(older, "staff"))
    assert list(said_of_earlier_gallery(replace(older, classes=("a", "b", "c")), "staff"))
