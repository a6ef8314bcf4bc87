#!/usr/bin/env bash
# From nothing to accuracy tables: makes .venv, installs omnishot, then prepare, train, eval, report and identify.
# Uses Omniglot if it lies in $OMNISHOT_DATA/omniglot or can be downloaded, else the built-in glyphs.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x .venv/bin/python ]; then
    echo "Making .venv; this downloads PyTorch, so it can take minutes" >&2
    "${PYTHON:-python3}" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt .
export PATH="$PWD/.venv/bin:$PATH"
if [ -z "${OMNISHOT_DATA:-}" ] && [ -d ../shared/omniglot ]; then # Data beside the checkout.
    OMNISHOT_DATA=$(cd ../shared && pwd)
    export OMNISHOT_DATA
fi

pairs=$(omnishot prepare --source auto --pairs 90k --affine 8)
model=$(omnishot train "$pairs")
omnishot eval "$model" --ways 20 --quiet > /dev/null
omnishot eval "$model" --ways 1..20 --protocol within --quiet > /dev/null
omnishot eval "$model" --protocol verification --quiet > /dev/null
omnishot report

# What it is for: ten characters of an alphabet that the network never saw, enrolled from one drawing each.
drawings=$(mktemp -d)
trap 'rm -rf "$drawings"' EXIT
.venv/bin/python examples/drawings.py "$drawings"
omnishot enroll characters "$drawings/enrolled" --replace --quiet > /dev/null
omnishot calibrate characters --source "$drawings/others" --accept-strangers 5% > /dev/null
omnishot identify characters "$drawings"/later/*.png "$drawings/stranger.png" --quiet
echo "The program is .venv/bin/omnishot; \`omnishot ls\` lists what was made in ./artifacts." >&2
