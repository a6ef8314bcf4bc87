"""The sections of a page that hold figures: summary, sweep, and the tables beside published ones."""

from collections.abc import Iterator
from dataclasses import replace

from omnishot.config import EvalSettings
from omnishot.drawing.charts import Curve, sweep_chart
from omnishot.drawing.picture import Picture
from omnishot.formats.manifest_fields import PairsFacts
from omnishot.reporting.page.html import Command, Headline, Section
from omnishot.reporting.page.subject import Reported
from omnishot.reporting.tables import Measured, Table, describe_training, is_baseline, series_name, sweeps_of, tables_of
from omnishot.settings_text import check
from omnishot.store.remake import command_line
from omnishot.vocabulary import SplitPart
from omnishot.wording import percent

_TRIALS = 1000
_WAYS = 20
_PROTOCOLS = ("lake", "within", "between", "verification")
_PARTS: tuple[SplitPart, ...] = ("test", "train")
_IN_WORDS = {
    "lake": "on Lake's runs",
    "within": "within an alphabet",
    "between": "between alphabets",
    "verification": "same or different",
}


def summary_section(subject: Reported) -> Section:
    """Return the figures that stand out, and what has to be said beside them."""
    if not subject.models:
        line = command_line(subject.store.root, "train") + " &&\n" + command_line(subject.store.root, "eval")
        return Section("Summary", missing=(Command("No network was measured, only baselines. To train one:", line),))
    first = subject.models[0]
    text = [f"{model} was trained on {describe_training(subject.trained_on(model))}." for model in subject.models]
    widest = _widest(subject)
    shown = [item for item in widest if item.result.model == first and item.result.on == "test"]
    return Section(
        "Summary",
        text=tuple(text),
        headlines=tuple(_headline(subject, item) for item in shown),
        tables=(_overview(subject, widest),),
    )


def _widest(subject: Reported) -> list[Measured]:
    """Return for each network, protocol, part and data the result with the most ways, in the order they are read."""
    found: dict[tuple[object, ...], Measured] = {}
    for item in subject.measured:
        result = item.result
        if not is_baseline(result.model):
            key = (result.model, result.protocol, result.on, result.shots, item.data, item.seed, result.trials)
            if key not in found or (result.ways or 0) > (found[key].result.ways or 0):
                found[key] = item
    order = {model: i for i, model in enumerate(subject.models)}
    return sorted(
        found.values(),
        key=lambda item: (order[item.result.model], item.result.on != "test", _PROTOCOLS.index(item.result.protocol)),
    )


def _headline(subject: Reported, item: Measured) -> Headline:
    result = item.result
    notes = [result.model] if len(subject.models) > 1 else []
    counted = f"{result.trials:,} {'trials' if result.ways else 'pairs'}"
    notes.append(f"{counted} of {item.source}, seed {item.seed}, {item.device}")
    if result.equal_error_rate is not None:
        notes.append(f"equal error rate {percent(result.equal_error_rate)}")
    if rival := _rival(subject, item):
        notes.append(f"nearest neighbour {percent(rival.result.accuracy)}")
    return Headline(_task(item), result.accuracy, result.ci95, tuple(notes))


def _task(item: Measured) -> str:
    result, words = item.result, _IN_WORDS.get(item.result.protocol, item.result.protocol)
    words = "on MNIST" if item.source == "mnist" else words
    if result.ways is None:
        return f"Verification: {words}"
    shots = "one-shot" if result.shots == 1 else f"{result.shots}-shot"
    return f"{result.ways}-way {shots}, {words}"


def _rival(subject: Reported, item: Measured) -> Measured | None:
    """Return what the nearest neighbour reaches on the same trials."""

    def task(other: Measured) -> tuple[object, ...]:
        result = other.result
        return other.data, other.seed, result.protocol, result.on, result.ways, result.shots, result.trials

    rivals = (other for other in subject.measured if other.result.model == "nearest-neighbour")
    return next((other for other in rivals if task(other) == task(item)), None)


def _overview(subject: Reported, items: list[Measured]) -> Table:
    rows = []
    for item in items:
        result, rival = item.result, _rival(subject, item)
        task = f"{result.ways}-way {result.shots}-shot" if result.ways else "same or different"
        interval = f"{100 * result.ci95[0]:.1f}-{100 * result.ci95[1]:.1f}"
        against = percent(rival.result.accuracy) if rival else ""
        figures = (percent(result.accuracy), interval, against)
        where = (result.protocol, result.on, f"{result.trials:,}", item.source, str(item.seed), item.device)
        rows.append((result.model, task, *figures, *where))
    columns = ("network", "task", "accuracy", "95 % interval", "nearest neighbour")
    title = "Every network under every protocol, at the most ways that were measured"
    return Table(title, (*columns, "protocol", "on", "trials", "images", "seed", "device"), tuple(rows))


def sweep_section(subject: Reported) -> Section:
    """Return accuracy by the number of ways."""
    pictures: list[Picture] = []
    missing: list[Command] = []
    for number, items in enumerate(sweeps_of(subject.measured), start=1):
        result = items[0].result
        shots = f"{result.shots} shot{'s' if result.shots != 1 else ''}"
        title = f"Accuracy by ways: {items[0].source}, protocol {result.protocol}, {shots}"
        pictures.append(sweep_chart(f"sweep-{number}", title, curves_of(items)))
        missing += _lacking_in(subject, items)
    if not pictures:
        settings = EvalSettings(
            ways=ways_to_measure(subject, "test"), trials=_TRIALS, baselines=("nearest-neighbour", "random")
        )
        line = subject.eval_line(_first(subject), settings)
        missing.append(Command("Nothing was measured at several numbers of ways. To measure it:", line))
    tables = tuple(table for table in tables_of(subject.measured) if table.about == "sweep")
    return Section("N-way sweep", pictures=tuple(pictures), tables=tables, missing=tuple(missing))


def curves_of(items: list[Measured]) -> list[Curve]:
    """Return the curves of a sweep: networks on every part, baselines on test images, where there are any."""
    on_test = any(item.result.on == "test" for item in items)
    series: dict[tuple[str, str], list[Measured]] = {}
    for item in items:
        if not (is_baseline(item.result.model) and on_test and item.result.on != "test"):
            series.setdefault((item.result.model, item.result.on), []).append(item)
    curves = []
    for method, on in sorted(series, key=lambda key: (is_baseline(key[0]), key[0], key[1] == "test")):
        results = sorted((item.result for item in series[method, on]), key=lambda result: result.ways or 0)
        ways = tuple(result.ways or 0 for result in results)
        accuracies, intervals = tuple(r.accuracy for r in results), tuple(r.ci95 for r in results)
        curves.append(Curve(series_name(method, on), method, on, ways, accuracies, intervals))
    return curves


def _lacking_in(subject: Reported, items: list[Measured]) -> Iterator[Command]:
    """Yield which of the four curves a sweep lacks, and how to measure it on the same trials."""
    first = items[0]
    if first.result.protocol == "lake" or first.data.startswith("images/"):
        return
    measured = {(item.result.model, item.result.on) for item in items}
    models = list(dict.fromkeys(model for model, _ in measured if not is_baseline(model)))
    for model in models:
        for on in _PARTS:
            if (model, on) not in measured:
                settings = _like(subject, items, on).model_copy(update={"baselines": ()})
                what = f"{model} was not measured on {on} images. To measure it:"
                yield Command(what, subject.eval_line(model, settings))
    absent = [name for name in ("nearest-neighbour", "random") if (name, "test") not in measured]
    if absent and models:
        settings = _like(subject, items, "test").model_copy(update={"baselines": tuple(absent)})
        what = f"{' and '.join(absent)}: not measured on these trials. To measure it:"
        yield Command(what, subject.eval_line(models[0], settings))


def _like(subject: Reported, items: list[Measured], on: SplitPart) -> EvalSettings:
    """Return what measures the same trials, on another part or with other methods."""
    result, most = items[0].result, max(ways_to_measure(subject, on))
    ways = sorted({item.result.ways for item in items if item.result.ways and item.result.ways <= most})
    values = {"protocol": result.protocol, "on": on, "ways": ways or [most], "shots": result.shots}
    return check(EvalSettings, {**values, "trials": result.trials, "seed": items[0].seed}, origin=items[0].evaluation)


def ways_to_measure(subject: Reported, part: str) -> tuple[int, ...]:
    """Return as many ways as the alphabets of a part allow, at most 20."""
    most, model = _WAYS, subject.artifact(subject.models[0]) if subject.models else None
    data = subject.made_from(model, "pairs") if model else None
    if data:
        most = min(most, PairsFacts.of(data.manifest).summary.largest_alphabet.get(part, most))
    return tuple(range(1, max(1, most) + 1))


def _first(subject: Reported) -> str | None:
    return subject.models[0] if subject.models else None


def published_section(subject: Reported) -> Section:
    """Return the paper's tables beside ours."""
    tables = {table.about: table for table in tables_of(subject.measured)}
    missing = []
    if not _has_network(subject, tables, "20-way", "lake"):
        elsewhere = None if any(item.source == "omniglot" for item in subject.measured) else "omniglot"
        line = subject.eval_line(_first(subject), EvalSettings(protocol="lake"), source=elsewhere)
        missing.append(Command("Koch's table 2: no network was measured on Lake's runs. To measure it:", line))
    if "verification" not in tables:
        missing.append(how_to_verify(subject, _first(subject), "Koch's table 1: nothing was measured at verification"))
    if "mnist" not in tables:
        settings = EvalSettings(ways=(10,), baselines=("nearest-neighbour", "random"))
        line = subject.eval_line(_first(subject), settings, source="mnist")
        missing.append(Command("Koch's table 3: nothing was measured on MNIST. To measure it:", line))
    shown = tuple(tables[name] for name in ("verification", "20-way", "mnist") if name in tables)
    text = (
        "Of the tables of Koch et al. 2015, the first is verification, the second 20-way recognition on Lake's runs, "
        "and the third transfer to MNIST. The second one has later methods too."
    )
    return Section("Beside published figures", text=(text,), tables=shown, missing=tuple(missing))


def _has_network(subject: Reported, tables: dict[str, Table], about: str, protocol: str) -> bool:
    networks = [item for item in subject.measured if not is_baseline(item.result.model)]
    return about in tables and any(item.result.protocol == protocol for item in networks)


def how_to_verify(subject: Reported, model: str | None, what: str) -> Command:
    """Return how to measure verification, which needs images that are held out.

    Args:
        subject: Of the page.
        model: Reference, or None where there is no model yet.
        what: What is missing, without a full stop.
    """
    said = subject.trained_on(model) if model else {}
    if said.get("source") and not said.get("validation_alphabets"):
        why = "its threshold needs images that are held out, but this split holds none"
        line = command_line(subject.store.root, "run", "--split", "koch")
        return Command(f"{what}, as {why}. To train and measure with one that does:", line)
    settings = EvalSettings(protocol="verification", ways=(), baselines=())
    return Command(f"{what}. To measure it:", subject.eval_line(model, settings))


def further_section(subject: Reported) -> Section | None:
    """Return the tables that have no place elsewhere, or None if there are none."""
    widest = {id(item) for item in _widest(subject)}
    # Differences at every number of ways would bury those that matter; `--format json` has them all.
    fewer = [item if id(item) in widest else replace(item, paired=None) for item in subject.measured]
    tables = tuple(table for table in tables_of(fewer) if not table.about)
    return Section("Further results", tables=tables) if tables else None
