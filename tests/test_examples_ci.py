"""The pipeline example runs, writes its summary, and stops at its gates; the workflow calls what there is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.tiny import CHANGES, setting

CI = Path(__file__).parents[1] / "examples" / "ci"
TINY = ["--device", "cpu", *setting(*CHANGES, "objective.batches_per_epoch=2")]
REAL = f'#!/bin/sh\nexec "{sys.executable}" -m omnishot "$@"\n'
FAKE = """#!/bin/sh
echo "$*" >> "$CALLS"
case $1 in
    prepare) echo pairs/p:v1 ;;
    train) echo models/m:v1 ;;
    eval) echo evals/new:v1 ;;
    report) echo "### Accuracy"; case $* in *fail-under*) exit ${REPORT:-0} ;; esac ;;
    doctor) echo '{"code": {"models": "of-here"}}' ;;
    show) case $2 in models/*) echo '{"code": "'${CODE:-of-here}'"}' ;; esac ;;
    diff) echo differences; echo "the verdict" >&2; exit ${DIFF:-0} ;;
esac
"""


def check(folder: Path, program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a program for `omnishot`, in an empty folder but for what earlier runs left."""
    shim = folder / "bin" / "omnishot"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(program)
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNISHOT_", "GITHUB_"))}
    given = {"PATH": f"{shim.parent}:{os.environ['PATH']}", "OMNISHOT_OFFLINE": "1", "CALLS": str(folder / "calls")}
    return subprocess.run(
        ["bash", CI / "check.sh", *arguments],
        capture_output=True, text=True, check=False, cwd=folder, env={**kept, **given, **settings}, timeout=600,
    )  # fmt: skip


@pytest.mark.slow
def test_a_small_pipeline_on_glyphs_writes_its_summary_and_its_baseline(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = check(
        tmp_path, REAL, *TINY, SOURCE="glyphs", PAIRS="100", WAYS="5", TRIALS="40", FLOOR="0", KEEP="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| method | task | accuracy |" in summary.read_text()
    assert (tmp_path / "artifacts/baseline-glyphs-100-5-way-40").read_text() == "evals/quick-within:v1\n"


def test_the_gates_end_the_script_and_only_what_passes_becomes_the_baseline(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline"
    assert check(tmp_path, FAKE, KEEP="true", BASELINE=str(baseline), REPORT="3").returncode == 3
    assert not baseline.exists()
    baseline.write_text("evals/old:v1\n")
    (tmp_path / "artifacts/evals/old/v1").mkdir(parents=True)
    worse = check(tmp_path, FAKE, KEEP="true", BASELINE=str(baseline), DIFF="3")
    assert worse.returncode == 3
    assert "> the verdict" in worse.stdout
    assert "differences" not in worse.stdout
    assert baseline.read_text() == "evals/old:v1\n"
    assert "diff evals/old:v1 evals/new:v1 --tolerance accuracy=0.02\n" in (tmp_path / "calls").read_text()
    assert check(tmp_path, FAKE, KEEP="true", BASELINE=str(baseline)).returncode == 0
    assert baseline.read_text() == "evals/new:v1\n"


def test_a_baseline_that_cannot_be_compared_is_replaced(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline"
    baseline.write_text("evals/old:v1\n")
    (tmp_path / "artifacts/evals/old/v1").mkdir(parents=True)
    done = check(tmp_path, FAKE, KEEP="true", BASELINE=str(baseline), DIFF="2")
    assert done.returncode == 0
    assert "> the verdict" in done.stdout
    assert baseline.read_text() == "evals/new:v1\n"
    assert check(tmp_path, FAKE, TOLERANCE="2%").returncode == 2


def test_a_baseline_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "baseline").write_text("evals/old:v1\n")
    done = check(tmp_path, FAKE, BASELINE=str(tmp_path / "baseline"), DIFF="3")
    assert done.returncode == 0
    assert "diff " not in (tmp_path / "calls").read_text()


def test_a_baseline_that_is_damaged_ends_the_script(tmp_path: Path) -> None:
    (tmp_path / "baseline").write_text("evals/old:v1\n")
    (tmp_path / "artifacts/evals/old/v1").mkdir(parents=True)  # Without a manifest, of which `diff` says so.
    assert check(tmp_path, FAKE, BASELINE=str(tmp_path / "baseline"), DIFF="4").returncode == 4


def test_a_model_of_other_code_is_trained_again_before_it_is_judged(tmp_path: Path) -> None:
    for code, n_trained in (("of-here", 1), ("of-before", 2)):
        (tmp_path / "calls").unlink(missing_ok=True)
        done = check(tmp_path, FAKE, CODE=code)
        assert done.returncode == 0
        assert "models/m:v1 was trained by the code of-here" in done.stdout
        trained = [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("train ")]
        assert len(trained) == n_trained
        assert ("--force" in trained[-1]) is (n_trained == 2)


def test_the_workflow_keeps_stores_of_one_code_apart() -> None:
    steps = yaml.safe_load((CI / "one-shot.yml").read_text("utf-8"))["jobs"]["accuracy"]["steps"]
    names = [step.get("id", "") for step in steps]
    (cache,) = [number for number, step in enumerate(steps) if "actions/cache" in step.get("uses", "")]
    assert names.index("code") < cache
    assert "steps.code.outputs.models" in steps[cache]["with"]["key"]


@pytest.mark.parametrize("stage", ["prepare", "train", "eval"])
def test_a_stage_that_fails_ends_the_script(tmp_path: Path, stage: str) -> None:
    assert check(tmp_path, FAKE.replace(f"{stage}) ", f"{stage}) exit 4; ")).returncode == 4


def test_the_workflow_is_yaml_and_runs_the_script() -> None:
    workflow = yaml.safe_load((CI / "one-shot.yml").read_text("utf-8"))
    steps = workflow["jobs"]["accuracy"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert any(command.startswith("bash examples/ci/check.sh ") for command in commands)
    cached = next(step["with"] for step in steps if "actions/cache" in step.get("uses", ""))
    assert workflow["jobs"]["accuracy"]["env"]["OMNISHOT_STORE"] in cached["path"].split()
