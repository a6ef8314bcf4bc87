#!/usr/bin/env bash
# The set-up of a write-up that trains on pairs within one alphabet, with 12 drawers of all 30 background alphabets, 20,000 iterations of
# 128: network 1 (plain) against network 2 (the paper's initial weights and an L2 penalty). Published: 81 and 87 % on validation
# drawers, 65 and 67 % on the evaluation alphabets.
#
# What it measures: protocol `within`, 20 x 20 blocks by two drawers, as the benchmark's runs are, but drawn from all 20 evaluation alphabets. The
# validation drawers draw characters that were trained on: new hands, not new characters.
#
#   bash examples/writeups/within.sh [--small] [--budget MINUTES of each training] [--seed N]
set -euo pipefail
source "$(dirname "$0")/options.sh"

pairs=$(omnishot prepare --source omniglot --split drawers --negatives alphabet --pairs 2560k --affine 0)
measured=()
for network in within-plain within-l2; do
    model=$(omnishot train "$pairs" --preset $network "${settings[@]}" --name "$network$suffix")
    measured+=("$(omnishot eval "$model" --protocol within --ways 20 --trials 10000 --on validation --baselines none)")
    measured+=("$(omnishot eval "$model" --protocol within --ways 20 --trials 10000)")
    measured+=("$(omnishot eval "$model" --protocol lake)")
done
omnishot report "${measured[@]}"
