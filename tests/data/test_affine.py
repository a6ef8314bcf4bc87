"""Affine variants have the ranges and the chances of the paper."""

import numpy as np

from omnishot.data.affine import IDENTITY, REACH, draw_affine


def test_each_component_takes_part_half_of_the_time_and_stays_within_its_range() -> None:
    drawn = draw_affine((20_000, 2), np.random.default_rng(0)).reshape(-1, 7)
    assert drawn.dtype == np.float32
    shares = (drawn != IDENTITY).mean(axis=0)
    assert abs(shares - 0.5).max() < 0.02
    assert (abs(drawn - IDENTITY) <= REACH + 1e-6).all()
    assert (abs(drawn - IDENTITY).max(axis=0) > 0.99 * REACH).all()


def test_components_take_part_independently() -> None:
    taking_part = draw_affine((20_000,), np.random.default_rng(0)) != IDENTITY
    correlation = np.corrcoef(taking_part.T) - np.eye(7)
    assert abs(correlation).max() < 0.03
