"""Two processes that torchrun starts train what one process trains."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from omnishot.formats.checkpoint import CHECKPOINT, read_checkpoint
from tests.conftest import Cli

pytestmark = pytest.mark.slow

KOCH35 = ["--preset", "koch35", "--set", "epochs=2", "--set", "objective.batch_size=20"]
QUICK = ["--preset", "quick", "--set", "epochs=2", "--set", "objective.batches_per_epoch=6"]
EVERY = ["--set", "precision=fp32", "--set", "max_minutes=null", "--set", "validation_trials=20", "--device", "cpu"]


@pytest.fixture(scope="module")
def store(omnishot: Cli, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several") / "artifacts"
    made = omnishot("prepare", "--source", picture_folder, "--pairs", "50", "--affine", "1", "--store", folder)
    assert made.code == 0, made.err
    return folder


def torchrun(*arguments: object, n: int = 2) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n), "-m", "omnishot"]
        + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMNISHOT_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )


def history(store: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (store / "models" / name / "v1" / "history.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("preset", [QUICK, [*KOCH35, "--set", "data.memory_gb=0"]], ids=["quick", "streamed"])
def test_two_processes_give_the_curve_of_one(omnishot: Cli, store: Path, preset: list[str], request: Any) -> None:
    one, two = (f"{request.node.callspec.id}-{n}" for n in (1, 2))
    process = torchrun("train", *preset, *EVERY, "--store", store, "--name", two, "--force", "--json")
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert json.loads(out)["processes"] == 2  # One line: rank 0 alone prints.
    assert err.count("Made models/") == 1
    assert ("processes read them from the disk" in err) == (two == "streamed-2")
    alone = omnishot("train", *preset, *EVERY, "--store", store, "--name", one, "--force", OMP_NUM_THREADS="1")
    assert alone.code == 0, alone.err
    for mine, theirs in zip(history(store, one), history(store, two), strict=True):
        assert theirs["loss"] == pytest.approx(mine["loss"], rel=2e-4)
        assert theirs["training_accuracy"] == pytest.approx(mine["training_accuracy"], abs=0.02)
        assert theirs["learning_rate"] == mine["learning_rate"]
        assert theirs["validation_accuracy"] == pytest.approx(mine["validation_accuracy"], abs=0.11)
    weights = [load_file(store / "models" / name / "v1" / "weights.safetensors") for name in (one, two)]
    for name, tensor in weights[0].items():  # Running averages of the batch normalisation are among them.
        assert torch.allclose(tensor.float(), weights[1][name].float(), rtol=0.01, atol=2e-3), name


def test_what_was_made_before_is_reused_by_all(omnishot: Cli, store: Path) -> None:
    arguments = ["train", *KOCH35, *EVERY, "--set", "seed=5", "--store", store, "--name", "again"]
    first = omnishot(*arguments)
    process = torchrun(*arguments, "--json")
    out, err = process.communicate(timeout=600)
    assert (first.code, process.returncode) == (0, 0), err
    assert json.loads(out)["reused"] is True


def test_other_commands_are_not_for_torchrun(store: Path) -> None:
    process = torchrun("run", *KOCH35, *EVERY, "--store", store)
    _, err = process.communicate(timeout=600)
    assert process.returncode != 0
    assert "torchrun is for `omnishot train` alone" in err


def test_a_batch_that_cannot_be_shared_is_refused(store: Path) -> None:
    process = torchrun("train", *KOCH35, *EVERY, "--set", "objective.batch_size=7", "--store", store)
    _, err = process.communicate(timeout=600)
    assert process.returncode != 0
    assert "The 7 pairs of a batch cannot be shared by 2 processes" in err
    assert "Traceback (most recent call last)" not in err.partition("omnishot:")[0]


def stopped(process: subprocess.Popen[str]) -> str:
    """Stop torchrun as soon as it tells of progress; return what it says after that."""
    assert process.stderr is not None
    next(line for line in process.stderr if line.startswith("Training"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=600)
    return err


def kept_position(store: Path) -> dict[str, Any]:
    (checkpoint,) = store.glob(f".unfinished/*/{CHECKPOINT}")
    position: dict[str, Any] = read_checkpoint(checkpoint.parent)["position"]
    return position


def test_sigterm_stops_all_and_the_run_is_resumed(store: Path) -> None:
    arguments = ["train", *KOCH35, *EVERY, "--set", "epochs=4000", "--set", "patience=0", "--store", store]
    err = stopped(torchrun(*arguments))
    assert "Stopped in epoch" in err
    assert "this is a bug" not in err
    begun = kept_position(store)
    stopped(torchrun(*arguments, "--resume"))
    resumed = kept_position(store)
    assert (resumed["epoch"], resumed["step"]) > (begun["epoch"], begun["step"])
    assert resumed["history"][: len(begun["history"])] == begun["history"]  # Seconds included: no run starts over so.
    assert resumed["seconds"] > begun["seconds"]
