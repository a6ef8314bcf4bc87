# Sourced by the scripts beside it: reads --small, --budget MINUTES and --seed N into `settings` and `suffix`.
source "$(dirname "${BASH_SOURCE[0]}")/../environment.sh"
settings=() suffix=""
while [ $# -gt 0 ]; do
    case $1 in
    --small) settings+=(--set twin=koch35) suffix="$suffix-35" && shift ;;
    --budget) settings+=(--set "max_minutes=$2") suffix="$suffix-$2min" && shift 2 ;;
    --seed) settings+=(--set "seed=$2") suffix="$suffix-seed$2" && shift 2 ;;
    *) echo "unknown option $1; the head of $0 lists them" >&2 && exit 2 ;;
    esac
done
