"""One-shot trials of the three protocols, drawn as indices so that no image is copied.

Source: Lake et al. 2015 (`lake`, and `within` on the same pattern); Vinyals et al. 2016, section 4.1 (`between`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from omnishot.data.class_index import ClassIndex, draw_distinct
from omnishot.data.image_set import Runs
from omnishot.errors import SamplingError
from omnishot.wording import counted


@dataclass(frozen=True, slots=True)
class Trials:
    """N-way K-shot trials, one query each. The first class of every support set is the right one.

    The other classes are in random order, so the first N of them, with the right one, are an N-way trial for any N.

    Attributes:
        query: Image indices, shape (n_trials,); never one of the trial's support images.
        support: Image indices, shape (n_trials, n_way, k_shot).
        episode: Trials of one number share their support images, shape (n_trials,).
    """

    query: NDArray[np.int32]
    support: NDArray[np.int32]
    episode: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of trials."""
        return len(self.query)


def trials_of_runs(runs: Runs, n_way: int, *, rng: np.random.Generator) -> Trials:
    """Return the trials of published runs, each with `n_way` of its run's classes: the right one and others at random.

    Raises:
        SamplingError: The runs have fewer classes than `n_way`.
    """
    n_runs, available = runs.support.shape
    if n_way > available:
        raise SamplingError(
            f"{n_way}-way trials asked for, but Lake's runs have {available} classes each",
            hint=f"Use --ways {available} or fewer, or --protocol within.",
        )
    n_query = runs.query.shape[1]
    answer = runs.answer.reshape(-1)
    order = draw_distinct(np.full(len(answer), available - 1), available - 1, rng)
    order += order >= answer[:, None]
    columns = np.concatenate([answer[:, None], order], axis=1)[:, :n_way]
    episode = np.repeat(np.arange(n_runs, dtype=np.int32), n_query)
    return Trials(
        query=runs.query.reshape(-1),
        support=runs.support[episode[:, None], columns][:, :, None],
        episode=episode,
    )


def draw_within(index: ClassIndex, n_trials: int, n_way: int, k_shot: int, *, rng: np.random.Generator) -> Trials:
    """Draw trials within one alphabet each: one drawer per shot for all support images, another for the query.

    The numbers of trials per alphabet differ by one at most; alphabets with fewer than `n_way` classes or too few
    drawers are left out.

    Raises:
        SamplingError: No alphabet has `n_way` classes and `k_shot + 1` drawers, or one has them but its drawers share
            too few classes.
    """
    fitting = np.flatnonzero(index.alphabet_sizes >= n_way)
    tables = [table for alphabet in fitting if (table := _table(index, int(alphabet))).shape[1] > k_shot]
    if len(fitting) and not tables:
        raise SamplingError(
            f"{k_shot}-shot trials within an alphabet need {k_shot + 1} drawers, but no alphabet has them",
            hint="Lower --shots, or use --protocol between.",
        )
    if not tables:
        raise SamplingError(
            f"{n_way}-way trials need an alphabet with {n_way} classes, "
            f"but the largest of {index.n_alphabets} has {index.alphabet_sizes.max(initial=0)}",
            hint="Lower --ways" + (", or use --protocol between." if index.n_classes >= n_way else "."),
        )
    counts = np.bincount(np.arange(n_trials) % len(tables), minlength=len(tables))
    drawn = [
        _within_alphabet(table, int(count), n_way, k_shot, rng) for table, count in zip(tables, counts, strict=True)
    ]
    return Trials(
        query=np.concatenate([query for query, _ in drawn]),
        support=np.concatenate([support for _, support in drawn]),
        episode=np.arange(n_trials, dtype=np.int32),
    )


def _table(index: ClassIndex, alphabet: int) -> NDArray[np.int32]:
    """Return the image of each class by each drawer, or -1, shape (n_classes, n_drawers)."""
    first, last = index.alphabet_start[alphabet], index.alphabet_start[alphabet + 1]
    images = slice(index.class_start[first], index.class_start[last])
    drawers, column = np.unique(index.drawers[images], return_inverse=True)
    row = np.repeat(np.arange(last - first), index.class_sizes[first:last])
    table = np.full((last - first, len(drawers)), -1, dtype=np.int32)
    table[row, column] = index.images[images]
    return table


def _within_alphabet(
    table: NDArray[np.int32], n_trials: int, n_way: int, k_shot: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    n_classes, n_drawers = table.shape
    query = np.empty(n_trials, dtype=np.int32)
    support = np.empty((n_trials, n_way, k_shot), dtype=np.int32)
    open_trials = np.arange(n_trials)
    for _ in range(100):  # Only tables with gaps need more than one round.
        drawers = draw_distinct(np.full(len(open_trials), n_drawers), k_shot + 1, rng)
        complete = (table[:, drawers] >= 0).all(axis=2).T
        classes = np.argsort(np.where(complete, rng.random((len(open_trials), n_classes)), 2), axis=1)[:, :n_way]
        found = complete.sum(axis=1) >= n_way
        done, classes, drawers = open_trials[found], classes[found], drawers[found]
        query[done] = table[classes[:, 0], drawers[:, 0]]
        support[done] = table[classes[:, :, None], drawers[:, None, 1:]]
        open_trials = open_trials[~found]
        if not len(open_trials):
            return query, support
    raise SamplingError(
        f"{n_way}-way {k_shot}-shot trials within an alphabet need {n_way} classes drawn by the same {k_shot + 1} "
        f"drawers, but an alphabet of {n_classes} classes and {n_drawers} drawers has none",
        hint="Lower --ways or --shots, or use --protocol between.",
    )


def draw_within_by_class(
    index: ClassIndex, n_trials: int, n_way: int, k_shot: int, *, rng: np.random.Generator
) -> Trials:
    """Draw trials within one alphabet each, from images that do not say who drew them: classes, then images of each.

    The class that is asked for is drawn uniformly among those of `k_shot + 1` images or more, the others among those of
    `k_shot` or more. The numbers of trials per alphabet differ by one at most.

    Raises:
        SamplingError: No alphabet has so many classes of so many images.
    """
    ways = _ways_by_alphabet(index, k_shot)
    spans = [slice(*index.alphabet_start[number : number + 2]) for number in range(index.n_alphabets)]
    fitting = [span for span, most in zip(spans, ways, strict=True) if most >= n_way]
    if not fitting:
        _refuse_single_images(index, k_shot)
        where = "" if index.n_alphabets == 1 else " in one group of them"
        allows_between = (index.class_sizes > k_shot).sum() >= n_way
        raise SamplingError(
            f"{n_way}-way {k_shot}-shot trials need {counted(n_way, 'class')} of {counted(k_shot, 'image')}{where}, "
            f"one of them with an image more, but the most there are is {max(ways)}",
            hint="Lower --ways or --shots" + (", or use --protocol between." if allows_between else "."),
        )
    counts = np.bincount(np.arange(n_trials) % len(fitting), minlength=len(fitting))
    drawn = [
        _of_classes(index, np.arange(span.start, span.stop), int(count), n_way, k_shot, rng)
        for span, count in zip(fitting, counts, strict=True)
    ]
    return Trials(
        query=np.concatenate([query for query, _ in drawn]),
        support=np.concatenate([support for _, support in drawn]),
        episode=np.arange(n_trials, dtype=np.int32),
    )


def most_ways(index: ClassIndex, protocol: Literal["within", "between"], k_shot: int) -> int:
    """Return the most ways that trials can have of images that do not say who drew them, or 0 where there are none."""
    if protocol == "between":
        return int((index.class_sizes > k_shot).sum())
    return max(_ways_by_alphabet(index, k_shot))


def _ways_by_alphabet(index: ClassIndex, k_shot: int) -> list[int]:
    """Return how many classes of each alphabet can be supports, or 0 where none of them can be asked for."""
    spans = [index.class_sizes[slice(*index.alphabet_start[n : n + 2])] for n in range(index.n_alphabets)]
    return [int((sizes >= k_shot).sum()) if (sizes > k_shot).any() else 0 for sizes in spans]


def _refuse_single_images(index: ClassIndex, k_shot: int) -> None:
    """Refuse images of which no class has one to be asked for beside its supports."""
    if not (index.class_sizes > k_shot).any():
        raise SamplingError(
            f"None of {counted(index.n_classes, 'class')} has {k_shot + 1} images that differ, of which one is asked "
            f"for and {'the other is' if k_shot == 1 else 'the others are'} shown",
            hint="Add images to some of them" + (", or lower --shots." if k_shot > 1 else "."),
        )


def _of_classes(
    index: ClassIndex, among: NDArray[np.int64], n_trials: int, n_way: int, k_shot: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    sizes = index.class_sizes[among]
    asked = rng.choice(np.flatnonzero(sizes > k_shot), n_trials)
    order = np.where(sizes >= k_shot, rng.random((n_trials, len(among))), 2)
    order[np.arange(n_trials), asked] = -1  # The right class comes first.
    classes = np.argsort(order, axis=1)[:, :n_way]
    places = draw_distinct(sizes[classes], k_shot, rng)
    own = draw_distinct(sizes[asked], k_shot + 1, rng)
    places[:, 0] = own[:, 1:]
    start = index.class_start[among[classes]]
    return index.images[start[:, 0] + own[:, 0]], index.images[start[:, :, None] + places]


def draw_between(index: ClassIndex, n_trials: int, n_way: int, k_shot: int, *, rng: np.random.Generator) -> Trials:
    """Draw trials whose classes come from all alphabets, with images by any drawers.

    Classes with fewer than `k_shot + 1` images are left out.

    Raises:
        SamplingError: Fewer than `n_way` classes have `k_shot + 1` images.
    """
    fitting = np.flatnonzero(index.class_sizes > k_shot)
    if n_way > len(fitting):
        _refuse_single_images(index, k_shot)
        raise SamplingError(
            f"{n_way}-way {k_shot}-shot trials need {n_way} classes of {k_shot + 1} images, "
            f"but there are {len(fitting)}",
            hint="Lower --ways or --shots, or use a larger part of the split.",
        )
    classes = fitting[draw_distinct(np.full(n_trials, len(fitting)), n_way, rng)]
    places = draw_distinct(index.class_sizes[classes], k_shot + 1, rng) + index.class_start[classes][:, :, None]
    images = index.images[places]
    return Trials(
        query=images[:, 0, k_shot],
        support=images[:, :, :k_shot],
        episode=np.arange(n_trials, dtype=np.int32),
    )
