"""Where a network loses to comparing pixels, which needs no network at all, it is said in words."""

from collections.abc import Sequence

from omnishot.data.episodes import count_questions
from omnishot.evaluation.intervals import dependence_of_trials, difference_interval
from omnishot.formats.evaluation import EvaluationSummary, Result
from omnishot.formats.scores import ANY_NUMBER, read_trial_scores
from omnishot.store.artifact import Artifact
from omnishot.vocabulary import BASELINES
from omnishot.wording import percent

_PIXELS = "nearest-neighbour"


def losses_to_pixels(evaluation: Artifact, summary: EvaluationSummary) -> dict[tuple[str, int | None], str]:
    """Return a sentence for each network and number of ways at which nearest neighbour on pixels is clearly better.

    It is where the 95 % interval of the difference on the same trials lies above zero.

    Raises:
        DamagedFileError: The scores cannot be read.
    """
    pixels = {result.ways: result for result in summary.results if result.model == _PIXELS}
    behind = [
        result
        for result in summary.results
        if result.model not in BASELINES and result.ways in pixels and result.correct < pixels[result.ways].correct
    ]
    if not behind:
        return {}
    from omnishot.evaluation.oneshot import correct_trials  # Deferred: torch takes seconds, and losses are rare.

    models = [result.model for result in behind]
    trials = read_trial_scores(evaluation.file("scores.h5"), [_PIXELS, *models], n_images=ANY_NUMBER)
    found: dict[tuple[str, int | None], str] = {}
    for result in behind:
        n_way, scores = result.ways or 1, trials.scores
        if _PIXELS in scores and result.model in scores and n_way <= trials.support.shape[1]:
            mine, theirs = (correct_trials(scores[method], n_way) for method in (result.model, _PIXELS))
            n_questions = count_questions(trials.query, trials.support[:, :n_way])
            shared = dependence_of_trials(trials.query, trials.episode, n_questions)
            low, high = difference_interval(theirs, mine, shared)
            if low > 0:
                found[result.model, result.ways] = _in_words(result, pixels[result.ways], low, high)
    return found


def _in_words(result: Result, pixels: Result, low: float, high: float) -> str:
    return (
        f"{result.model} is worse here than comparing pixels: {percent(result.accuracy)} against "
        f"{percent(pixels.accuracy)} on the same {result.trials:,} {result.ways}-way trials, {100 * low:.1f} to "
        f"{100 * high:.1f} points less (95 % interval). More classes to train on may help; photographs need "
        "`omnishot prepare --colour` and the preset photos."
    )


def widest_losses(losses: Sequence[tuple[str, int | None, str]]) -> tuple[str, ...]:
    """Return of each network, given with its ways, the sentence at the most ways."""
    widest: dict[str, tuple[int, str]] = {}
    for model, n_way, sentence in losses:
        if sentence and (n_way or 0) >= widest.get(model, (0, ""))[0]:
            widest[model] = (n_way or 0, sentence)
    return tuple(sentence for _, sentence in widest.values())
