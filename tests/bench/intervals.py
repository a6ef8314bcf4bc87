"""Simulate how often the 95 % intervals of accuracies cover the truth, and how wide they are.

    python tests/bench/intervals.py
    python tests/bench/intervals.py --draws 3000 --seed 1

Each row is a design: Lake's 20 runs of 20 queries, whose difficulty varies by run and by class; 10,000 trials over
classes of some images, whose difficulty varies by class, by image and by trial; pairs of images. Its truth is the
accuracy on all such runs, classes and images. Near 100 % intervals cover more often than 95 %, as there are few
mistakes to count, and so they do where there are few images: five classes of two cannot say how much classes vary, so
their interval is that of ten trials, or wider.
"""

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from omnishot.evaluation.intervals import Dependence, accuracy_interval, dependence_of_pairs, dependence_of_trials

Simulation = Callable[[np.random.Generator], tuple[NDArray[np.bool_], Dependence]]
"""Draws outcomes of trials, and says what they have in common."""

_ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)


def logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))


def of_images(query: NDArray[np.int64], n_images: int, n_questions: int) -> Dependence:
    return dependence_of_trials(query, np.arange(len(query)), n_questions, np.arange(query.max() + 1) // n_images)


def runs(mean: float, of_run: float, of_class: float) -> tuple[Simulation, float]:
    """Return Lake's design, 20 runs of 20 queries with logits that vary by run and by class, and its true accuracy."""
    spread = float(np.hypot(of_run, of_class))

    def simulate(rng: np.random.Generator) -> tuple[NDArray[np.bool_], Dependence]:
        run = np.repeat(np.arange(20), 20)
        logits = mean + of_run * rng.standard_normal(20)[run] + of_class * rng.standard_normal(400)
        return rng.random(400) < logistic(logits), dependence_of_trials(np.arange(400), run, 400)

    return simulate, true_accuracy(mean, spread)


def few_images(mean: float, n_classes: int, n_images: int, *, spread: float = 1) -> tuple[Simulation, float]:
    """Return 10,000 trials over classes of some images, and the accuracy on all such classes."""

    def simulate(rng: np.random.Generator) -> tuple[NDArray[np.bool_], Dependence]:
        query = rng.integers(0, n_classes * n_images, 10_000)
        of_class, of_image = (spread * rng.standard_normal(n) for n in (n_classes, n_classes * n_images))
        logits = mean + of_class[query // n_images] + of_image[query] + rng.standard_normal(10_000)
        return rng.random(10_000) < logistic(logits), of_images(query, n_images, 10_000)

    return simulate, true_accuracy(mean, (1 + 2 * spread**2) ** 0.5)


def few_pairs(mean: float) -> tuple[Simulation, float]:
    """Return 1,000 pairs of 200 images whose difficulties add up."""

    def simulate(rng: np.random.Generator) -> tuple[NDArray[np.bool_], Dependence]:
        left, of_image = rng.integers(0, 200, 1000), rng.standard_normal(200)
        right = (left + rng.integers(1, 200, 1000)) % 200
        correct = rng.random(1000) < logistic(mean + of_image[left] + of_image[right])
        return correct, dependence_of_pairs(left, right, np.arange(200))

    return simulate, true_accuracy(mean, 2**0.5)


def true_accuracy(mean: float, spread: float) -> float:
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(logistic(mean + spread * points) @ weights / weights.sum())


def logit_of(accuracy: float, spread: float) -> float:
    """Return the mean logit at which the true accuracy is so high."""
    low, high = -5.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if true_accuracy(middle, spread) < accuracy else (low, middle)
    return low


def main() -> None:
    """Print a table of coverage and mean width."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000, help="simulated evaluations a row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    designs: list[tuple[str, float, Callable[[float], tuple[Simulation, float]]]] = [
        ("20 runs of 20, all trials independent", 0.0, lambda mean: runs(mean, 0.0, 0.0)),
        ("20 runs of 20, runs differ little", 1.25**0.5, lambda mean: runs(mean, 0.5, 1.0)),
        ("20 runs of 20, runs differ much", 2**0.5, lambda mean: runs(mean, 1.0, 1.0)),
        ("10,000 trials, 659 classes of 20 images", 3**0.5, lambda mean: few_images(mean, 659, 20)),
        ("10,000 trials, 200 classes of 4", 3**0.5, lambda mean: few_images(mean, 200, 4)),
        ("10,000 trials, 5 classes of 2", 3**0.5, lambda mean: few_images(mean, 5, 2)),
        ("1,000 pairs of 200 images", 2**0.5, few_pairs),
    ]
    print("| design | accuracy | covered | width in points |\n| --- | ---: | ---: | ---: |")
    rng = np.random.default_rng(options.seed)
    for name, spread, design in designs:
        for accuracy in _ACCURACIES:
            simulate, truth = design(logit_of(accuracy, spread))
            ends = np.array([accuracy_interval(*simulate(rng)) for _ in range(options.draws)])
            covered = float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())
            width = 100 * float((ends[:, 1] - ends[:, 0]).mean())
            print(f"| {name} | {accuracy:.1%} | {covered:.1%} | {width:.2f} |", flush=True)


if __name__ == "__main__":
    main()
