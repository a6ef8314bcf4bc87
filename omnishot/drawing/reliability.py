"""Charts of where a network is right and where it errs: by alphabet, by character, by threshold."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from omnishot.drawing.labels import in_percent, shortened, told_apart
from omnishot.drawing.picture import BAD, FAINT, FIRST, GOOD, INK, LINE, PHONE, SECOND, Picture, draw
from omnishot.evaluation.breakdown import GroupAccuracy, Roc
from omnishot.wording import percent

_MOST_ROWS = 30
MOST_CHARACTERS = 14
"""In a confusion matrix; of more, those with the fewest mistakes are left out."""

_BINS = 60


def alphabets_chart(name: str, title: str, found: Sequence[GroupAccuracy], alphabets: Sequence[str]) -> Picture:
    """Draw the accuracy of each alphabet with its interval, the worst on top; of many, the last ones are left out.

    `found` begins with the worst; `alphabets` has the names, by the number that each has in it.
    """
    shown = [(alphabets[one.group], one) for one in found[:_MOST_ROWS]]

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        lowest = min(one.ci95[0] for _, one in shown)
        for row, (alphabet, one) in enumerate(shown):
            low, high = (100 * end for end in one.ci95)
            axes.plot([low, high], [row, row], color=FIRST.drawn, linewidth=4, alpha=0.3, solid_capstyle="round")
            axes.plot([100 * one.accuracy], [row], color=FIRST.drawn, marker="o", markersize=5)
            label, result = shortened(alphabet.replace("_", " "), 34), f"{percent(one.accuracy)} of {one.trials:,}"
            across = axes.get_yaxis_transform()
            axes.text(0, row - 0.2, label, transform=across, va="bottom", fontsize=8.5)
            axes.text(1, row - 0.2, result, transform=across, ha="right", va="bottom", fontsize=8.5)
        axes.set(xlim=(max(0, 100 * lowest - 4), 101), ylim=(len(shown) - 0.5, -0.9), yticks=[])
        in_percent(axes.xaxis)
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False)  # The results are written out, and lines would cross the names.

    said = "; ".join(f"{alphabet} {percent(one.accuracy)} of {one.trials}" for alphabet, one in shown)
    left_out = f" The other {len(found) - len(shown)} are more accurate." if len(found) > len(shown) else ""
    alt = f"Accuracy by alphabet with 95 % intervals, the least accurate first: {said}.{left_out}"
    return draw(name, title, alt, onto, width=PHONE, height=0.5 + 0.4 * len(shown))


def confusion_chart(name: str, title: str, counts: Mapping[tuple[str, str], int]) -> Picture:
    """Draw which characters were taken for which others.

    `counts` says how often a character (first) was taken for another (second), or for itself, and has a mistake in it.
    Where characters with mistakes are left out, the title says how many are shown.
    """
    mistakes = Counter({pair: n for pair, n in counts.items() if pair[0] != pair[1]})
    mistaken = Counter(character for pair in mistakes.elements() for character in pair)
    shown = sorted(character for character, _ in mistaken.most_common(MOST_CHARACTERS))
    place = {character: i for i, character in enumerate(shown)}

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        most = max(counts.values())
        for (truth, taken), n in counts.items():
            if truth in place and taken in place:
                _cell(axes, place[taken], place[truth], n, n / most, is_right=truth == taken)
        labels = told_apart(shown, 12, 30)
        ticks, edge = range(len(shown)), len(shown) - 0.5
        axes.set(xlim=(-0.5, edge), ylim=(edge, -0.5), aspect="equal", xlabel="taken for", ylabel="shown")
        axes.set_xticks(ticks, labels, rotation=90 if max(map(len, labels)) > 2 else 0)
        axes.set_yticks(ticks, labels)
        axes.grid(color=LINE.drawn, linewidth=0.5)

    said = "; ".join(f"{truth} for {taken}, {n} times" for (truth, taken), n in mistakes.most_common(5))
    alt = f"{mistakes.total()} mistakes, of which the most frequent: {said}. Classes without a mistake are left out"
    if left_out := len(mistaken) - len(shown):
        title += f"; {len(shown)} of {len(mistaken)} mistaken classes"
        alt += f", and {left_out} more with the fewest"
    alt += "."
    return draw(name, title, alt, onto, width=PHONE, height=max(2.6, min(4.0, 1.4 + 0.22 * len(shown))))


def _cell(axes: Axes, column: int, row: int, n: int, share: float, *, is_right: bool) -> None:
    colour = GOOD if is_right else BAD
    shade = 0.15 + 0.35 * share
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour.drawn, alpha=shade, linewidth=0))
    axes.text(column, row, str(n), ha="center", va="center", fontsize=8.5)


def similarity_chart(
    name: str, title: str, scores: NDArray[np.floating], same: NDArray[np.bool_], threshold: float
) -> Picture:
    """Draw how the scores of same and of different pairs are distributed, with the threshold.

    Scores are finite logits, and `same` is the truth with both values in it, each of shape (n_pairs,). Pairs that score
    above the threshold are called the same.
    """
    scores = scores.astype(np.float64)  # In float32 the distance of extreme scores overflows.
    low, high = np.quantile(scores, [0.001, 0.999]).tolist()
    low, high = min(low, threshold), max(high, threshold)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        for chosen, colour, label in ((~same, SECOND, "different"), (same, FIRST, "same")):
            inside = np.clip(scores[chosen], edges[0], edges[-1])
            shares = 100 * np.histogram(inside, edges)[0] / max(1, chosen.sum())
            axes.stairs(shares, edges, fill=True, color=colour.drawn, alpha=0.3)
            axes.stairs(shares, edges, color=colour.drawn, linewidth=1.3, label=f"{label} ({chosen.sum():,} pairs)")
        axes.axvline(threshold, color=INK.drawn, linewidth=1.2, linestyle="--", label="chosen threshold")
        axes.set(xlabel="similarity: the higher, the more alike", ylabel="share of pairs", xlim=(edges[0], edges[-1]))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        in_percent(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8.5, columnspacing=1.2, handlelength=1.6)

    medians = [float(np.median(scores[chosen])) for chosen in (same, ~same)]
    alt = (
        f"Distribution of similarity: the median is {medians[0]:.2f} for same, {medians[1]:.2f} for different pairs; "
        f"above the threshold of {threshold:.2f} pairs are called the same."
    )
    return draw(name, title, alt, onto, width=PHONE, height=3.3)


def roc_chart(
    name: str, title: str, curve: Roc, chosen: tuple[float, float], *, accuracy: float, equal_error_rate: float
) -> Picture:
    """Draw the receiver operating characteristic, as far as it is of interest.

    `chosen` is the false and the true acceptance at the chosen threshold, and `accuracy` is that at the same threshold;
    they and the equal error rate are in [0, 1].
    """
    error = equal_error_rate
    reach = 100 * min(1.0, max(0.1, 4 * error, 1.2 * chosen[0], 1.2 * (1 - chosen[1])))

    def onto(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(100 * curve.false_acceptance, 100 * curve.true_acceptance, color=FIRST.drawn, linewidth=1.8)
        axes.plot([0, reach], [100, 100 - reach], color=FAINT.drawn, linewidth=0.9, linestyle=":")
        label = f"equal error rate {percent(error)}"
        axes.plot([100 * error], [100 - 100 * error], "o", color=SECOND.drawn, markersize=6, label=label)
        label = f"chosen threshold, accuracy {percent(accuracy)}"
        axes.plot([100 * chosen[0]], [100 * chosen[1]], "D", color=INK.drawn, markersize=5, label=label)
        axes.set(xlim=(0, reach), ylim=(100 - reach, 100.4 if reach < 100 else 101))
        axes.set(xlabel="different pairs called the same", ylabel="same pairs called the same")
        for axis in (axes.xaxis, axes.yaxis):
            in_percent(axis)
        figure.legend(loc="outside lower center", ncols=1, fontsize=8.5)

    alt = (
        f"At the chosen threshold {percent(chosen[1])} of the same and {percent(chosen[0])} of the different pairs are "
        f"called the same, an accuracy of {percent(accuracy)}. The equal error rate is {percent(error)}."
    )
    return draw(name, title, alt, onto, width=PHONE, height=3.5)
