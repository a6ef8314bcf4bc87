"""Results at several numbers of ways on the same trials, and the curves that they are: one per method and part."""

from collections.abc import Sequence

from omnishot.drawing.sweep_curve import Curve
from omnishot.formats.evaluation import Result
from omnishot.reporting.results import Measured, is_baseline


def sweeps_of(measured: Sequence[Measured]) -> list[list[Measured]]:
    """Group results by data, seed, protocol, shots and trials, and keep the groups with several numbers of ways."""
    groups: dict[tuple[object, ...], list[Measured]] = {}
    for item in measured:
        result = item.result
        if result.ways is not None:
            key = item.data, item.seed, result.protocol, result.shots, result.trials
            groups.setdefault(key, []).append(item)
    return [items for items in groups.values() if len({item.result.ways for item in items}) > 2]


def curves_of(sweep: Sequence[Measured]) -> list[Curve]:
    """Return the curves of a sweep: networks on every part, then baselines, on test images where there are any."""
    on_test = any(item.result.on == "test" for item in sweep)
    found: dict[tuple[str, str], list[Result]] = {}
    for result in (item.result for item in sweep):
        # The comparison everyone draws has the baselines on test images only.
        if not (is_baseline(result.model) and on_test and result.on != "test"):
            found.setdefault((result.model, result.on), []).append(result)
    keys = sorted(found, key=lambda key: (is_baseline(key[0]), key[0], key[1] == "test"))
    return [_curve(*key, sorted(found[key], key=lambda result: result.ways or 0)) for key in keys]


def _curve(method: str, on: str, results: list[Result]) -> Curve:
    return Curve(
        name=method if is_baseline(method) else f"{method.removeprefix('models/')} on {on}",
        method=method,
        on=on,
        ways=tuple(result.ways or 0 for result in results),
        accuracy=tuple(result.accuracy for result in results),
        ci95=tuple(result.ci95 for result in results),
    )
