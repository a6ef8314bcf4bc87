"""The section of a page with the results that stand out, and what has to be said beside them."""

from omnishot.reporting.page.html import Headline, Section
from omnishot.reporting.page.missing import to_train
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import Measured, describe_training, losses_in, trials_of
from omnishot.reporting.tables import Table, task_of
from omnishot.vocabulary import SOURCES_WITH_DRAWERS
from omnishot.wording import interval, percent

_IN_WORDS = {
    "lake": "on Lake's runs",
    "within": "within an alphabet",
    "between": "between alphabets",
    "verification": "same or different",
}


def summary_section(subject: Subject) -> Section:
    """Return the results that stand out, and every network at the most ways."""
    if not subject.models:
        return Section("Summary", shown=[to_train(subject, "No network was measured, only baselines")])
    widest = subject.widest()
    shown = [item for item in widest if item.result.model == subject.first_model and item.result.on == "test"]
    return Section(
        "Summary",
        text=(
            *(f"{name} was trained on {describe_training(subject.trained_on(name))}." for name in subject.models),
            *losses_in([item for item in subject.measured if item.result.on == "test"]),
        ),
        headlines=tuple(_headline(subject, item) for item in shown),
        tables=(_overview(subject, widest),),
    )


def _headline(subject: Subject, item: Measured) -> Headline:
    result = item.result
    notes = [result.model] if len(subject.models) > 1 else []
    noun = ("trial" if result.ways else "pair") + ("" if result.trials == 1 else "s")
    notes.append(f"{trials_of(result)} {noun} of {item.source}, seed {item.seed}, {item.device}")
    if result.equal_error_rate is not None:
        notes.append(f"equal error rate {percent(result.equal_error_rate)}")
    if rival := _rival(subject, item):
        notes.append(f"nearest neighbour {percent(rival.result.accuracy)}")
    return Headline(_task(item), result.accuracy, result.ci95, tuple(notes))


def _task(item: Measured) -> str:
    result, words = item.result, _IN_WORDS.get(item.result.protocol, item.result.protocol)
    if item.source not in SOURCES_WITH_DRAWERS and result.protocol != "verification":
        words = "on MNIST" if item.source == "mnist" else f"protocol {result.protocol}"
    if result.ways is None:
        return f"Verification: {words}"
    shots = "one-shot" if result.shots == 1 else f"{result.shots}-shot"
    return f"{result.ways}-way {shots}, {words}"


def _rival(subject: Subject, item: Measured) -> Measured | None:
    """Return what the nearest neighbour reaches on the same trials."""

    def task(other: Measured) -> tuple[object, ...]:
        result = other.result
        return other.data, other.seed, result.protocol, result.on, result.ways, result.shots, result.trials

    rivals = (other for other in subject.measured if other.result.model == "nearest-neighbour")
    return next((other for other in rivals if task(other) == task(item)), None)


def _overview(subject: Subject, items: list[Measured]) -> Table:
    rows = []
    for item in items:
        result, rival = item.result, _rival(subject, item)
        against = percent(rival.result.accuracy) if rival else ""
        results = (percent(result.accuracy), interval(result.ci95), against)
        where = (result.protocol, result.on, trials_of(result), item.source, str(item.seed), item.device)
        rows.append((result.model, task_of(result), *results, *where))
    columns = ("network", "task", "accuracy", "95 % interval", "nearest neighbour")
    title = "Every network under every protocol, at the most ways that were measured"
    return Table(title, (*columns, "protocol", "on", "trials", "images", "seed", "device"), tuple(rows))
