#!/usr/bin/env bash
# Tables 1 to 3 of Koch, Zemel & Salakhutdinov 2015, cell by cell, ours beside theirs. What is made is not made again, and what
# was interrupted goes on: run it as often as it takes.
#
#   bash examples/koch2015/tables.sh                                                  the paper's network in full: for a CUDA device
#   bash examples/koch2015/tables.sh --config examples/koch2015/koch35-cpu.yaml       the reduced network, minutes a cell: for a CPU
#   bash examples/koch2015/tables.sh --config tuned.yaml                              settings that `omnishot tune` has found
#
# --budget N ends the training of each cell after N minutes. --cells "30k/0 90k/8" chooses cells of table 1 (pairs/variants),
# --seeds "0 1 2" repeats each.
set -euo pipefail
source "$(dirname "$0")/options.sh"

for cell in $cells; do
    pairs=$(omnishot prepare --source omniglot --split koch --pairs "${cell%/*}" --affine "${cell#*/}")
    for seed in $seeds; do
        called="$name-${cell%/*}-affine${cell#*/}-seed$seed"
        model=$(train "$pairs" "${settings[@]}" --set "seed=$seed" --name "$called")
        measure "$model" --protocol verification --name "table1-$called"
        measure "$model" --protocol lake --baselines none --name "table2-$called"
        # Table 3 has the network of the last cell: digits upsampled to 35 x 35, of which it has seen none.
        [ "$cell" = "${cells##* }" ] && [ -e "${OMNISHOT_DATA:-$HOME/.cache/omnishot}/mnist" ] || continue
        measure "$model" --source mnist --ways 10 --protocol between --trials 400 --name "table3-$called"
        measure "$model" --source mnist --ways 10 --protocol between --trials 10000 --name "table3-$called-10000"
    done
done

# Table 2 again, by the data set's own rule: the evaluation alphabets are for the test alone.
pairs=$(omnishot prepare --source omniglot --split lake --pairs "${cell%/*}" --affine "${cell#*/}")
for seed in $seeds; do
    model=$(train "$pairs" "${settings[@]}" --set "seed=$seed" --name "$name-lake-seed$seed")
    measure "$model" --protocol lake --name "table2-$name-lake-seed$seed"
done

omnishot report "${measured[@]}"
