"""What `tune` searches: rate, momentum and L2 penalty, by layer if asked to, and the sizes of the layers.

Source: Koch et al. 2015, section 3.2 (the same values, within its ranges).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from omnishot.config import TrainSettings
from omnishot.config.optimization import SgdLayer, SgdSettings
from omnishot.errors import SettingsError
from omnishot.model.koch import PUBLISHED, Sizes
from omnishot.model.siamese import build_network
from omnishot.settings_text import check
from omnishot.training.optimizer import layers_of

if TYPE_CHECKING:
    import optuna

By = Literal["all", "part", "layer"]
"""What has values of its own: nothing; the convolutions, the dense layer and the head; or every layer."""

_RANGES = {"learning_rate": (1e-4, 1e-1), "momentum": (0.0, 0.99), "l2": (1e-7, 1e-1)}
_FILTERS = (16, 256, 16)
_DENSE_UNITS = (128, 4096, 128)
_FILTER_SIZES = {"koch": (3, 20), "koch35": (1, 7)}  # The paper's 3 to 20 are for images three times as wide.


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The values that are searched, and the settings they are put into.

    Attributes:
        settings: What all trials have in common.
        parts: The layers that share values, by the name under which they are searched.
        architecture: Whether the sizes of the layers are searched too.
    """

    settings: TrainSettings
    parts: Mapping[str, list[str]]
    architecture: bool

    @classmethod
    def of(cls, settings: TrainSettings, by: By, *, architecture: bool) -> "SearchSpace":
        """Return the space of a search.

        Raises:
            SettingsError: These settings have nothing to search.
        """
        has_steps = settings.objective.kind != "whitening"
        if not (has_steps and isinstance(settings.optimizer, SgdSettings) and settings.validation_trials):
            raise SettingsError(
                "tune searches the values of optimizer.kind = sgd by validation trials; one of them is lacking",
                hint="Use --preset koch or koch35.",
            )
        if architecture and settings.twin not in PUBLISHED:
            raise SettingsError(
                f"--architecture searches the layers of koch and koch35, but the twin is {settings.twin}",
                hint="Leave it out, or use --preset koch or koch35.",
            )
        layers = list(layers_of(build_network(settings.twin)))
        if by == "all":
            return cls(settings, {"all": layers}, architecture)
        parts: dict[str, list[str]] = {}
        for layer in layers:
            is_shared = by == "part" and layer.startswith("conv")
            parts.setdefault("convolutions" if is_shared else layer, []).append(layer)
        return cls(settings, parts, architecture)

    def own_values(self) -> dict[str, float]:
        """Return the values that the settings have themselves, moved into the ranges that are searched."""
        optimizer, values = self.settings.optimizer, {}
        for part, layers in self.parts.items():
            layer = optimizer.layers.get(layers[0]) if part != "all" else None
            for name, (lowest, highest) in _RANGES.items():
                value = getattr(layer or SgdLayer(), name)
                value = getattr(optimizer, name) if value is None else value
                values[f"{part}.{name}"] = min(max(value, lowest), highest)
        if self.architecture:
            own, sides = self._own_sizes(), (*_FILTER_SIZES[self.settings.twin], 1)
            for i, (filters, size) in enumerate(zip(own.filters, own.filter_sizes, strict=True), 1):
                values |= {f"filters{i}": _nearest(filters, *_FILTERS), f"filter_size{i}": _nearest(size, *sides)}
            values["dense_units"] = _nearest(own.dense_units, *_DENSE_UNITS)
        return values

    def suggest(self, trial: "optuna.Trial") -> TrainSettings:
        """Draw the values of a trial; filters are never too large for the image."""
        for part in self.parts:
            for name, (lowest, highest) in _RANGES.items():
                trial.suggest_float(f"{part}.{name}", lowest, highest, log=name != "momentum")
        if self.architecture:
            self._suggest_sizes(trial)
        return self.with_values(trial.params)

    def _suggest_sizes(self, trial: "optuna.Trial") -> None:
        lowest, highest = _FILTER_SIZES[self.settings.twin]
        sizes = self._own_sizes()
        n_convolutions = len(sizes.filters)
        chosen: list[int] = []
        for i in range(1, n_convolutions + 1):
            trial.suggest_int(f"filters{i}", *_FILTERS[:2], step=_FILTERS[2])
            later = [lowest] * (n_convolutions - i)
            most = max(
                size
                for size in range(lowest, highest + 1)
                if size == lowest or replace(sizes, filter_sizes=(*chosen, size, *later)).sides_after()[-1] > 0
            )
            chosen.append(trial.suggest_int(f"filter_size{i}", lowest, most))
        trial.suggest_int("dense_units", *_DENSE_UNITS[:2], step=_DENSE_UNITS[2])

    def _own_sizes(self) -> Sizes:
        return PUBLISHED[self.settings.twin].changed_to(self.settings.architecture)

    def with_values(self, params: Mapping[str, Any]) -> TrainSettings:
        """Return the settings with a trial's values in them, rates and penalties rounded to three figures."""
        values = self.settings.model_dump(mode="json")
        for part, layers in self.parts.items():
            own = {name: float(f"{params[f'{part}.{name}']:.3g}") for name in _RANGES}
            if part == "all":
                values["optimizer"] |= {**own, "layers": {}}
            else:
                values["optimizer"]["layers"] |= dict.fromkeys(layers, own)
        if self.architecture:
            n_convolutions = len(self._own_sizes().filters)
            values["architecture"] = {
                "filters": [params[f"filters{i}"] for i in range(1, n_convolutions + 1)],
                "filter_sizes": [params[f"filter_size{i}"] for i in range(1, n_convolutions + 1)],
                "dense_units": params["dense_units"],
            }
        return check(TrainSettings, values, origin="tune")


def _nearest(size: int, lowest: int, highest: int, step: int) -> int:
    return min(max(lowest + round((size - lowest) / step) * step, lowest), highest)
