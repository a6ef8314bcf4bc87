"""The commands on a page make what they say: the same settings, down to the last digit."""

import shlex
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from omnishot.cli.app import app
from omnishot.config import TrainSettings
from omnishot.errors import DamagedFileError
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import check, with_changes
from omnishot.store.remake import command_of, how_to_remake, preset_and_changes
from omnishot.store.store import Store
from omnishot.strict_yaml import read_yaml
from tests.forging import forge

CHANGES = [
    "epochs=7", "max_minutes=null", "max_minutes=1.25", "optimizer.learning_rate=3e-5", "precision=fp32",
    "optimizer.layers.head.l2=1e-7", "schedule={kind: triangular, lowest: 0.0033, steps: 500}",
    "optimizer={kind: sgd, momentum: 0.8}", "seed=3", "validation_protocol=verification",
]  # fmt: skip

NO_STEPS = {"photos": {"precision=fp32", "seed=3", "validation_protocol=verification"}}
"""What can be changed of a preset that takes no steps."""


def settings_of(preset: str, changes: list[str]) -> TrainSettings:
    return check(TrainSettings, with_changes(read_yaml(preset_text(preset), origin=preset), changes), origin=preset)


@given(st.sampled_from(preset_names()), st.lists(st.sampled_from(CHANGES), max_size=3, unique=True))
def test_a_preset_and_its_changes_give_exactly_the_recorded_settings(preset: str, changes: list[str]) -> None:
    wanted = settings_of(preset, sorted(NO_STEPS.get(preset, set(changes)) & set(changes)))
    assert settings_of(*preset_and_changes(wanted)) == wanted


def test_a_preset_as_it_is_needs_no_change() -> None:
    assert preset_and_changes(settings_of("koch35", [])) == ("koch35", [])


@pytest.mark.slow
def test_every_command_finds_its_artifact_made(
    evaluated_store: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(shutil.copytree(evaluated_store, tmp_path / "a store"))
    before = [str(artifact.reference) for artifact in store.artifacts()]
    for artifact in store.artifacts():
        line = command_of(store.root, artifact.manifest).replace(" PATH ", f" {picture_folder} ")
        program, *words = shlex.split(line)
        done = CliRunner().invoke(app, words)
        assert (program, done.exit_code) == ("omnishot", 0), (line, done.output)
        if artifact.manifest.kind != "images":  # `prepare` alone has the default number of pairs.
            assert "Reused" in done.output, line
            assert str(artifact.reference) in done.stdout
    made = [str(artifact.reference) for artifact in store.artifacts()]
    assert set(made) - set(before) == {"pairs/scripts-90k-affine8:v1"}


def with_manifest(store: Store, place: str, **values: Any) -> None:
    def change(manifest: dict[str, Any]) -> None:
        for name, value in values.items():
            manifest[name] = manifest[name] | value if isinstance(value, dict) else value

    forge(store.root / place, change)


def test_of_settings_of_another_version_no_command_is_made_up_and_none_quoted(
    evaluated_store: Path, tmp_path: Path
) -> None:
    store = Store(shutil.copytree(evaluated_store, tmp_path / "artifacts"))
    with_manifest(store, "models/quick/v1", settings={"sown": 1})
    manifest = store.find("quick", "models").manifest
    assert command_of(store.root, manifest) == ""
    said = how_to_remake(store.root, manifest)
    assert said == f"Its settings are another version's: make it again with omnishot {version('omnishot')}."


@pytest.mark.parametrize(
    "argv",
    [
        ["prepare", "--source", "--profile=~/.bashrc"],
        ["prepare", "--source=~/.bashrc"],
        ["prepare", "--source", "a;b"],
        ["prepare", "--source", "x\u202e"],
        ["prepare", "--pairs", "30k --out=~/.bashrc", "--split", "koch\n", "--seed", "-1"],
        ["--profile=~/.bashrc"],
    ],
    ids=str,
)
def test_nothing_that_acts_is_taken_from_a_recorded_command(
    evaluated_store: Path, argv: list[str], tmp_path: Path
) -> None:
    store = Store(evaluated_store)
    manifest = store.find("scripts", "images").manifest.model_copy(update={"argv": ["omnishot", *argv]})
    assert command_of(tmp_path, manifest) == f"omnishot prepare --source PATH --store {tmp_path}"


def test_images_are_made_again_with_the_pairs_that_were_drawn_from_them(evaluated_store: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(evaluated_store, tmp_path / "artifacts"))
    argv = ["prepare", "--source", "scripts", "--pairs", "30k", "--affine", "0", "--seed", "$(id)", "--store", "x"]
    with_manifest(store, "images/scripts/v1", argv=["omnishot", *argv])
    line = command_of(store.root, store.find("scripts", "images").manifest)
    assert line == f"omnishot prepare --source scripts --pairs 30k --affine 0 --store {store.root}"


def test_what_is_damaged_is_made_again_by_its_settings_not_by_the_recorded_command(
    evaluated_store: Path, tmp_path: Path
) -> None:
    store = Store(shutil.copytree(evaluated_store, tmp_path / "artifacts"))
    with_manifest(store, "models/quick/v1", argv=["omnishot", "--profile=~/.bashrc"])
    weights = store.root / "models/quick/v1/weights.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(DamagedFileError) as refused:
        store.find("quick", "models").file("weights.safetensors")
    assert "`omnishot train pairs/scripts-60-affine1:v1 --preset quick --set" in refused.value.hint
    assert "profile" not in refused.value.hint
