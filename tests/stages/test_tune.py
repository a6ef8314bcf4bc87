"""A search goes on where it stopped, refuses another's study, and gives settings that train."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from omnishot.config import Architecture, PrepareSettings, TrainSettings
from omnishot.config.optimization import SgdSettings
from omnishot.errors import DamagedFileError, SettingsError, StoppedError, TrainingError
from omnishot.model.koch import PUBLISHED
from omnishot.model.siamese import SiameseNetwork
from omnishot.progress import silent
from omnishot.settings_text import as_yaml, check
from omnishot.stages.prepare import prepare
from omnishot.stages.search_space import By, SearchSpace
from omnishot.stages.trainer import build_trainer
from omnishot.stages.tune import Tuned, tune
from omnishot.store.artifact import Artifact
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from omnishot.training.loop import Trainer
from omnishot.training.stop_signal import StopSignal

pytestmark = pytest.mark.slow

VALUES = {
    "twin": "koch35",
    "objective": {"kind": "pairs", "batch_size": 8},
    "optimizer": {"kind": "sgd"},
    "epochs": 2,
    "validation_trials": 40,
    "validation_ways": 5,
}


@pytest.fixture(scope="module")
def pairs(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    store = Store(tmp_path_factory.mktemp("tune") / "artifacts")
    settings = PrepareSettings(split="alphabets", pairs=16, affine=0, validation_pairs=10, test_pairs=10)
    made = prepare(store, settings, source=str(picture_folder))
    return made.artifact


def search(pairs: Artifact, storage: Path, trials: int, *, signal: int | None = None, **changes: object) -> Tuned:
    by: By = changes.pop("by", "all")  # type: ignore[assignment]
    architecture = bool(changes.pop("architecture", False))
    stop = StopSignal()
    if signal:
        stop.receive(signal)
    return tune(
        pairs,
        check(TrainSettings, {**VALUES, **changes}, origin="test"),
        storage=storage,
        trials=trials,
        by=by,
        architecture=architecture,
        device="cpu",
        on_progress=silent,
        watch_signals=lambda: nullcontext(stop),
    )


def test_a_study_goes_on_to_the_number_of_trials_asked_for(pairs: Artifact, tmp_path: Path) -> None:
    storage = tmp_path / "study"
    first, second = search(pairs, storage, 2), search(pairs, storage, 4)
    assert (first.trials, second.trials) == (2, 4)
    assert second.accuracy >= first.accuracy > 0
    assert search(pairs, storage, 4) == second  # There is nothing left to do.
    optimizer = second.settings.optimizer
    assert isinstance(optimizer, SgdSettings)
    assert 1e-4 <= optimizer.learning_rate <= 1e-1
    assert check(TrainSettings, read_yaml(as_yaml(second.settings), origin="x"), origin="x") == second.settings


def space_of(by: By, **changes: object) -> SearchSpace:
    values = {**VALUES, **changes}
    return SearchSpace.of(check(TrainSettings, values, origin="test"), by, architecture="twin" in changes)


def test_layers_get_values_of_their_own() -> None:
    found = space_of("layer").suggest(optuna.create_study().ask()).optimizer
    assert isinstance(found, SgdSettings)
    assert list(found.layers) == ["conv1", "conv2", "conv3", "conv4", "dense", "head"]
    assert len({layer.learning_rate for layer in found.layers.values()}) == 6


def test_parts_share_values_and_the_first_trial_has_the_settings_own(pairs: Artifact, tmp_path: Path) -> None:
    own = {
        "kind": "sgd",
        "learning_rate": 0.02,
        "momentum": 0.8,
        "l2": 0.0,
        "layers": {"head": {"learning_rate": 0.03}},
    }
    found = search(pairs, tmp_path / "study", 1, by="part", optimizer=own).settings.optimizer
    assert isinstance(found, SgdSettings)
    rates = {name: layer.learning_rate for name, layer in found.layers.items()}
    assert rates == {**dict.fromkeys(["conv1", "conv2", "conv3", "conv4", "dense"], 0.02), "head": 0.03}
    assert {layer.momentum for layer in found.layers.values()} == {0.8}
    assert {layer.l2 for layer in found.layers.values()} == {1e-7}  # The least that is searched.


def test_the_settings_own_values_are_tried_even_if_the_first_trial_was_stopped(pairs: Artifact, tmp_path: Path) -> None:
    own = {"kind": "sgd", "learning_rate": 0.0123, "momentum": 0.8, "l2": 1e-5}
    with pytest.raises(StoppedError):
        search(pairs, tmp_path / "study", 1, signal=15, optimizer=own)
    found = search(pairs, tmp_path / "study", 1, optimizer=own).settings.optimizer
    assert isinstance(found, SgdSettings)
    assert (found.learning_rate, found.momentum, found.l2) == (0.0123, 0.8, 1e-5)


def test_sizes_off_the_grid_begin_at_the_nearest_on_it() -> None:
    space = space_of("all", twin="koch35", architecture={"filters": [10, 17, 30, 256], "dense_units": 100})
    values = space.own_values()
    assert [values[f"filters{i}"] for i in (1, 2, 3, 4)] == [16, 16, 32, 256]
    assert values["dense_units"] == 128


@pytest.mark.parametrize("twin", ["koch", "koch35"])
def test_whatever_sizes_are_searched_fit_the_image(twin: str) -> None:
    space = space_of("all", twin=twin)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    sizes = [space.suggest(study.ask()).architecture.filter_sizes for _ in range(100)]
    for filter_sizes in sizes:
        assert filter_sizes
        assert replace(PUBLISHED[twin], filter_sizes=filter_sizes).sides_after()[-1] >= 1
    assert len(set(sizes)) > 50


def test_the_sizes_of_layers_can_be_searched(pairs: Artifact, tmp_path: Path) -> None:
    first = search(pairs, tmp_path / "study", 1, architecture=True)
    assert first.settings.architecture == Architecture(
        filters=(64, 128, 128, 256), filter_sizes=(4, 3, 2, 2), dense_units=4096
    )
    assert search(pairs, tmp_path / "study", 2, architecture=True).trials == 2
    with pytest.raises(SettingsError, match="the twin is conv4"):
        search(pairs, tmp_path / "other", 1, architecture=True, twin="conv4")


def test_the_study_of_other_settings_is_refused(pairs: Artifact, tmp_path: Path) -> None:
    search(pairs, tmp_path / "study", 1)
    with pytest.raises(SettingsError, match=r"a search with other settings$"):
        search(pairs, tmp_path / "study", 2, epochs=3)


def test_a_file_that_is_no_study_is_refused(pairs: Artifact, tmp_path: Path) -> None:
    (tmp_path / "study").write_text("no journal\n")
    with pytest.raises(DamagedFileError, match="study is no study"):
        search(pairs, tmp_path / "study", 1)


def test_a_signal_stops_the_search_and_the_trial_does_not_count(pairs: Artifact, tmp_path: Path) -> None:
    search(pairs, tmp_path / "study", 1)
    with pytest.raises(StoppedError):
        search(pairs, tmp_path / "study", 2, signal=15)
    assert search(pairs, tmp_path / "study", 1).trials == 1


def test_a_signal_during_the_last_validation_of_a_trial_loses_no_trial(
    pairs: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = StopSignal()

    def interrupted(*arguments: Any, **options: Any) -> Trainer:
        trainer = build_trainer(*arguments, **options)
        validate = trainer._validate
        assert validate is not None

        def and_a_signal(network: SiameseNetwork) -> float:
            stop.receive(15)
            return validate(network)

        trainer._validate = and_a_signal
        return trainer

    monkeypatch.setattr("omnishot.stages.tune.build_trainer", interrupted)
    settings = check(TrainSettings, {**VALUES, "epochs": 1}, origin="test")
    with pytest.raises(StoppedError, match=r"Stopped after 1 trial$"):
        tune(
            pairs, settings, storage=tmp_path / "study", trials=2, device="cpu", watch_signals=lambda: nullcontext(stop)
        )


def test_where_every_trial_diverges_none_came_to_its_end(
    pairs: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(trial: Any, *others: object) -> float:
        trial.report(0.05, step=1)  # Of a trial that is given up, Optuna keeps what it reported last.
        raise TrainingError("The loss is no longer a number")

    monkeypatch.setattr("omnishot.stages.tune._measured", diverge)
    with pytest.raises(TrainingError, match="No trial came to its end"):
        search(pairs, tmp_path / "study", 2)


def test_settings_without_anything_to_search_are_refused(pairs: Artifact, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="one of them is lacking"):
        search(pairs, tmp_path / "study", 1, optimizer={"kind": "adam"})
    with pytest.raises(SettingsError, match="one of them is lacking"):
        search(pairs, tmp_path / "study", 1, validation_trials=0)
