#!/usr/bin/env bash
# Tables 1 to 3 of Koch, Zemel & Salakhutdinov 2015, cell by cell, ours beside theirs. What is made is not made again, and what
# was interrupted goes on: run it as often as it takes.
#
#   bash examples/koch2015/tables.sh                                   the paper's network in full: for a CUDA device
#   bash examples/koch2015/tables.sh --preset koch35 --budget 10       the reduced network, ten minutes a cell: for a CPU
#   bash examples/koch2015/tables.sh --config tuned.yaml               settings that `omnishot tune` has found
#
# --budget N ends the training of each cell after N minutes. --cells "30k/0 90k/8" chooses cells of table 1 (pairs/variants).
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH="$PWD/.venv/bin:$PATH"
if [ -z "${OMNISHOT_DATA:-}" ] && [ -d ../shared/omniglot ]; then # Data beside the checkout.
    OMNISHOT_DATA=$(cd ../shared && pwd)
    export OMNISHOT_DATA
fi

settings=(--preset koch) name=koch budget="" cells="30k/0 30k/8 90k/0 90k/8 150k/0 150k/8" seeds="0"
while [ $# -gt 0 ]; do
    case $1 in
    --preset) settings=(--preset "$2") name=$2 ;;
    --config) settings=(--config "$2") name=$(basename "${2%.*}") ;;
    --budget) budget=$2 ;;
    --cells) cells=$2 ;;
    --seeds) seeds=$2 ;;
    *) echo "unknown option $1; the head of $0 lists them" >&2 && exit 2 ;;
    esac
    shift 2
done
[ -z "$budget" ] || settings+=(--set "max_minutes=$budget")

# Continue an interrupted training, else begin one, else take what was made; prints the model.
train() {
    omnishot train "$@" --resume 2> >(grep -v -e 'nothing to resume' -e 'without --resume' >&2) ||
        { [ $? = 4 ] && omnishot train "$@"; }
}

measured=()
measure() { measured+=("$(omnishot eval "$@")"); }

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
