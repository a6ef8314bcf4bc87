"""Within-class whitening does what its definition says, computed here in loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from omnishot.errors import SamplingError
from omnishot.model.whitening import fit_whitening


def drawn(n_classes: int, n_each: int, d: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return vectors whose classes spread unevenly, in an order that is not that of the classes."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.repeat(np.arange(n_classes) * 3, n_each))
    spread = rng.normal(size=(d, d)) * rng.uniform(0.2, 3, d)
    centers = rng.normal(size=(3 * n_classes, d)) * 5
    return (centers[classes] + rng.normal(size=(len(classes), d)) @ spread).astype(np.float32), classes


def naive_covariance(vectors: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    d = vectors.shape[1]
    total, freedom = np.zeros((d, d)), 0
    for name in set(classes.tolist()):
        mine = [vector for vector, other in zip(vectors, classes, strict=True) if other == name]
        mean = sum(mine) / len(mine)
        for vector in mine:
            total += np.outer(vector - mean, vector - mean)
        freedom += len(mine) - 1
    return total / freedom


@given(
    n_classes=st.integers(2, 6), n_each=st.integers(2, 6), d=st.integers(1, 6), seed=st.integers(0, 99),
    shrinkage=st.sampled_from([0.1, 0.7, 1.0]),
)  # fmt: skip
def test_the_shrunk_covariance_becomes_an_identity(
    n_classes: int, n_each: int, d: int, seed: int, shrinkage: float
) -> None:
    vectors, classes = drawn(n_classes, n_each, d, seed)
    fitted = fit_whitening(vectors, classes, shrinkage=shrinkage)
    covariance = naive_covariance(vectors.astype(np.float64), classes)
    mean_variance = np.trace(covariance) / d
    shrunk = (1 - shrinkage) * covariance + shrinkage * mean_variance * np.eye(d)
    assert np.allclose(fitted.matrix.T @ shrunk @ fitted.matrix, mean_variance * np.eye(d), atol=1e-6 * mean_variance)
    assert np.allclose(fitted.matrix, fitted.matrix.T)
    means = [vectors[classes == name].mean(axis=0, dtype=np.float64) for name in sorted(set(classes.tolist()))]
    assert np.allclose(fitted.center, sum(means) / len(means))


def test_without_shrinkage_classes_spread_alike_in_all_directions() -> None:
    vectors, classes = drawn(5, 40, 4, 1)
    whitened = fit_whitening(vectors, classes, shrinkage=0).apply(vectors)
    covariance = naive_covariance(whitened, classes)
    assert np.allclose(covariance, covariance[0, 0] * np.eye(4), atol=1e-6 * covariance[0, 0])


@given(scale=st.sampled_from([1e-3, 0.5, 200.0]), seed=st.integers(0, 20))
def test_the_scale_of_the_vectors_changes_no_cosine(scale: float, seed: int) -> None:
    vectors, classes = drawn(4, 3, 5, seed)
    plain, scaled = (fit_whitening(each, classes).apply(each) for each in (vectors, vectors.astype(np.float64) * scale))
    assert np.allclose(scaled, scale * plain, rtol=1e-4, atol=1e-4 * scale)


def test_directions_in_which_classes_spread_count_less() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(20), 10)
    vectors = np.stack([rng.normal(0, 10, 200), rng.normal(0, 0.1, 200)], axis=1)
    matrix = fit_whitening(vectors, classes, shrinkage=0.1).matrix
    assert matrix[1, 1] > 2.5 * matrix[0, 0]


def test_more_dimensions_than_images_are_no_trouble() -> None:
    vectors, classes = drawn(3, 2, 50, 0)
    for shrinkage in (0.0, 0.7):
        assert np.isfinite(fit_whitening(vectors, classes, shrinkage=shrinkage).apply(vectors)).all()


@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [0, 0, 1, 1]], ids=["one image each", "copies"])
def test_classes_without_two_images_that_differ_are_refused(classes: list[int]) -> None:
    vectors = np.array([[1.0, 2.0], [1.0, 2.0], [5.0, 1.0], [5.0, 1.0]])
    with pytest.raises(SamplingError, match="classes of two different images"):
        fit_whitening(vectors, np.array(classes))
