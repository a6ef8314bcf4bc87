"""Expected failures: one sentence, the next step, the right exit code, nothing half-written."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import SMALL

QUICKLY = ["--preset", "quick", "--device", "cpu", "--set", "objective.classes_per_batch=10"]


@pytest.fixture(scope="module")
def store(omnishot: Any, picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("failures") / "artifacts"
    assert omnishot("prepare", "--source", picture_folder, *SMALL, "--store", folder).code == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["prepare", "--pairs", "0"], 2, "pairs = 0"),
        (["prepare", "--source", ""], 2, "--source is empty"),
        (["train", "--preset", ""], 2, "--preset is empty; a failed $(…)"),
        (["eval", "--source", ""], 2, "--source is empty"),
        (["eval", "--ways", ""], 2, "--ways is empty; a failed $(…)"),
        (["prepare", "--pairs", "many"], 2, "90000, 90k or 1.5M"),
        (["prepare", "--affine", "-1"], 2, "affine = -1"),
        (["prepare", "--split", "kock"], 2, "koch"),
        (["prepare", "--sorce", "glyphs"], 2, "--source"),
        (["prepare", "--name", "../x"], 2, "cannot name an artifact"),
        (["prepare", "--source", "no-such-folder"], 4, "no-such-folder"),
        (["prepare", "--source", "omniglot"], 6, "--source glyphs"),
        (["prepare", "--split", "lake", "--source", "PICTURES"], 2, "is for Omniglot"),
        (["prepare", "--holdout", "none", "--source", "PICTURES"], 2, "is for --split lake"),
        (["train", "--preset", "quik"], 2, "Did you mean 'quick'"),
        (["train", "--set", "epocs=3"], 2, "Did you mean 'epochs'"),
        (["train", "--set", "epochs=many"], 2, "epochs = 'many'"),
        (["train", "--config", "no-such-file.yaml"], 4, "no-such-file.yaml"),
        (["train", "--preset", "quick", "--config", "x.yaml"], 2, "one of them"),
        (["train", "pairz"], 4, "There is no 'pairz'"),
        (["train", "models/x"], 2, "but pairs are needed"),
        (["train", "--preset", "quick", "--resume"], 4, "nothing to resume"),
        (["train", "--preset", "quick", "--set", "objective.drawers_per_class=9"], 2, "the largest has 4"),
        (["eval", "no-such-model"], 4, "no-such-model"),
        (["eval", "../../etc/passwd"], 2, "is not a reference"),
        (
            ["eval", "--ways", "40"],
            2,
            "40 classes of 1 image, one of them with an image more, but the most there are is 5",
        ),
        (["eval", "--ways", "0"], 2, "--ways"),
        (["eval", "--ways", "20..1"], 2, "--ways"),
        (["eval", "--trials", "0"], 2, "trials = 0"),
        (["eval", "--protocol", "lake"], 2, "no published runs"),
        (["eval", "--protocol", "lake", "--shots", "5"], 2, "no choice of --shots 5"),
        (["eval", "--protocol", "verification"], 4, "no model"),
        (["eval", "--baselines", "hausdorf"], 2, "Did you mean 'hausdorff'"),
        (["report"], 4, "omnishot eval"),
        (["report", "models/x"], 2, "but evals are needed"),
        (["show", "nothing"], 4, "nothing"),
        (["ls", "modls"], 2, "Did you mean 'models'"),
        (["presets", "koc"], 2, "Did you mean 'koch'"),
        (["evall"], 2, "eval"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes(
    omnishot: Any, store: Path, picture_folder: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    before = sorted(path for path in store.rglob("*") if not path.match("*.lock"))
    given = [str(picture_folder) if argument == "PICTURES" else argument for argument in arguments]
    outcome = omnishot(*given, OMNISHOT_STORE=str(store), OMNISHOT_DATA=str(tmp_path))
    assert outcome.code == code, outcome.err
    assert words in " ".join(outcome.err.replace("│", " ").split())
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert sorted(path for path in store.rglob("*") if not path.match("*.lock")) == before


def test_settings_without_end_are_refused(omnishot: Any, store: Path, tmp_path: Path) -> None:
    endless = tmp_path / "endless.yaml"
    endless.write_text("# " + "x" * 2_000_000)
    outcome = omnishot("train", "--config", endless, "--store", store)
    assert outcome.code == 2
    assert "1,000,000 is the limit" in outcome.err


def test_cuda_without_cuda(omnishot: Any, store: Path) -> None:
    outcome = omnishot("train", "--preset", "quick", "--device", "cuda", "--store", store, CUDA_VISIBLE_DEVICES="")
    assert outcome.code == 6
    assert "--device cpu" in outcome.err


def test_an_empty_store_names_the_first_command(omnishot: Any, tmp_path: Path) -> None:
    for command, first in [("train", "omnishot prepare"), ("eval", "omnishot train"), ("report", "omnishot eval")]:
        outcome = omnishot(command, "--store", tmp_path / "none")
        assert outcome.code == 4
        assert first in outcome.err
    assert not (tmp_path / "none").exists()


def test_a_damaged_pair_dataset_is_named(omnishot: Any, picture_folder: Path, tmp_path: Path) -> None:
    omnishot("prepare", "--source", picture_folder, *SMALL, "--store", tmp_path)
    (path,) = tmp_path.glob("pairs/*/v1/pairs.h5")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1000])
    outcome = omnishot("train", "--preset", "quick", "--store", tmp_path)
    assert outcome.code == 4
    assert str(path) in outcome.err
    assert f"Make it again: `omnishot prepare --source {picture_folder}" in outcome.err


@pytest.mark.parametrize("stage", ["prepare", "train"])
@pytest.mark.slow
def test_a_full_disk_ends_with_its_own_code_and_leaves_nothing(
    picture_folder: Path, store: Path, tmp_path: Path, stage: str
) -> None:
    target = shutil.copytree(store, tmp_path / "artifacts")
    arguments = {
        "prepare": ["prepare", "--source", str(picture_folder), "--pairs", "5k", "--affine", "8"],
        "train": ["train", *QUICKLY, "--set", "epochs=1", "--set", "objective.batches_per_epoch=1"],
    }
    # A limit on the size of files stands in for a full disk: both come back as an error of the write call.
    line = f'ulimit -f 300; exec "{sys.executable}" -m omnishot "$@"'
    command = ["bash", "-c", line, "omnishot", *arguments[stage], "--store", str(target)]
    before = sorted(path for path in target.rglob("*") if not path.match("*.lock"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path for path in target.rglob("*") if not path.match("*.lock")) == before


def test_damaged_images_are_decoded_again(omnishot: Any, picture_folder: Path, tmp_path: Path) -> None:
    omnishot("prepare", "--source", picture_folder, *SMALL, "--store", tmp_path)
    (path,) = tmp_path.glob("images/*/v1/images.h5")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1000])
    again = omnishot("prepare", "--source", picture_folder, *SMALL, "--seed", "1", "--store", tmp_path)
    assert again.code == 0, again.err
    assert len(list(tmp_path.glob("images/*/v2/images.h5"))) == 1


def test_a_reader_that_has_enough_ends_the_program_quietly(store: Path) -> None:
    line = f'"{sys.executable}" -m omnishot ls --json --store "{store}" | true; echo ${{PIPESTATUS[0]}}'
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() in {"141", "0"}  # 0 where it had written everything before the reader ended.
    assert done.stderr == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.slow
def test_a_signal_keeps_a_checkpoint_that_resumes(
    omnishot: Any, store: Path, number: signal.Signals, code: int
) -> None:
    train = ["train", *QUICKLY, "--store", str(store), "--set", "epochs=2", "--set", "objective.batches_per_epoch=2"]
    train += ["--set", f"seed={int(number)}"]
    program = (  # Progress is told at every step, and the signal comes with the first one.
        "import os, omnishot.cli, omnishot.cli.console as console\n"
        "console._SECONDS_BETWEEN_LINES, say = 0, console.say\n"
        "def say_and_signal(text):\n"
        "    say(text)\n"
        f"    if text.startswith('Training'): os.kill(os.getpid(), {int(number)})\n"
        "console.say = say_and_signal\n"
        "omnishot.cli.main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, *train],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # Ignored where tests run in the background.
    ) as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == code, err
    assert "--resume" in err
    assert out == ""
    assert len(list((store / ".unfinished").iterdir())) == 1
    resumed = omnishot(*train, "--resume")
    assert resumed.code == 0, resumed.err
    assert resumed.out.startswith("models/quick:v")
    assert not list((store / ".unfinished").iterdir())
