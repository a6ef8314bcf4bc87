"""Settings refuse what they do not know and say so all at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
from omnishot.config.settings import Settings
from omnishot.errors import SettingsError
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import as_yaml, check, with_changes
from omnishot.strict_yaml import read_yaml


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_survives_a_round_trip(name: str) -> None:
    settings = check(TrainSettings, read_yaml(preset_text(name), origin=name), origin=name)
    assert check(TrainSettings, read_yaml(as_yaml(settings), origin=name), origin=name) == settings


def test_all_mistakes_are_named_at_once_with_a_suggestion() -> None:
    values = {"epocs": 3, "patience": -1, "optimizer": {"kind": "adam", "learning_rate": "fast"}}
    with pytest.raises(SettingsError) as caught:
        check(TrainSettings, values, origin="mine.yaml")
    message = str(caught.value)
    assert "mine.yaml" in message
    assert "'epocs'. Did you mean 'epochs'?" in message
    assert "patience = -1" in message
    assert "optimizer.learning_rate = 'fast'" in message


def test_an_unknown_setting_of_an_objective_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'objective\.batch_size' does not act"):
        check(TrainSettings, {"objective": {"kind": "classes", "batch_size": 3}}, origin="x")


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001", ".001"])
def test_a_small_number_is_a_number_in_every_spelling(text: str) -> None:
    values = with_changes({}, ["optimizer.kind=adam", f"optimizer.learning_rate={text}"])
    assert check(TrainSettings, values, origin="x").optimizer.learning_rate == 0.001


def test_a_setting_that_would_not_act_is_refused() -> None:
    for values in ({"optimizer": {"kind": "adam", "momentum": 0.9}}, {"schedule": {"kind": "cosine", "decay": 0.9}}):
        with pytest.raises(SettingsError, match="does not act with this kind"):
            check(TrainSettings, values, origin="x")


def test_a_setting_in_the_wrong_section_is_found() -> None:
    with pytest.raises(SettingsError, match=r"'batch_size'. Did you mean 'objective\.batch_size'"):
        check(TrainSettings, {"batch_size": 3}, origin="x")


def test_a_section_has_to_say_its_kind() -> None:
    with pytest.raises(SettingsError, match="optimizer does not say its kind"):
        check(TrainSettings, {"optimizer": {"learning_rate": 0.1}}, origin="x")


def test_words_that_yaml_takes_for_truth_stay_words() -> None:
    words = ["no", "on", "yes", "1:30", "010", "0x1f", "1_000", "2024-01-01"]
    assert read_yaml(f"[{', '.join(words)}, true, 3, null]", origin="x") == [*words, True, 3, None]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: [",
        "!!python/object/apply:os.system ['true']",
        "a: 1\n---\nb: 2",
        "{[1]: 2}",
        "1: 2",
        "[" * 5000,
    ],
)
def test_yaml_that_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        read_yaml(text, origin="x")


def test_a_change_keeps_what_it_does_not_name() -> None:
    values = {"optimizer": {"kind": "sgd", "momentum": 0.8}}
    assert with_changes(values, ["optimizer.momentum=0.5", "epochs=3"]) == {
        "optimizer": {"kind": "sgd", "momentum": 0.5},
        "epochs": 3,
    }
    assert values["optimizer"]["momentum"] == 0.8


@pytest.mark.parametrize("change", ["epochs", "=3", "epochs.deep=3"])
def test_a_change_that_cannot_be_applied_is_refused(change: str) -> None:
    with pytest.raises(SettingsError):
        with_changes({"epochs": 1}, [change])


@pytest.mark.parametrize("values", [{"pairs": 0}, {"pairs": 1}, {"affine": -1}, {"split": "kock"}, {"seed": True}])
def test_prepare_refuses(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        check(PrepareSettings, values, origin="prepare")


def test_ways_may_be_a_list_from_json() -> None:
    assert check(EvalSettings, {"ways": [1, 5, 20]}, origin="eval").ways == (1, 5, 20)


@pytest.mark.parametrize("settings", [PrepareSettings, TrainSettings, EvalSettings])
def test_a_seed_that_readers_of_json_would_round_is_refused_before_the_work(settings: type[Settings]) -> None:
    assert check(settings, {"seed": 2**53}, origin="x").model_dump()["seed"] == 2**53
    with pytest.raises(SettingsError, match="seed = 9007199254740993"):
        check(settings, {"seed": 2**53 + 1}, origin="x")


def test_no_whole_number_of_the_settings_is_without_an_end() -> None:
    def endless(schema: Any, place: str) -> Iterator[str]:
        if isinstance(schema, dict):
            if schema.get("type") == "integer" and not {"maximum", "exclusiveMaximum", "const", "enum"} & schema.keys():
                yield place
            for name, inner in schema.items():
                yield from endless(inner, f"{place}.{name}")
        elif isinstance(schema, list):
            for inner in schema:
                yield from endless(inner, place)

    for settings in (PrepareSettings, TrainSettings, EvalSettings):
        assert list(endless(settings.model_json_schema(), settings.__name__)) == []
