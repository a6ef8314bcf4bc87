"""YAML as people expect it: `1e-3` is a number, `no` and `1:30` are words, a key comes once, nothing is executed.

The text becomes values event by event, on a stack of its own, so that neither nesting nor aliases can exhaust anything.
"""

import math
import re
from typing import Any

import yaml

from omnishot.errors import SettingsError, brief

MOST_CHARACTERS = 1_000_000
"""Longer texts are refused."""

_MOST_LEVELS = 50
_MOST_DIGITS = 300
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # Only its parser is used.
_WORDS = {"null": None, "Null": None, "NULL": None, "~": None, "": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
# PyYAML writes every float like this, and words that look like other numbers without quotes.
_WRITTEN_NUMBER = re.compile(r"-?[0-9]+\.[0-9]+(?:e[-+][0-9]+)?")


def read_yaml(text: str, *, origin: str, as_written: bool = False) -> Any:
    """Return the value a YAML text holds.

    Args:
        text: The text; tags, anchors, aliases, duplicate keys and several documents are refused.
        origin: What to call the text in messages.
        as_written: Take only what PyYAML writes for a number as one, so that every value it wrote reads back equal;
            else everything that people write for a number.

    Raises:
        SettingsError: The text is not the YAML described.
    """
    if len(text) > MOST_CHARACTERS:
        hint = "Leave out what is no setting."
        raise SettingsError(f"{origin} has {len(text):,} characters; {MOST_CHARACTERS:,} is the limit", hint=hint)
    number = _WRITTEN_NUMBER if as_written else _NUMBER
    try:
        return _build(text, number)
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{origin} is not valid YAML: {brief(error)}") from None


class _Open:
    """A list or mapping that is being filled."""

    __slots__ = ("key", "value")

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value, self.key = value, _NO_KEY


_NO_KEY: Any = object()


def _build(text: str, number: re.Pattern[str]) -> Any:
    result: Any = None
    documents = 0
    stack: list[_Open] = []
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.ScalarEvent):
            _refuse_marks(event)
            result = _scalar(event, number)
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse_marks(event)
            if len(stack) == _MOST_LEVELS:
                raise ValueError(f"it nests deeper than {_MOST_LEVELS} levels{_place(event)}")
            stack.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else []))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            result = stack.pop().value
        elif isinstance(event, yaml.AliasEvent):
            raise ValueError(f"the alias *{brief(event.anchor)} is refused{_place(event)}")
        else:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise ValueError("it holds several documents")
            continue
        if stack:
            _add(stack[-1], result, event)
    return result


def _add(to: _Open, value: Any, event: yaml.Event) -> None:
    if isinstance(to.value, list):
        to.value.append(value)
    elif to.key is not _NO_KEY:
        to.value[to.key], to.key = value, _NO_KEY
    elif not isinstance(value, str):
        raise ValueError(f"the key {brief(repr(value))} is not a word: put quotes around it{_place(event)}")
    elif value in to.value:
        raise ValueError(f"the key '{brief(value)}' comes twice in one mapping{_place(event)}")
    else:
        to.key = value


def _scalar(event: yaml.ScalarEvent, number: re.Pattern[str]) -> Any:
    word = event.value
    if event.style:  # Quoted, or a block of text.
        return word
    if word in _WORDS:
        return _WORDS[word]
    if word[0] not in "-+.0123456789":
        return word
    is_integer = _INTEGER.fullmatch(word)
    if not is_integer and not number.fullmatch(word):
        return word
    if len(word) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(word):,} digits; {_MOST_DIGITS} is the limit{_place(event)}")
    value = int(word) if is_integer else float(word)
    if math.isinf(value):
        raise ValueError(f"{brief(word)} is too large{_place(event)}")
    return value


def _refuse_marks(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.anchor is not None:
        raise ValueError(f"the anchor &{brief(event.anchor)} is for aliases, which are refused{_place(event)}")
    if event.tag is not None:
        raise ValueError(f"the tag {brief(event.tag)} is refused{_place(event)}")


def _place(event: yaml.Event) -> str:
    return f", in line {event.start_mark.line + 1}" if event.start_mark else ""
