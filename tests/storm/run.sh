#!/bin/sh
# Attacks the service with more than the tests do, from the repository root:
#     tests/storm/run.sh BUILD_FOLDER
# STORM="slow crowd" runs only those parts, SOAK_SECONDS=60 makes the soak shorter.
# Prints what was measured and the limits beside it, and exits 1 when one was missed.
# Takes a quarter of an hour, and wants a machine that does nothing else.
set -eu
cd "$(dirname "$0")/../.." || exit 1
out=${1:-build}
parts=${STORM:-slow crowd refusals drain balanced soak}
export LOSSD="${LOSSD:-$out/lossd}"
failed=0

for part in $parts; do
    case $part in
    slow | crowd | refusals | drain | balanced | soak) ;;
    *)
        echo "STORM is $part; slow, crowd, refusals, drain, balanced or soak is wanted" >&2
        exit 2
        ;;
    esac
done

started=$(date +%s)
for part in $parts; do
    printf '=== %s, load %s\n' "$part" "$(cut -d ' ' -f 1 /proc/loadavg)"
    if ! "$out/tests/storm/storm_$part"; then
        echo "FAILED  $part"
        failed=1
    fi
done
printf '%d s, load at the end %s\n' "$(($(date +%s) - started))" "$(cut -d ' ' -f 1 /proc/loadavg)"
exit "$failed"
