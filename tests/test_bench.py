"""The benches of speed at a tiny size: what they print can be read, and is possible."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import omnishot
from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import draw_within
from omnishot.evaluation.embedding import embed
from omnishot.evaluation.oneshot import score_trials
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels, read_pixels
from omnishot.formats.pairs import read_split
from omnishot.model.device import choose_compute
from omnishot.model.siamese import build_network

BENCH = Path(__file__).parent / "bench"
sys.path.append(str(BENCH))

import measuring  # noqa: E402
import scaling  # noqa: E402
from blots import draw_blots  # noqa: E402
from engines import sized  # noqa: E402
from evaluate import MOST_WAYS, disagreements  # noqa: E402
from measuring import Column, CommandError, Rows, count, figures, machine, run_measured, timed  # noqa: E402

PYTHON = [sys.executable, "-I", "-S", "-c"]
MEGABYTE = 1_000_000
KOCH35_PRODUCTS = {
    "conv1": 32**2 * 64 * 4**2,
    "conv2": 14**2 * 128 * 64 * 3**2,
    "conv3": 6**2 * 128 * 128 * 2**2,
    "conv4": 2**2 * 256 * 128 * 2**2,
    "dense": 256 * 2**2 * 4096,
}
"""Multiplications of an image's way through the twin."""


@pytest.fixture(scope="session")
def twenty_ways_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three alphabets of twenty classes of four PNG files, each drawing a few blots away from its class."""
    return draw_blots(tmp_path_factory.mktemp("pictures") / "blots", n_alphabets=3, n_classes=60)


def bench(name: str, source: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run a bench and return its rows; the first line has the machine."""
    command = [sys.executable, str(BENCH / name), "--json", "--source", str(source), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    first, *rows = map(json.loads, done.stdout.splitlines())
    assert first["machine"]["threads"] == "1"
    return rows


@pytest.mark.slow
def test_prepare_makes_a_file_that_grows_as_its_format_says(picture_folder: Path) -> None:
    sizes = ["--pairs", "1k", "--pairs", "20k", "--materialize", "1k"]
    rows = bench("prepare.py", picture_folder, *sizes, "--affine", "2")
    first, small, large, rendered = rows
    assert [row["run"] for row in rows] == ["images, first time", "prepare", "prepare", "prepare --materialize"]
    assert [row["pairs"] for row in rows] == [None, 1000, 20_000, 1000]
    assert [row["variants"] for row in rows] == [None, 3000, 60_000, 3000]
    # Two indices, a truth value, and seven numbers for each side of each variant that is not the pair itself.
    bytes_per_pair = 4 + 4 + 1 + 2 * 2 * 7 * 4
    assert large["file_bytes"] - small["file_bytes"] == pytest.approx(19_000 * bytes_per_pair, rel=0.01)
    assert first["file_bytes"] < small["file_bytes"] < rendered["file_bytes"]
    for row in rows:
        assert row["cpu_seconds"] > 0.05
        assert 0.05 < row["seconds"] < 60
        assert 20 * MEGABYTE < row["peak_bytes"] < 1500 * MEGABYTE
        assert row["variants"] is None or row["bytes_per_variant"] == row["file_bytes"] / row["variants"]


@pytest.mark.slow
def test_both_ways_to_evaluate_agree_and_one_is_faster(twenty_ways_folder: Path) -> None:
    options = ["--trials", "1", "--trials", "60", "--share-seconds", "1.5", "--repeat", "2"]
    rows = bench("evaluate.py", twenty_ways_folder, "--twin", "conv4", *options)
    assert [(row["twin"], row["weights"], row["trials"]) for row in rows] == [("conv4", "fresh", n) for n in (1, 60)]
    for row in rows:
        assert row["measured_trials"] % MOST_WAYS == 0
        assert 0 < row["measured_trials"] <= MOST_WAYS * row["trials"]
        assert row["ratio"] == pytest.approx(row["trial_by_trial_seconds"] / row["our_seconds"])
        assert row["ratio"] > 1
        assert row["unexplained"] == 0
    assert rows[0]["images_embedded"] == 1 + MOST_WAYS
    assert rows[1]["images_embedded"] == 20 * 4  # All test images there are, each once.


@pytest.mark.slow
def test_two_processes_train_what_one_trains(picture_folder: Path) -> None:
    options = ["--steps", "6", "--batch", "16", "--processes", "2", "--precision", "fp32"]
    facts, one, two, losses = bench("scaling.py", picture_folder, "--what", "processes", *options)
    assert facts == {"processes": {"preset": "koch35", "batch": 16, "pairs": 96}}
    assert [(row["processes"], row["threads"]) for row in (one, two)] == [(1, 1), (2, max(1, machine()["cores"] // 2))]
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)
    assert losses["losses"]["largest_difference"] == pytest.approx(abs(two["loss"] - one["loss"]))
    assert (one["share"], two["share"]) == (1, two["pairs_per_second"] / one["pairs_per_second"])
    # There, and back for weights and images; the image of the first convolution has no gradient.
    flops_per_pair = 2 * 2 * (3 * sum(KOCH35_PRODUCTS.values()) - KOCH35_PRODUCTS["conv1"])
    for row in (one, two):
        assert 5 < row["pairs_per_second"] < 100_000
        assert row["flops_per_second"] / row["pairs_per_second"] == pytest.approx(flops_per_pair, rel=0.01)
        assert 200 * MEGABYTE < row["peak_bytes"] < 1500 * MEGABYTE


@pytest.mark.slow
def test_streaming_needs_less_memory_and_trains_the_same(tmp_path: Path) -> None:
    options = ["--images", "12k", "--batch", "16", "--seconds", "0.3"]
    facts, *rows, losses = bench("scaling.py", tmp_path, "--what", "images", *options)
    write, device, file, trials = rows
    assert facts == {"images": {"preset": "koch35", "batch": 16}}
    assert {row["images"] for row in rows} == {12_000}
    assert 12_000 * 50 < write["file_bytes"] < 12_000 * 1000
    assert device["loss"] == pytest.approx(file["loss"], rel=1e-6)
    assert losses["losses"]["largest_difference"] == abs(device["loss"] - file["loss"])
    assert (device["share"], file["share"]) == (1, file["pairs_per_second"] / device["pairs_per_second"])
    assert file["pairs_per_second"] > 5
    assert 0.1 < device["first_step_seconds"] < file["first_step_seconds"] < 60
    training_bytes = 10_000 * 105 * 105  # Ten of the twelve alphabets.
    assert device["peak_bytes"] - file["peak_bytes"] == pytest.approx(training_bytes, rel=0.3)
    assert file["readers_bytes"] > 2 * 50 * MEGABYTE
    assert device["readers_bytes"] is None
    assert trials["images_embedded"] == 2000
    assert 0 < write["seconds"] < trials["seconds"] * 60


@pytest.mark.slow
def test_longer_vectors_have_more_parameters(tmp_path: Path) -> None:
    options = ["--dimension", "8", "--batch", "16", "--seconds", "0.2"]
    _, row = bench("scaling.py", tmp_path, "--what", "dimension", *options)
    convolutions = 64 * (16 + 1) + 128 * (64 * 9 + 1) + 128 * (128 * 4 + 1) + 256 * (128 * 4 + 1)
    assert row["parameters"] == convolutions + 8 * (256 * 2 * 2 + 1) + 8 + 1
    assert 5 < row["pairs_per_second"] < 2 * row["images_per_second"]
    assert 0.001 < row["trials_seconds"] < 20
    assert 200 * MEGABYTE < row["peak_bytes"] < 1500 * MEGABYTE


@pytest.mark.parametrize(("groups", "agree"), [([], True), ([[0.7, 0.70006]], True), ([[1, 1], [0.7, 0.7001]], False)])
def test_losses_agree_where_rounding_explains_their_difference(groups: list[list[float]], agree: bool) -> None:
    assert scaling.tell_differences(groups, 1e-4, as_json=True) is agree


def test_the_longest_vectors_are_those_of_koch35() -> None:
    ours, theirs = sized.network_of(4096), build_network("koch35")
    assert {name: weight.shape for name, weight in ours.state_dict().items()} == {
        name: weight.shape for name, weight in theirs.state_dict().items()
    }


def test_trials_from_vectors_that_are_there_score_as_with_the_twin(tmp_path: Path) -> None:
    sized.write_dataset(tmp_path / "pairs.h5", 800)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.h5"]
    with open_hdf5(tmp_path / "pairs.h5") as file:
        index = ClassIndex.of(read_labels(file), read_split(file).test)
        pixels = torch.from_numpy(read_pixels(file))
    network, compute = sized.network_of(8), choose_compute("cpu", "fp32")
    trials = draw_within(index, 15, 20, 1, rng=np.random.default_rng(0))
    vectors = embed(network, pixels, sized.images_of(trials), compute)
    expected = score_trials(network, pixels, trials, compute)
    assert expected.std() > 0
    np.testing.assert_allclose(sized.score_embedded(network, vectors, trials), expected, rtol=1e-6)


@pytest.mark.parametrize("n_images", [800, 1000, 2030, 12_345])
def test_drawn_images_can_be_tested_on_and_are_the_same_in_any_block(n_images: int) -> None:
    images, split = sized.drawn_images(n_images)
    assert len(images.labels) == n_images == len(split.train) + len(split.test)
    sizes = np.concatenate([ClassIndex.of(images.labels, part).alphabet_sizes for part in (split.train, split.test)])
    assert sizes.min() >= 20
    assert sizes.max() <= 50
    some, last = images.pixels[700:750], images.pixels[n_images - 5 : n_images + 5]
    np.testing.assert_array_equal(images.pixels[690:760][10:60], some)
    assert (some.shape, last.shape) == ((50, 105, 105), (5, 105, 105))
    assert set(np.unique(some)) == {0, 255}
    difference = (some[:20] != some[1:21]).mean(axis=(1, 2))  # Image 720 is the first of its class.
    assert difference[19] > 2 * difference[:19].mean() > 0


def test_images_too_few_for_twenty_ways_are_refused() -> None:
    with pytest.raises(ValueError, match="need 800 images, not 799"):
        sized.drawn_images(799)


def test_a_disagreement_counts_as_rounding_only_where_the_lead_is_that_small() -> None:
    scores = np.tile(np.linspace(-1, -2, MOST_WAYS, dtype=np.float32), (3, 1))
    scores[1:, 0] = -3
    scores[1, 5] = np.float32(-3 + 2e-4)
    scores[1, 1:5] = scores[1, 6:] = -4  # Trial 1 is lost by a hair from 6 ways on, trial 2 by far from 2 ways on.
    right = np.zeros((MOST_WAYS, 3), dtype=np.int64)
    answers = right.copy()
    answers[5:, 1], answers[1:, 2] = 5, 1
    assert disagreements(scores, answers, 1e-4) == (0, 0)
    assert disagreements(scores, right, 1e-4) == (15 + 19, 19)
    assert disagreements(scores, right, 4e-5) == (15 + 19, 15 + 19)


def test_peak_memory_is_that_of_the_command_and_not_of_who_measures() -> None:
    ballast = b"x" * (300 * MEGABYTE)
    small = run_measured([*PYTHON, "pass"])
    assert MEGABYTE < small.peak_bytes < len(ballast) / 4
    large = run_measured([*PYTHON, "held = b'x' * 200_000_000; del held; print(open('/proc/self/status').read())"])
    (peak,) = (line.split()[1:] for line in large.stdout.splitlines() if line.startswith("VmHWM"))
    assert peak[1] == "kB"  # Of 1024 bytes, whatever it says.
    assert large.peak_bytes == pytest.approx(int(peak[0]) * 1024, rel=0.01)
    assert large.peak_bytes >= 200 * MEGABYTE


def test_seconds_are_those_of_the_command() -> None:
    slept = run_measured([*PYTHON, "import time; time.sleep(0.4)"])
    worked = run_measured([*PYTHON, "import time\nwhile time.process_time() < 0.4: pass"])
    assert slept.seconds >= 0.4
    assert slept.cpu_seconds < 0.3
    assert 0.4 <= worked.cpu_seconds <= worked.seconds + 0.1


def test_a_failing_command_raises_with_its_last_words() -> None:
    program = "import sys; sys.stderr.write('x' * 1_000_000 + 'out of ink'); print('y' * 1_000_000); sys.exit(7)"
    with pytest.raises(CommandError, match=r"ended with 7:\nx{1000,}out of ink$") as raised:
        run_measured([*PYTHON, program])
    assert len(str(raised.value)) < 3000
    done = run_measured([*PYTHON, program], check=False)
    assert (done.exit_status, len(done.stdout)) == (7, 1_000_001)
    killed = run_measured([*PYTHON, "import os; os.kill(os.getpid(), 9)"], check=False)
    assert killed.exit_status == -9
    with pytest.raises(CommandError, match=r"no-such-program could not be started(.|\n)*No such file"):
        run_measured(["no-such-program"])


def test_a_command_gets_the_environment_it_is_given() -> None:
    done = run_measured([*PYTHON, "import os; print(os.environ['INK'], 'HOME' in os.environ)"], {"INK": "black"})
    assert done.stdout == "black False\n"


def test_an_interrupted_bench_leaves_no_command_behind(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    sleeper = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(6000)"
    program = f"from measuring import run_measured; run_measured({[*PYTHON, sleeper]!r})"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=BENCH,
        env={**os.environ, "PYTHONSAFEPATH": ""},  # What lies in its folder can be imported.
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # In the background it is ignored.
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or (noted.exists() and noted.read_text() != ""))
            process.send_signal(signal.SIGINT)
            assert process.wait(600) != 0
        finally:
            process.kill()
    wait_until(lambda: not is_running(int(noted.read_text())))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


ROWS: list[dict[str, Any]] = [
    {"name": "a|b", "pairs": 1_350_000, "seconds": 0.123456},
    {"name": "c", "pairs": None, "seconds": 12345.6},
]
COLUMNS = [Column("name", is_text=True), Column("pairs", count, width=9), Column("seconds", figures)]


def test_rows_are_an_aligned_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Rows(COLUMNS, as_json=False)
    rows.facts(machine={"cores": 2})
    for row in ROWS:
        rows.row(**row)
    assert capsys.readouterr().out.splitlines() == [
        "machine: cores 2",
        "",
        "| name     |     pairs |  seconds |",
        "|----------|----------:|---------:|",
        "| a\\|b     | 1,350,000 |    0.123 |",
        "| c        |           |   12,346 |",
    ]


def test_rows_in_json_are_as_measured(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Rows(COLUMNS, as_json=True)
    for row in ROWS:
        rows.row(**row)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


@pytest.mark.parametrize("wrong", [{"name": "a", "pairs": 1}, {"name": "a", "pairs": 1, "seconds": 1.0, "minutes": 2}])
def test_a_row_with_other_columns_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"differ in (seconds|minutes)$"):
        Rows(COLUMNS, as_json=True).row(**wrong)


def test_a_call_is_timed_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    now, naps = 0.0, iter([0.01, 0.2, 0.05])

    def nap() -> float:
        nonlocal now
        now += (seconds := next(naps))
        return seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    timing = timed(nap, repeats=3)
    assert timing.least == pytest.approx(0.01)
    assert timing.median == pytest.approx(0.05)
    assert timing.result == 0.05


def test_numbers_keep_three_figures() -> None:
    shown = [figures(number) for number in (0.01234, 0.1234, 1.234, 12.34, 123.4, 12345.6)]
    assert shown == ["0.0123", "0.123", "1.23", "12.3", "123", "12,346"]


def test_the_machine_is_described_in_json() -> None:
    facts = json.loads(json.dumps(machine()))
    assert facts["cores"] >= 1
    assert facts["processor"]
    assert facts["torch"][0].isdigit()
    assert facts["device"] == "cpu"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_code_that_is_not_the_commits_is_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    monkeypatch.setattr(measuring, "REPOSITORY", tmp_path)
    package = Path(omnishot.__file__).parent
    shutil.copytree(package, tmp_path / "omnishot", ignore=shutil.ignore_patterns("__pycache__"))
    assert (machine()["commit"], machine()["dirty"]) == (None, None)
    git("init")
    git("add", ".")
    git("commit", "-m", "What is installed")
    assert len(machine()["commit"]) == 40
    assert machine()["dirty"] is False
    with (tmp_path / "omnishot" / "errors.py").open("a") as file:
        file.write("# Changed.\n")
    assert machine()["dirty"] is True
    git("commit", "-a", "-m", "What is not installed")
    assert machine()["dirty"] is True


@pytest.mark.slow
def test_drawings_of_another_look_are_read_better_once_they_are_prepared(omniglot_folder: Path) -> None:
    arguments = ["--set", "thin", "--trials", "60", "--drawers", "2", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "", "OMNISHOT_OFFLINE": "1"}
    command = [sys.executable, str(BENCH / "own_images.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    _, *rows = map(json.loads, done.stdout.splitlines())
    assert [row["method"] for row in rows] == ["pixels", "as read", "prepared"]
    accuracy = {row["method"]: row["accuracy"] for row in rows}
    assert accuracy["prepared"] > accuracy["as read"] + 0.2
    assert all(row["trials"] == 60 and 0 <= row["ci95"][0] <= row["accuracy"] <= row["ci95"][1] <= 1 for row in rows)


def test_a_gallery_is_searched_as_numpy_would_and_needs_less_memory() -> None:
    command = [sys.executable, str(BENCH / "gallery.py"), "--examples", "50000", "--dimensions", "64", "--queries", "3"]
    done = subprocess.run(
        [*command, "--repeat", "1", "--json"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONSAFEPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert (row["examples"], row["dimensions"], row["queries"]) == (50_000, 64, 3)
    assert 0 < row["peak_bytes"] < row["numpy_peak_bytes"] / 4
    assert row["ratio"] == pytest.approx(row["seconds"] / row["numpy_seconds"])
