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

took=""
trap 'echo "Took:$took"' EXIT
timed() {
    local name=$1 began=$SECONDS status=0
    shift
    "$@" || status=$?
    took+="  $name $((SECONDS - began)) s"
    [ "$status" = 0 ] || took+=" (failed)"
    return "$status"
}

# Bash forgets `set -e` inside these, as `timed` asks for their status: so each line says itself that it may fail.
set_up() {
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
    [ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv || return
    if [ pyproject.toml -nt .venv/installed ] || [ tests/constraints.txt -nt .venv/installed ]; then
        "${pip[@]}" -c tests/constraints.txt '.[dev]' && touch .venv/installed || return
    fi
    # Not editable: what is tested is what a user would install.
    "${pip[@]}" --no-deps --force-reinstall --no-build-isolation .
}

check_style() {
    .venv/bin/ruff check omnishot tests && .venv/bin/ruff format --check omnishot tests
}

timed installation set_up
timed ruff check_style
# mypy runs beside the tests, of which many wait, and says what it has found when they are done.
.venv/bin/mypy > .venv/mypy.out 2>&1 &
mypy=$!
# A worker a core, but no more than eight, each of which imports torch; who has done its half takes from the other's.
workers=$(.venv/bin/python -P -c 'from omnishot.machine import cores; print(min(8, cores()))')
status=0
timed pytest .venv/bin/pytest -n "$workers" --dist worksteal "$@" || status=$?
timed "mypy, after that," wait "$mypy" || status=$?
cat .venv/mypy.out
exit "$status"
