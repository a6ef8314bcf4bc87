#!/usr/bin/env bash
# The set-up of a write-up on learning rates: Adam 3e-4, decay 2e-4 (1e-3 on the head), 30k to 150k pairs with 8 variants each, stopped
# by verification accuracy; rate x 0.99 per epoch against triangular and triangular2 per batch (1e-6 to 3e-4, steps of 500). Published: 90.43,
# 91.06 and 87.90 % verification, 75.5 % at 20 ways between alphabets.
#
# What it measures: verification is chosen and reported on pairs, of which half show two alphabets' characters, and says little of
# one-shot classification; protocol `between` is easier than the benchmark's.
#
#   bash examples/writeups/schedules.sh [--small] [--budget MINUTES of each training] [--seed N]      PAIRS=30k|90k|150k (default 30k)
set -euo pipefail
source "$(dirname "$0")/options.sh"

pairs=$(omnishot prepare --source omniglot --split koch --pairs "${PAIRS:-30k}" --affine 8)
measured=()
for schedule in exponential triangular triangular2; do
    chosen=()
    [ $schedule = exponential ] || chosen=(--set "schedule={kind: $schedule, lowest: 0.0033, steps: 500}")
    model=$(omnishot train "$pairs" --preset adam-verification "${settings[@]}" "${chosen[@]}" --name "$schedule$suffix")
    measured+=("$(omnishot eval "$model" --protocol verification)")
    measured+=("$(omnishot eval "$model" --protocol between --ways 20 --trials 10000)")
    measured+=("$(omnishot eval "$model" --protocol lake)")
done
omnishot report "${measured[@]}"
