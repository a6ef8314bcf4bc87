#!/usr/bin/env bash
# What a pipeline runs: the four stages, a summary in markdown, and two gates. It ends with exit code 3 where the network is less
# accurate than FLOOR, or less accurate than the evaluation that BASELINE names, by more than TOLERANCE, on the same trials.
#
#   examples/ci/check.sh                          # Omniglot where there is any, else the built-in glyphs
#   examples/ci/check.sh --set max_minutes=1      # arguments go to `omnishot train`
#
# Settings are taken from the environment:
#   SOURCE=auto PRESET=quick PAIRS=30k WAYS=20 TRIALS=400    what is made and measured
#   FLOOR=0.50                                    the least accuracy at WAYS ways
#   TOLERANCE=0.02                                how much less than before is accepted: 2 points
#   BASELINE=FILE                                 holds the reference of the evaluation to compare with; by default in the store, one
#                                                 for each SOURCE, PAIRS, WAYS and TRIALS, as only equal trials can be compared
#   KEEP=true                                     remember this evaluation there if it passes
#   GITHUB_STEP_SUMMARY=FILE                      where the summary goes; without it, stdout
set -euo pipefail

SOURCE=${SOURCE:-auto} PRESET=${PRESET:-quick} PAIRS=${PAIRS:-30k} WAYS=${WAYS:-20} TRIALS=${TRIALS:-400}
FLOOR=${FLOOR:-0.50} TOLERANCE=${TOLERANCE:-0.02} KEEP=${KEEP:-false}
BASELINE=${BASELINE:-${OMNISHOT_STORE:-artifacts}/baseline-${SOURCE//[^a-z0-9]/_}-$PAIRS-$WAYS-way-$TRIALS}
SUMMARY=${GITHUB_STEP_SUMMARY:-/dev/stdout}
[[ $TOLERANCE =~ ^(0?\.[0-9]+|[01](\.0*)?)$ ]] || { echo "TOLERANCE='$TOLERANCE' is no fraction such as 0.02" >&2 && exit 2; }

# What the restored store holds already is reused: a run that changes nothing takes seconds.
pairs=$(omnishot prepare --source "$SOURCE" --pairs "$PAIRS" --affine 0)
model=$(omnishot train "$pairs" --preset "$PRESET" "$@")

# Another version's model would be reused where nobody raised the recipe version; a gate has to judge the trainer that is here.
value() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }
code=$(omnishot doctor --json | value '["code"]["models"]')
if [ "$(omnishot show "$model" --json | value '["code"]')" != "$code" ]; then
    model=$(omnishot train "$pairs" --preset "$PRESET" --force "$@")
fi
evaluation=$(omnishot eval "$model" --protocol within --ways "$WAYS" --trials "$TRIALS")

omnishot report "$evaluation" --format markdown >> "$SUMMARY"
printf '\n%s was trained by the code %s, which is the one that is installed.\n' "$model" "${code:0:12}" >> "$SUMMARY"
omnishot report "$evaluation" --quiet --fail-under "$WAYS-way=$FLOOR" > /dev/null

before=$([ -s "$BASELINE" ] && cat "$BASELINE" || true)
if [ -n "$before" ] && [ -e "${OMNISHOT_STORE:-artifacts}/${before/:v//v}" ]; then # It may have been removed since.
    code=0
    verdict=$(omnishot diff "$before" "$evaluation" --tolerance "accuracy=$TOLERANCE" 2>&1 > /dev/null) || code=$?
    echo "$verdict" >&2
    printf '\n%s\n' "$verdict" | sed 's/^./> &/' >> "$SUMMARY"
    # 2: the trials are no longer the same, as images or settings have changed. From now on this evaluation is what counts.
    [ "$code" -eq 0 ] || [ "$code" -eq 2 ] || exit "$code"
fi
if [ "$KEEP" = true ]; then
    echo "$evaluation" > "$BASELINE"
fi
