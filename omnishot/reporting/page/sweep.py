"""The section of a page on accuracy by the number of ways."""

from collections.abc import Iterator, Sequence

from omnishot.config import EvalSettings
from omnishot.drawing.picture import Picture
from omnishot.drawing.sweep import sweep_chart
from omnishot.reporting.page.html import Command, Section
from omnishot.reporting.page.missing import same_trials, to_measure, ways_to_measure
from omnishot.reporting.page.subject import Subject
from omnishot.reporting.results import Measured, is_baseline
from omnishot.reporting.sweeps import curves_of, sweeps_of
from omnishot.vocabulary import Baseline, SplitPart
from omnishot.wording import counted

_TRIALS = 1000
_PARTS: tuple[SplitPart, ...] = ("test", "train")
_BASELINES: tuple[Baseline, ...] = ("nearest-neighbour", "random")


def sweep_section(subject: Subject) -> Section:
    """Return accuracy by the number of ways."""
    shown: list[Picture | Command] = []
    for number, sweep in enumerate(sweeps_of(subject.measured), start=1):
        result = sweep[0].result
        shots = counted(result.shots or 0, "shot")
        title = f"Accuracy by ways: {sweep[0].source}, protocol {result.protocol}, {shots}"
        shown.append(sweep_chart(f"sweep-{number}", title, curves_of(sweep)))
        shown += _lacking_in(subject, sweep)
    if not shown:
        settings = EvalSettings(ways=ways_to_measure(subject, "test"), trials=_TRIALS, baselines=_BASELINES)
        shown.append(to_measure(subject, "Nothing was measured at several numbers of ways", settings))
    return Section("N-way sweep", shown=shown, tables=subject.tables.sweeps)


def _lacking_in(subject: Subject, sweep: Sequence[Measured]) -> Iterator[Command]:
    """Yield which of the four curves a sweep lacks."""
    first = sweep[0]
    if first.result.protocol == "lake" or first.data.startswith("images/"):
        return
    measured = {(item.result.model, item.result.on) for item in sweep}
    models = list(dict.fromkeys(item.result.model for item in sweep if not is_baseline(item.result.model)))
    for model in models:
        for on in _PARTS:
            if (model, on) not in measured:
                lacking = f"{model} was not measured on {on} images"
                yield to_measure(subject, lacking, same_trials(subject, sweep, on), model=model)
    absent = tuple(name for name in _BASELINES if (name, "test") not in measured)
    if absent and models:
        settings = same_trials(subject, sweep, "test").model_copy(update={"baselines": absent})
        lacking = f"{' and '.join(absent)}: not measured on these trials"
        yield to_measure(subject, lacking, settings, model=models[0])
