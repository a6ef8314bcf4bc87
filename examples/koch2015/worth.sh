#!/usr/bin/env bash
# What the affine variants, the split and the negatives are each worth: four networks that differ in one thing only, on the same trials,
# paired; and what the protocol is worth: the first of them under each. Takes the options of tables.sh, and its last cell's networks.
#
#   bash examples/koch2015/worth.sh --config examples/koch2015/koch35-cpu.yaml
set -euo pipefail
source "$(dirname "$0")/options.sh"

most=${cells##* }
for seed in $seeds; do
    # Train on a pair dataset; prints the model, under the name that tables.sh gives it where it makes the same one.
    network() {
        local called=$1 pairs
        shift
        pairs=$(omnishot prepare --source omniglot "$@") || return # `set -e` does not reach into $(…).
        train "$pairs" "${settings[@]}" --set "seed=$seed" --name "$name-$called"
    }
    as_paper=$(network "${most%/*}-affine${most#*/}-seed$seed" --split koch --pairs "${most%/*}" --affine "${most#*/}")
    no_variants=$(network "${most%/*}-affine0-seed$seed" --split koch --pairs "${most%/*}" --affine 0)
    other_split=$(network "lake-seed$seed" --split lake --pairs "${most%/*}" --affine "${most#*/}")
    hard_negatives=$(network "negatives-seed$seed" --split koch --pairs "${most%/*}" --affine "${most#*/}" --negatives alphabet)

    # The images of split koch's test part, which none of the four has seen.
    networks=("$as_paper" "$no_variants" "$other_split" "$hard_negatives")
    measure "${networks[@]}" --source omniglot --protocol within --ways 20 --trials 10000 --name "worth-$name-within-seed$seed"
    measure "${networks[@]}" --source omniglot --protocol lake --baselines none --name "worth-$name-lake-seed$seed"
    measure "${networks[@]}" --source omniglot --protocol verification --name "worth-$name-verification-seed$seed"
    measure "$as_paper" --source omniglot --protocol between --ways 20 --trials 10000 --name "worth-$name-between-seed$seed"
done

omnishot report "${measured[@]}"
