# Sourced by the scripts beside it: reads --preset, --config, --budget, --seeds and --cells, and knows how a network is trained.
source "$(dirname "${BASH_SOURCE[0]}")/../environment.sh"

settings=(--preset koch) name=koch budget="" cells="30k/0 30k/8 90k/0 90k/8 150k/0 150k/8" seeds="0"
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || { echo "$1 needs a value; the head of $0 lists the options" >&2 && exit 2; }
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
