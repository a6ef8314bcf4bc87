#!/usr/bin/env bash
# Makes .venv with the development tools, installs the package into it, and runs ruff, mypy and pytest.
# Arguments go to pytest: `bash tests/run.sh -k hausdorff`.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt '.[dev]'
# Not editable: what is tested is what a user would install.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .

.venv/bin/ruff check omnishot tests
.venv/bin/ruff format --check omnishot tests
.venv/bin/mypy
.venv/bin/python -m pytest "$@"
