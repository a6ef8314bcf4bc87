"""Settings from values and text, and back; one message names everything that is wrong, with what was meant."""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from omnishot.config import (
    Architecture,
    ClassesObjective,
    DataSettings,
    LogSettings,
    PairsObjective,
    TrainSettings,
    WhiteningObjective,
)
from omnishot.config.optimization import (
    AdamSettings,
    CyclicSchedule,
    ExponentialSchedule,
    PlainSchedule,
    SgdLayer,
    SgdSettings,
)
from omnishot.config.settings import Settings
from omnishot.errors import SettingsError, brief
from omnishot.strict_yaml import read_yaml
from omnishot.wording import MAY_BE_EMPTIED, did_you_mean

S = TypeVar("S", bound=Settings)

_HINTS = {
    "TrainSettings": "`omnishot presets NAME` prints every setting.",
    "PrepareSettings": "`omnishot prepare --help` lists the options.",
    "EvalSettings": "`omnishot eval --help` lists the options.",
}


def check(settings: type[S], values: Mapping[str, Any], *, origin: str) -> S:
    """Return validated settings from values that are nested as in YAML; messages name their origin.

    Raises:
        SettingsError: Names or values are wrong; the message lists all of them at once.
    """
    try:
        return settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = "; ".join(_explain(settings, problem) for problem in error.errors())
        raise SettingsError(f"{origin}: {problems}", hint=_HINTS.get(settings.__name__, "")) from None


def check_given(settings: type[S], *, origin: str, **values: Any) -> S:
    """Return validated settings from those values that are not None; the others count as not named."""
    return check(settings, {name: value for name, value in values.items() if value is not None}, origin=origin)


def _explain(settings: type[Settings], problem: Any) -> str:
    place = [str(part) for part in problem["loc"]]
    if not place:
        if problem["type"] == "value_error":
            return brief(str(problem["ctx"]["error"]))
        return "it holds no settings, of which each is `name: value`"
    if place[0] in _KINDS and len(place) > 1:
        del place[1]  # The kind of the section, which is not part of a setting's name.
    name = brief(".".join(place))
    if problem["type"] == "extra_forbidden":
        known = _all_names(settings)
        if name in known:
            return f"setting '{name}' does not act with this kind of {place[0]}"
        same = [other for other in sorted(known) if other.rpartition(".")[2] == place[-1]]
        return f"unknown setting '{name}'" + (f". Did you mean '{same[0]}'?" if same else did_you_mean(name, known))
    if problem["type"] == "union_tag_not_found":
        return f"{name} does not say its kind"
    return f"{name} = {brief(repr(problem['input']))}: {brief(problem['msg'][0].lower() + problem['msg'][1:])}"


_KINDS: dict[str, tuple[type[Settings], ...]] = {
    "objective": (PairsObjective, ClassesObjective, WhiteningObjective),
    "optimizer": (SgdSettings, AdamSettings, SgdLayer),
    "schedule": (PlainSchedule, ExponentialSchedule, CyclicSchedule),
}

_SECTIONS = _KINDS | {"architecture": (Architecture,), "data": (DataSettings,), "log": (LogSettings,)}


def _all_names(settings: type[BaseModel]) -> set[str]:
    names = set(settings.model_fields)
    if settings is TrainSettings:
        for section, models in _SECTIONS.items():
            names |= {f"{section}.{name}" for model in models for name in model.model_fields}
    return names


def with_changes(values: Mapping[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """Return nested settings with `key=value` changes applied; dots lead into sections.

    Args:
        values: Settings as read from YAML.
        changes: For example `"max_minutes=3"` or `"optimizer.learning_rate=1e-3"`; the value is YAML.

    Raises:
        SettingsError: A change has no `=` or leads into something that is not a section.
    """
    result = copy.deepcopy(dict(values))
    for change in changes:
        key, _, text = (part.strip() for part in change.partition("="))
        if "=" not in change or not key:
            raise SettingsError(f"'{change}' is not key=value", hint="For example: --set max_minutes=3")
        if not text:
            raise SettingsError(
                f"'{change}' gives no value; {MAY_BE_EMPTIED}", hint="Give one; `null` stands for none."
            )
        *sections, name = key.split(".")
        if len(sections) > 3:
            hint = "`omnishot presets NAME` prints every setting in its section."
            raise SettingsError(f"'{brief(change)}' leads {len(sections)} sections deep, but 3 are the most", hint=hint)
        place = result
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise SettingsError(f"'{section}' in '{change}' is a value, not a section")
        place[name] = read_yaml(text, origin=f"the value in '{change}'")
    return result


def as_yaml(settings: Settings) -> str:
    """Return settings as YAML that reads back to the same settings."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
