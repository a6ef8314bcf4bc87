#!/usr/bin/env bash
# The set-up of the best-known write-up (S. Bouma 2017): preset bouma2017, and its four curves for N = 1, 3, ..., 19 with 50
# trials each: the network on its training alphabets and on held-out ones, nearest neighbour, and guessing.
#
# What it measures: protocol `between`. Classes come from different alphabets, which look different, so that the task is easier
# than the benchmark's; 50 trials resolve 2 points, and their interval is ten points wide. The write-up validates on the evaluation
# alphabets and reports on the same; here five background alphabets are held out for it, and the test alphabets stay unseen.
#
#   bash examples/writeups/iterations.sh                    in full: for a CUDA device
#   bash examples/writeups/iterations.sh --small            the reduced network at 35 x 35
#   bash examples/writeups/iterations.sh --small --budget 10       ten minutes of training
set -euo pipefail
source "$(dirname "$0")/options.sh"

pairs=$(omnishot prepare --source omniglot --split lake --pairs 640k --affine 0)
model=$(omnishot train "$pairs" --preset bouma2017 "${settings[@]}" --name "bouma2017$suffix")
ways=1,3,5,7,9,11,13,15,17,19
train=$(omnishot eval "$model" --protocol between --ways $ways --trials 50 --on train --baselines none)
held_out=$(omnishot eval "$model" --protocol between --ways $ways --trials 50 --on validation)
more=$(omnishot eval "$model" --protocol between --ways $ways --trials 10000 --on validation)
benchmark=$(omnishot eval "$model" --protocol lake)
omnishot report "$train" "$held_out" "$more" "$benchmark"
