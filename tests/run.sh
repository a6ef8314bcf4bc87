#!/usr/bin/env bash
# Makes .venv with the development tools, installs the package into it, and runs ruff, mypy and pytest.
# `bash tests/run.sh --fast` leaves out the tests that take seconds. What else is given goes to pytest:
# `bash tests/run.sh -k hausdorff`, `bash tests/run.sh -n 0 --pdb`.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --fast ]; then
    shift
    set -- -m "not slow" "$@"
fi

took="" running="" began=0
timed() {
    running=$1 began=$SECONDS
    shift
    "$@"
    took+="  $running $((SECONDS - began)) s" running=""
}
trap 'echo "Took:$took${running:+  $running $((SECONDS - began)) s, where it ended}"' EXIT

set_up() {
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
    [ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
    if [ pyproject.toml -nt .venv/installed ] || [ tests/constraints.txt -nt .venv/installed ]; then
        "${pip[@]}" -c tests/constraints.txt '.[dev]'
        touch .venv/installed
    fi
    # Not editable: what is tested is what a user would install.
    "${pip[@]}" --no-deps --force-reinstall --no-build-isolation .
}

check_style() {
    .venv/bin/ruff check omnishot tests
    .venv/bin/ruff format --check omnishot tests
}

timed installation set_up
timed ruff check_style
timed mypy .venv/bin/mypy
# A worker a core, but no more than eight, each of which imports torch; who has done its half takes from the other's.
workers=$(.venv/bin/python -P -c 'from omnishot.machine import cores; print(min(8, cores()))')
timed pytest .venv/bin/pytest -n "$workers" --dist worksteal "$@"
