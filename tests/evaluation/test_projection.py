"""The plane is the one in which vectors differ most, and neighbours are looked for in all dimensions."""

import numpy as np

from omnishot.evaluation.projection import neighbours_agree, principal_plane


def test_vectors_in_a_plane_keep_their_distances_and_have_all_the_variance() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(50, 2)) * [5, 1]
    directions = np.linalg.qr(rng.normal(size=(7, 2)))[0]
    found = principal_plane(flat @ directions.T + 3)
    expected = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(found.points[:, None] - found.points[None], axis=2), expected, atol=1e-9)
    assert np.isclose(found.shares.sum(), 1)
    assert found.shares[0] > found.shares[1]


def test_equal_vectors_are_one_point_without_variance() -> None:
    found = principal_plane(np.ones((4, 3)))
    assert not found.points.any()
    assert not found.shares.any()


def test_a_neighbour_is_another_vector() -> None:
    vectors = np.array([[0, 0], [0, 1], [9, 0], [9, 1], [4, 0.0]])
    assert neighbours_agree(vectors, np.array([0, 0, 1, 1, 2])) == 4 / 5
    assert neighbours_agree(vectors, np.array([0, 1, 2, 3, 4])) == 0
