"""YAML as people expect it: `1e-3` is a number, `no` and `1:30` are words, a key comes once, nothing is executed."""

import re
from typing import Any

import yaml

from omnishot.errors import SettingsError


class _StrictLoader(yaml.SafeLoader):
    """YAML without duplicate keys, whose only values are words, decimal numbers, true, false and null."""


_StrictLoader.yaml_implicit_resolvers = {
    key: [pair for pair in resolvers if pair[0] == "tag:yaml.org,2002:null"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+0123456789."),
)
_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _mapping_without_duplicates(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if not isinstance(key, str):
            raise SettingsError(f"The key {key!r} is not a word", hint="Put quotes around it.")
        if keys.count(key) > 1:
            raise SettingsError(f"The key '{key}' comes twice in one mapping", hint="Keep one of them.")
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def read_yaml(text: str, *, origin: str) -> Any:
    """Return the value a YAML text holds.

    Args:
        text: The text; tags, duplicate keys and several documents are refused.
        origin: What to call the text in messages.

    Raises:
        SettingsError: The text is not the YAML described.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # A SafeLoader, made stricter.
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{origin} is not valid YAML: {reason}") from None
