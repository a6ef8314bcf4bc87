"""What is said of a threshold is true of it."""

import numpy as np

from omnishot.formats.gallery import EmbeddedBy, Gallery, GallerySettings, Provisional
from omnishot.recognition.thresholds import threshold_notes

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
